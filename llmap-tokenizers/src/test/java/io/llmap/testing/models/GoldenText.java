package io.llmap.testing.models;

import com.google.gson.annotations.SerializedName;
import io.llmap.score.PrefixPolicy;
import io.llmap.text.Text;

/**
 * One text of a {@link TinyModel}, as tools/fixtures made it without llmap.
 *
 * @param ids of its tokens, by Python's tokenizers library
 * @param byteOffsets the UTF-8 byte at which each token starts
 * @param specialIds with the special tokens that the tokenizer adds by itself
 * @param specialByteOffsets the same for those
 * @param documentStart log p of each token after BOS or EOS, by PyTorch: a float32 forward pass of
 *     one unpadded sequence, log-softmax in float64
 * @param tokenizer log p of each of {@code specialIds} but the first
 * @param none log p of each of {@code ids} but the first
 */
public record GoldenText(
    String id,
    String text,
    int[] ids,
    int[] byteOffsets,
    int[] specialIds,
    int[] specialByteOffsets,
    @SerializedName("document-start") double[] documentStart,
    double[] tokenizer,
    double[] none) {

  public Text asText() {
    return Text.of(id, text);
  }

  /** Of the tokens that the policy scores, in order. */
  public double[] logProbs(PrefixPolicy policy) {
    return switch (policy) {
      case DOCUMENT_START -> documentStart;
      case TOKENIZER -> tokenizer;
      case NONE -> none;
    };
  }

  @Override
  public String toString() {
    return id;
  }
}
