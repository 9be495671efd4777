package io.llmap.score.spi;

import java.util.Arrays;
import java.util.Objects;

/**
 * Token sequences of one forward pass, padded on the right to one length.
 *
 * <p>Shape [B, T]: {@code sequences} rows of {@code length} ids. Instances are immutable by
 * agreement: a backend must not write to the ids.
 */
public final class TokenBatch {
  private final int[] ids;
  private final int[] lengths;
  private final int length;

  private TokenBatch(int[] ids, int[] lengths, int length) {
    this.ids = ids;
    this.lengths = lengths;
    this.length = length;
  }

  /**
   * Pads sequences to the length of the longest.
   *
   * @param sequences token ids, each with at least one
   * @param paddingId the id that fills the right side; it never reaches a score
   * @return the batch
   * @throws IllegalArgumentException if there is no sequence, or one is empty
   */
  public static TokenBatch of(int[][] sequences, int paddingId) {
    int length = 0;
    for (int[] sequence : sequences) {
      if (sequence.length == 0) {
        throw new IllegalArgumentException("a sequence without tokens cannot be scored");
      }
      length = Math.max(length, sequence.length);
    }
    if (length == 0) {
      throw new IllegalArgumentException("a batch needs at least one sequence");
    }
    int[] ids = new int[Math.multiplyExact(sequences.length, length)];
    int[] lengths = new int[sequences.length];
    Arrays.fill(ids, paddingId);
    for (int b = 0; b < sequences.length; b++) {
      System.arraycopy(sequences[b], 0, ids, b * length, sequences[b].length);
      lengths[b] = sequences[b].length;
    }
    return new TokenBatch(ids, lengths, length);
  }

  /**
   * The number of sequences, B.
   *
   * @return at least 1
   */
  public int sequences() {
    return lengths.length;
  }

  /**
   * The padded length, T.
   *
   * @return at least 1
   */
  public int length() {
    return length;
  }

  /**
   * The number of real tokens of one sequence.
   *
   * @param sequence 0 to B − 1
   * @return 1 to T
   */
  public int length(int sequence) {
    return lengths[sequence];
  }

  /**
   * One token id.
   *
   * @param sequence 0 to B − 1
   * @param position 0 to T − 1
   * @return the id, or the padding id behind the sequence's end
   */
  public int id(int sequence, int position) {
    // Without the check a position too far would be read from the next sequence.
    return ids[sequence * length + Objects.checkIndex(position, length)];
  }
}
