/** Placeholder. */
@NullMarked
package io.llmap.matrix;

import org.jspecify.annotations.NullMarked;
