/** Placeholder. */
@NullMarked
package io.llmap.embed;

import org.jspecify.annotations.NullMarked;
