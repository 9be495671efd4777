/**
 * The {@code llmap} command, the model zoo inside it, and the examples of the README. Everything
 * here uses the public API of the other modules alone; nothing here is part of it.
 */
@NullMarked
package io.llmap.examples;

import org.jspecify.annotations.NullMarked;
