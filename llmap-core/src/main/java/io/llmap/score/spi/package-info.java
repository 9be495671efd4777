/** Placeholder. */
@NullMarked
package io.llmap.score.spi;

import org.jspecify.annotations.NullMarked;
