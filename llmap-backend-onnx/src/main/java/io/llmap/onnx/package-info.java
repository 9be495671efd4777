/**
 * ONNX Runtime behind {@link io.llmap.score.spi.CausalLm}: scores texts under a causal language
 * model that was exported to ONNX.
 *
 * <p>Separate from the core because it brings a native runtime of tens of megabytes. The one class
 * for users is {@link io.llmap.onnx.OnnxScorerProvider}, found by name through {@link
 * io.llmap.score.ScorerProvider}; the rest is how it works:
 *
 * <pre>
 * ids [B, T] ─body─▶ hidden states [B, T, H] ─rows that are scored─▶ head ─▶ log p of each token
 * </pre>
 *
 * <p><b>The output head.</b> Logits are the largest thing that a language model makes: V numbers
 * for every position. Where they are a product of hidden states with constant weights, followed by
 * operators on single logits, the graph is cut in memory before that product, and two sessions run.
 * The body takes a batch; the head then takes the rows that are scored, so that prompts, padding
 * and last tokens never reach it, and as many at a time as fit a fixed size: a vocabulary of 256k
 * or a text of any length takes no more memory for logits than another. The head ends in a
 * log-softmax and picks out the tokens' values, so that no logit leaves the runtime; with a kernel
 * named by {@code -Dllmap.kernel} it leaves the logits in a reused direct buffer for it. The parts
 * hold no weights of their own: they name those in the model's files. A graph that cannot be cut,
 * such as one with a dynamically quantized head, runs as one and is logged; its logits lie in a
 * reused direct buffer. On the CPU the body's softmaxes also get a floor, which changes no result
 * but spares the processor the denormal numbers that masked scores would become.
 *
 * <p><b>A model</b> is a Hugging Face folder with {@code model.onnx} or {@code onnx/model.onnx}, or
 * the {@code .onnx} file itself with the JSON files beside it or one folder up. Of several
 * precisions in a folder a variant chooses one: {@code onnx:models/gpt2:fp16}. The graph takes
 * {@code input_ids} [batch, sequence] and gives {@code logits} [batch, sequence, vocabulary] in 32-
 * or 16-bit floating point. It may also take {@code attention_mask} and {@code position_ids}, all
 * of them int64 or int32; a cache of earlier tokens, {@code past_key_values.*} or any other name
 * that begins with {@code past}, which is given without an entry, or as zeros where it is a state
 * of fixed size; {@code use_cache_branch}, which is false; and {@code num_logits_to_keep}, which is
 * 0 for all. Anything else is refused. Outputs other than the logits are not fetched.
 *
 * <p>Texts of one batch are padded on the right, where a causal model does not look: the mask is 1
 * everywhere and the positions count on. Before a model is used, two short sequences are run to see
 * that it is causal.
 *
 * <pre>{@code
 * ModelSpec spec = ModelSpec.parse("onnx:" + folder + "#gpt2");
 * try (LogLikelihoodScorer scorer = Scorers.open(spec, ScorerOptions.defaults())) {
 *   List<Text> texts = List.of(Text.of("greeting", "Hello, world"));
 *   scorer.score(texts, (n, score) -> System.out.println(score.logLikelihood()));
 * }
 * }</pre>
 *
 * <p><b>Files and network.</b> Nothing is downloaded. ONNX Runtime extracts its native libraries
 * into the temporary folder and deletes them when the JVM ends, but leaves an empty folder {@code
 * onnxruntime-java…} behind each time. To have the libraries loaded from a folder where they were
 * unpacked once, set {@code -Donnxruntime.native.path=FOLDER}. Versions that report their use over
 * the network are refused. From JDK 24 on, {@code --enable-native-access=ALL-UNNAMED} silences the
 * JVM's warning about native code; JDK 17 accepts the option and ignores it.
 *
 * <p><b>Memory.</b> Beside its session a model has, for each batch in flight, the hidden states of
 * the batch outside the Java heap, and the session the logits of one run of the head, twice: 64 MiB
 * at most, or 8 where threads run a batch each. A graph that runs as one has the logits of a batch
 * there. It is within the JVM's limit on direct memory ({@code -XX:MaxDirectMemorySize}, by default
 * the size of the heap); one buffer holds at most 2³¹ − 9 bytes.
 */
@NullMarked
package io.llmap.onnx;

import org.jspecify.annotations.NullMarked;
