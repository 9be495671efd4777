package io.llmap.onnx;

import io.llmap.score.spi.TokenBatch;

/** Goes through the scored tokens of a batch, sequence by sequence. */
final class Targets {
  private final TokenBatch batch;
  private int sequence;
  private int taken;

  /** At the first token. */
  Targets(TokenBatch batch) {
    this.batch = batch;
  }

  /** Another at the same token. */
  Targets copy() {
    Targets copy = new Targets(batch);
    copy.sequence = sequence;
    copy.taken = taken;
    return copy;
  }

  /** The sequence that the token is in. */
  int sequence() {
    return sequence;
  }

  /** Where the token is in its sequence. */
  int position() {
    return batch.firstTarget(sequence) + taken;
  }

  /** The token. */
  int id() {
    return batch.id(sequence, position());
  }

  /**
   * Moves on within the sequence, or to the start of the next.
   *
   * @return by how many tokens, at most {@code most}
   */
  int take(int most) {
    int count = Math.min(most, batch.targets(sequence) - taken);
    taken += count;
    if (taken == batch.targets(sequence)) {
      sequence++;
      taken = 0;
    }
    return count;
  }
}
