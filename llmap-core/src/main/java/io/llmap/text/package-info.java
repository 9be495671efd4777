/** Placeholder. */
@NullMarked
package io.llmap.text;

import org.jspecify.annotations.NullMarked;
