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
  private final int[] firstTargets;
  private final int length;

  private TokenBatch(int[] ids, int[] lengths, int[] firstTargets, int length) {
    this.ids = ids;
    this.lengths = lengths;
    this.firstTargets = firstTargets;
    this.length = length;
  }

  /**
   * Pads sequences to the length of the longest; every token but the first of each is scored.
   *
   * @param sequences token ids, each with at least two
   * @param paddingId the id that fills the right side; it never reaches a score
   * @return the batch
   * @throws IllegalArgumentException if there is no sequence, or one has fewer than two tokens
   */
  public static TokenBatch of(int[][] sequences, int paddingId) {
    int[] firstTargets = new int[sequences.length];
    Arrays.fill(firstTargets, 1);
    return of(sequences, firstTargets, paddingId);
  }

  /**
   * Pads sequences to the length of the longest.
   *
   * @param sequences token ids, each with at least two
   * @param firstTargets for each sequence the position of the first token that is scored, 1 to its
   *     length − 1; what stands before is only read
   * @param paddingId the id that fills the right side; it never reaches a score
   * @return the batch
   * @throws IllegalArgumentException if there is no sequence, the arrays differ in length, or a
   *     sequence has no token at its first target
   */
  public static TokenBatch of(int[][] sequences, int[] firstTargets, int paddingId) {
    int longest = Arrays.stream(sequences).mapToInt(ids -> ids.length).max().orElse(0);
    return of(sequences, firstTargets, paddingId, longest);
  }

  /**
   * Pads sequences to a given length.
   *
   * @param sequences token ids, each with at least two
   * @param firstTargets for each sequence the position of the first token that is scored, 1 to its
   *     length − 1; what stands before is only read
   * @param paddingId the id that fills the right side; it never reaches a score
   * @param length at least that of the longest sequence
   * @return the batch
   * @throws IllegalArgumentException if there is no sequence, the arrays differ in length, a
   *     sequence has no token at its first target, or one is longer than {@code length}
   */
  public static TokenBatch of(int[][] sequences, int[] firstTargets, int paddingId, int length) {
    if (sequences.length == 0) {
      throw new IllegalArgumentException("a batch needs at least one sequence");
    }
    if (sequences.length != firstTargets.length) {
      throw new IllegalArgumentException(
          sequences.length + " sequences but " + firstTargets.length + " first targets");
    }
    int[] ids = new int[Math.multiplyExact(sequences.length, length)];
    int[] lengths = new int[sequences.length];
    Arrays.fill(ids, paddingId);
    for (int b = 0; b < sequences.length; b++) {
      lengths[b] = sequences[b].length;
      if (firstTargets[b] < 1 || firstTargets[b] >= lengths[b]) {
        throw new IllegalArgumentException(
            "a sequence of %d tokens cannot be scored from position %d on"
                .formatted(lengths[b], firstTargets[b]));
      }
      if (lengths[b] > length) {
        throw new IllegalArgumentException(
            "a sequence of %d tokens does not fit a batch of length %d"
                .formatted(lengths[b], length));
      }
      System.arraycopy(sequences[b], 0, ids, b * length, lengths[b]);
    }
    return new TokenBatch(ids, lengths, firstTargets.clone(), length);
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
   * @return at least 2
   */
  public int length() {
    return length;
  }

  /**
   * The number of real tokens of one sequence.
   *
   * @param sequence 0 to B − 1
   * @return 2 to T
   */
  public int length(int sequence) {
    return lengths[sequence];
  }

  /**
   * Where scoring begins.
   *
   * @param sequence 0 to B − 1
   * @return the position of the first scored token, 1 to {@code length(sequence) − 1}
   */
  public int firstTarget(int sequence) {
    return firstTargets[sequence];
  }

  /**
   * How many tokens of one sequence are scored, and so how many positions' logits are needed: from
   * the one before the first target to the last but one.
   *
   * @param sequence 0 to B − 1
   * @return at least 1
   */
  public int targets(int sequence) {
    return lengths[sequence] - firstTargets[sequence];
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
