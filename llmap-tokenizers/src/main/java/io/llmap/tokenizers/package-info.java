/**
 * The Hugging Face tokenizer behind {@link io.llmap.score.spi.Tokenizer}, and what a model folder's
 * {@code config.json} says about scoring.
 *
 * <p>Separate from the backends because a tokenizer is the same whatever runs the model: the ids
 * that ONNX Runtime and PyTorch are given must come from one piece of code, or their
 * log-likelihoods differ for a reason that has nothing to do with them. The tokenizer itself is
 * Hugging Face's Rust library, reached through {@code ai.djl.huggingface:tokenizers}; this package
 * adds what that lacks: UTF-8 byte offsets, the document-start and document-end tokens, and the
 * certainty that nothing is cut, padded or downloaded.
 *
 * <pre>{@code
 * try (HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(folder)) {
 *   Encoding encoding = tokenizer.encode("déjà vu");
 *   int[] ids = encoding.ids();
 *   int[] firstBytes = encoding.byteOffsets();
 *   OptionalInt documentEnd = tokenizer.eosId();
 *   System.out.println(ids.length + " tokens, the second from byte " + firstBytes[1] + " on");
 *   System.out.println("a document ends with token " + documentEnd.orElse(-1));
 * }
 * }</pre>
 */
@NullMarked
package io.llmap.tokenizers;

import org.jspecify.annotations.NullMarked;
