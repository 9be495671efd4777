/**
 * What several packages of llmap need to read and write files. Not part of the API: it may change
 * in any release.
 */
@NullMarked
package io.llmap.internal;

import org.jspecify.annotations.NullMarked;
