/**
 * What several packages of llmap need to read and write files and to keep native libraries off the
 * network. Not part of the API: it may change in any release.
 */
@NullMarked
package io.llmap.internal;

import org.jspecify.annotations.NullMarked;
