package io.llmap.djl;

import ai.djl.Model;
import ai.djl.pytorch.jni.JniUtils;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/** Settings that an engine keeps for each thread, to be made on the one that runs a batch. */
interface EngineThread {
  /** Makes the settings on the calling thread. */
  void prepare();

  /**
   * The settings of a model's engine.
   *
   * @param threads how many of the engine's own threads a batch gets
   */
  static EngineThread of(Model model, int threads) {
    if (!model.getNDManager().getEngine().getEngineName().equals("PyTorch")) {
      return () -> {};
    }
    // The optimizer compiles for the shapes of the first batches, and every batch has another.
    boolean optimizes = Boolean.getBoolean("ai.djl.pytorch.graph_optimizer");
    return () -> {
      JniUtils.setNumThreads(threads);
      JniUtils.setGraphExecutorOptimize(optimizes);
    };
  }

  /**
   * Runs a forward pass outside of a run of batches, on a thread that ends with it.
   *
   * <p>libgomp keeps a team for every thread that had one, and lets teams wait without sleeping
   * only while all of them together have no more threads than there are processors. A team left to
   * the thread that opens a model makes the batches of another one a tenth slower.
   */
  static <T> T apart(Supplier<T> work) {
    try {
      return CompletableFuture.supplyAsync(work, command -> new Thread(command).start()).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw e;
    }
  }
}
