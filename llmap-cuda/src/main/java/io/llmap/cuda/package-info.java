/**
 * NVIDIA GPUs behind llmap's kernels: token log-probabilities from logits, their sums over texts,
 * and products of all pairs of rows, through JCuda's driver API and PTX that ships in the jar.
 *
 * <p>Separate from the core because it brings a native library. For logits that are on a device
 * already, and should stay there, {@link io.llmap.cuda.CudaLogProbs} takes pointers and a stream
 * and gives
 *
 * <pre>log p(r) = logits[r, targets[r]] − log Σ_v exp(logits[r, v])</pre>
 *
 * <pre>{@code
 * try (CudaContext context = CudaContext.open(0);
 *     CudaLogProbs kernels = CudaLogProbs.open(context, stream)) {
 *   CudaLogits logits = new CudaLogits(pointer, LogitsBlock.Type.BF16, rows, vocabulary, stride);
 *   double[] logLikelihoods = kernels.logLikelihoods(logits, targets, starts, -100);
 *   System.out.println(Arrays.toString(logLikelihoods));
 * }
 * }</pre>
 *
 * <p>{@link io.llmap.cuda.CudaLogProbKernel} and {@link io.llmap.cuda.CudaGramKernel} take what is
 * on the host. They are found by name, {@code -Dllmap.kernel.log-prob=cuda} and {@code
 * -Dllmap.kernel.gram=cuda}, and used only where they are named. They run on device 0 of those that
 * {@code CUDA_VISIBLE_DEVICES} leaves.
 *
 * <p><b>What it needs.</b> A device of compute capability 7.5 (Turing, 2018) or newer and NVIDIA's
 * driver; no CUDA toolkit. JCuda's own native library is {@code org.jcuda:jcuda-natives} with the
 * classifier {@code linux-x86_64} or {@code windows-x86_64}: the application chooses, as it does
 * with PyTorch's. Where something is missing, {@link io.llmap.cuda.CudaContext#availability} says
 * what; nothing fails before it is used.
 *
 * <p><b>Files and network.</b> Nothing is downloaded. JCuda unpacks its library into the temporary
 * folder; here it is given a folder of the process's own for that, deleted when the JVM ends, by
 * setting {@code java.io.tmpdir} for the moment in which the library is loaded. From JDK 24 on,
 * {@code --enable-native-access=ALL-UNNAMED} silences the JVM's warning about native code.
 */
@NullMarked
package io.llmap.cuda;

import org.jspecify.annotations.NullMarked;
