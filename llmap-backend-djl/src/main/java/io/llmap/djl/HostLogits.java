package io.llmap.djl;

import ai.djl.ndarray.NDArray;
import io.llmap.LlmapException.ScoringException;
import io.llmap.score.spi.LogitsBlock;
import io.llmap.score.spi.LogitsSink;
import io.llmap.score.spi.TokenBatch;
import java.nio.ByteBuffer;

/** Hands over logits in host memory, for the kernel: where a CPU engine keeps them, uncopied. */
final class HostLogits implements LogitsReader {
  @Override
  public void read(NDArray logits, TokenBatch batch, LogitsSink sink) {
    LogitsBlock.Type type = DjlTypes.of(logits);
    int vocabularySize = Math.toIntExact(logits.getShape().get(2));
    long bytes = logits.size() * type.bytes();
    if (bytes > Integer.MAX_VALUE) {
      throw new ScoringException(
          ("a batch of %d × %d tokens with a vocabulary of %d gives %d bytes of logits, more than one"
                  + " buffer holds; %s %d tokens")
              .formatted(
                  batch.sequences(),
                  batch.length(),
                  vocabularySize,
                  bytes,
                  batch.sequences() > 1
                      ? "lower the token budget to"
                      : "cut the text into pieces of at most",
                  Integer.MAX_VALUE / ((long) vocabularySize * type.bytes())));
    }
    ByteBuffer memory = DjlTypes.direct(logits);
    for (int b = 0; b < batch.sequences(); b++) {
      int firstTarget = batch.firstTarget(b);
      sink.logits(
          b,
          firstTarget,
          LogitsBlock.of(
              memory,
              type,
              ((long) b * batch.length() + firstTarget - 1) * vocabularySize,
              batch.targets(b),
              vocabularySize,
              vocabularySize));
    }
  }
}
