/**
 * Texts to score, as an ordered set that is known by its fingerprint.
 *
 * <p>Separate from scoring because every number downstream is relative to the texts:
 * log-likelihoods of different text sets are never comparable, so the set's SHA-256 travels with
 * them. Lengths are UTF-8 bytes, the one unit that all tokenizers share:
 *
 * <pre>bits per byte = −log-likelihood / (bytes · ln 2)</pre>
 *
 * <pre>{@code
 * List<String> chunks = TextChunker.modelMapPaper().chunk(document);
 * List<Text> texts = new ArrayList<>();
 * chunks.forEach(chunk -> texts.add(Text.of("chunk-" + texts.size(), chunk)));
 * TextSet set = TextSet.of(texts);
 * System.out.println(set.size() + " texts, fingerprint " + set.fingerprint());
 * }</pre>
 */
@NullMarked
package io.llmap.text;

import org.jspecify.annotations.NullMarked;
