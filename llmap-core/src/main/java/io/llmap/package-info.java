/** Placeholder. */
@NullMarked
package io.llmap;

import org.jspecify.annotations.NullMarked;
