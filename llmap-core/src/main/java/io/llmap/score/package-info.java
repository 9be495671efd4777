/** Placeholder. */
@NullMarked
package io.llmap.score;

import org.jspecify.annotations.NullMarked;
