/** Placeholder. */
@NullMarked
package io.llmap.distance;

import org.jspecify.annotations.NullMarked;
