/**
 * Deep Java Library's engines behind {@link io.llmap.score.spi.CausalLm}: scores texts under a
 * causal language model in TorchScript, or in any block that maps token ids to logits.
 *
 * <p>Separate from the core because PyTorch's native libraries take hundreds of megabytes. {@link
 * io.llmap.djl.DjlScorerProvider} opens models by path, found by name through {@link
 * io.llmap.score.ScorerProvider}; {@link io.llmap.djl.DjlCausalLm} takes a model that was loaded,
 * or built, with DJL itself. The rest is how it works:
 *
 * <pre>
 * ids [B, T] ─block on its device─▶ logits [B, T, V] ─kernel, or the device─▶ log p of each token
 * </pre>
 *
 * <p><b>Logits.</b> On the CPU the {@linkplain io.llmap.score.spi.LogProbKernel kernel} reads them
 * where the engine put them, without a copy; on a GPU they stay there: the engine's log-softmax
 * runs over chunks of rows, and the tokens' values alone come back. Both take the positions that
 * are scored. A block gives the logits of a whole batch, prompts and padding included, so a batch's
 * logits are bounded by 128 MiB unless a single text needs more. All that a batch makes is freed
 * with it.
 *
 * <p><b>A model</b> is a TorchScript file, traced or scripted, in a folder with {@code
 * tokenizer.json} and {@code config.json}; its {@code forward} takes token ids, and may take a mask
 * and positions, told by the arguments' names; it may give a tensor, a tuple or a dictionary.
 * {@code .onnx} files run on DJL's ONNX Runtime engine, if that is on the class path; the package
 * {@code io.llmap.onnx} runs them faster and takes more of them. Texts of one batch are padded on
 * the right, where a causal model does not look: the mask is 1 everywhere and the positions count
 * on. Before a model is used, two short sequences are run to see that it is causal. Logits in
 * single or half precision; weights in bfloat16 on a GPU alone, since DJL ends the JVM over some of
 * its uses on the CPU.
 *
 * <pre>{@code
 * ModelSpec spec = ModelSpec.parse("djl:" + folder + "#gpt2");
 * try (LogLikelihoodScorer scorer = Scorers.open(spec, ScorerOptions.defaults())) {
 *   List<Text> texts = List.of(Text.of("greeting", "Hello, world"));
 *   scorer.score(texts, (n, score) -> System.out.println(score.logLikelihood()));
 * }
 * }</pre>
 *
 * <p><b>Files and network.</b> Nothing is downloaded. An engine is started only after its native
 * libraries are seen to be local, and of versions that belong together; otherwise the error names
 * the Maven coordinates that are missing. PyTorch's come from {@code
 * ai.djl.pytorch:pytorch-native-cpu} with this platform's classifier, or {@code
 * pytorch-native-cu128} for a GPU, and {@code ai.djl.pytorch:pytorch-jni}; or from the folder in
 * {@code PYTORCH_LIBRARY_PATH}. DJL extracts them once into {@code ~/.djl.ai/pytorch}, where they
 * take some 450 MB, or below {@code DJL_CACHE_DIR} or {@code ENGINE_CACHE_DIR} (environment
 * variables or system properties). Before the first engine is touched, DJL's offline mode (system
 * property {@code ai.djl.offline}) is switched on and its telemetry off ({@code OPT_OUT_TRACKING}),
 * for the whole process; a system property that says otherwise is overridden and logged, an
 * environment variable {@code DJL_OFFLINE} that does is refused. Engines other than PyTorch and
 * OnnxRuntime are not started, because they may download their libraries, nor are versions of ONNX
 * Runtime that report their use over the network. From JDK 24 on, {@code
 * --enable-native-access=ALL-UNNAMED} silences the JVM's warning about native code; JDK 17 accepts
 * the option and ignores it. DJL logs through SLF4J, which complains on standard error where no
 * backend for it is on the class path: add one, or set {@code -Dslf4j.internal.verbosity=ERROR}.
 */
@NullMarked
package io.llmap.djl;

import org.jspecify.annotations.NullMarked;
