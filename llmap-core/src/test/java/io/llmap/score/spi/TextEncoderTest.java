package io.llmap.score.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException.ScoringException;
import io.llmap.score.PrefixPolicy;
import io.llmap.text.Text;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Where a prompt ends and its content begins, with tokenizers that make it hard. */
class TextEncoderTest {
  @Test
  void contentBehindATokensEndKeepsTheTokensOfTheWholeText() {
    Pieces tokenizer = new Pieces("", "", "the", " sea", "is");
    TokenSequence tokens = encode(tokenizer, PrefixPolicy.DOCUMENT_START, "the", " sea is");

    assertThat(tokenizer.pieces(tokens)).containsExactly("<s>", "the", " sea", " ", "is");
    assertThat(tokens.prefix()).isEqualTo(1);
    assertThat(tokens.firstTarget()).isEqualTo(2);
    assertThat(contentOffsets(tokens)).containsExactly(0, 4, 5);
  }

  @Test
  void aTokenAcrossTheBorderIsSplitThere() {
    Pieces tokenizer = new Pieces("", "", "the", " sea", "sea", "is");
    TokenSequence tokens = encode(tokenizer, PrefixPolicy.NONE, "the ", "sea is");

    assertThat(tokenizer.pieces(tokens)).containsExactly("the", " ", "sea", " ", "is");
    assertThat(tokens.firstTarget()).isEqualTo(2);
    assertThat(contentOffsets(tokens)).containsExactly(0, 3, 4);
  }

  @Test
  void aTokenizerThatPutsASpaceInFrontPutsNoneBetweenPromptAndContent() {
    Pieces tokenizer = new Pieces(" ", "", " ask", "tell", " tell", ":");
    TokenSequence tokens = encode(tokenizer, PrefixPolicy.NONE, "ask:", "tell");

    assertThat(tokenizer.pieces(tokens)).containsExactly(" ask", ":", "tell");
    assertThat(tokens.firstTarget()).isEqualTo(2);
    assertThat(contentOffsets(tokens)).containsExactly(0);
  }

  @Test
  void offsetsCountTheContentsBytesWhateverThePromptIsMadeOf() {
    Pieces tokenizer = new Pieces("", "", "é✓", "né", "e");
    TokenSequence tokens = encode(tokenizer, PrefixPolicy.NONE, "é✓", "née");

    assertThat(tokenizer.pieces(tokens)).containsExactly("é✓", "né", "e");
    assertThat(contentOffsets(tokens)).containsExactly(0, 3);
  }

  @Test
  void specialTokensStandAroundPromptAndContentTogether() {
    Pieces tokenizer = new Pieces("", "</s>", "a", "b", "ab");
    for (String prompt : List.of("b", "a")) {
      TokenSequence tokens = encode(tokenizer, PrefixPolicy.TOKENIZER, prompt, "b");

      assertThat(tokenizer.pieces(tokens)).containsExactly("<s>", prompt, "b", "</s>");
      assertThat(tokens.prefix()).isEqualTo(1);
      assertThat(tokens.firstTarget()).isEqualTo(2);
      assertThat(contentOffsets(tokens)).containsExactly(0, 1);
    }
  }

  @Test
  void aTextThatBeginsWithTheNameOfTheDocumentStartGetsNoSecond() {
    Pieces tokenizer = new Pieces("", "", "a", "b");
    TextEncoder encoder = new TextEncoder("m", tokenizer, PrefixPolicy.DOCUMENT_START);
    TokenSequence named = encoder.encode(Text.of("t", "<s>ab"));
    TokenSequence plain = encoder.encode(Text.of("t", "ab"));

    assertThat(tokenizer.pieces(named)).containsExactly("<s>", "a", "b");
    assertThat(named.ids()).isEqualTo(plain.ids());
    assertThat(named.prefix()).isEqualTo(plain.prefix()).isEqualTo(1);
    assertThat(named.firstTarget()).isEqualTo(1);
    assertThat(contentOffsets(named)).containsExactly(3, 4);
    assertThat(tokenizer.pieces(encoder.encode(Text.of("t", "<s><s>a"))))
        .containsExactly("<s>", "<s>", "a");
    assertThatThrownBy(() -> encoder.encode(Text.of("t", "<s>")))
        .isInstanceOf(ScoringException.class)
        .hasMessageContaining("scores none");
  }

  @Test
  void aPromptThatBeginsWithTheNameOfTheDocumentStartGetsNoSecond() {
    Pieces tokenizer = new Pieces("", "", "a", "b", "c", "bc");
    TokenSequence whole = encode(tokenizer, PrefixPolicy.DOCUMENT_START, "<s>a", "c");
    assertThat(tokenizer.pieces(whole)).containsExactly("<s>", "a", "c");
    assertThat(whole.firstTarget()).isEqualTo(2);
    assertThat(contentOffsets(whole)).containsExactly(0);

    TokenSequence split = encode(tokenizer, PrefixPolicy.DOCUMENT_START, "<s>ab", "c<s>");
    assertThat(tokenizer.pieces(split)).containsExactly("<s>", "a", "b", "c", "<s>");
    assertThat(split.firstTarget()).isEqualTo(3);
    assertThat(contentOffsets(split)).containsExactly(0, 1);

    TokenSequence inside = encode(tokenizer, PrefixPolicy.DOCUMENT_START, "ab", "<s>c");
    assertThat(tokenizer.pieces(inside)).containsExactly("<s>", "a", "b", "<s>", "c");
    assertThat(inside.firstTarget()).isEqualTo(3);
  }

  @Test
  void contentWithTheNameOfTheDocumentStartKeepsItBehindASplitPrompt() {
    Pieces tokenizer = new Pieces("", "", "a", "b", "b<s>");
    TokenSequence tokens = encode(tokenizer, PrefixPolicy.DOCUMENT_START, "ab", "<s>a");

    assertThat(tokenizer.pieces(tokens)).containsExactly("<s>", "a", "b", "<s>", "a");
    assertThat(tokens.firstTarget()).isEqualTo(3);
    assertThat(contentOffsets(tokens)).containsExactly(0, 3);
  }

  @Test
  void theTokenizersOwnPolicyAddsBosWhateverTheText() {
    Pieces tokenizer = new Pieces("", "", "a");
    TextEncoder encoder = new TextEncoder("m", tokenizer, PrefixPolicy.TOKENIZER);
    assertThat(tokenizer.pieces(encoder.encode(Text.of("t", "<s>a"))))
        .containsExactly("<s>", "<s>", "a");
  }

  @Test
  void aPromptWithoutTokensChangesNothing() {
    Pieces tokenizer = new Pieces("", "", "a", "b");
    TokenSequence plain =
        new TextEncoder("m", tokenizer, PrefixPolicy.NONE).encode(Text.of("t", "ab"));
    TokenSequence prompted = encode(tokenizer, PrefixPolicy.NONE, "\u0000", "ab");

    assertThat(prompted.ids()).isEqualTo(plain.ids());
    assertThat(prompted.firstTarget()).isEqualTo(plain.firstTarget()).isEqualTo(1);
  }

  @Test
  void contentWithoutTokensIsRefused() {
    assertThatThrownBy(
            () -> encode(new Pieces("", "", "a"), PrefixPolicy.DOCUMENT_START, "a", "\u0000"))
        .isInstanceOf(ScoringException.class)
        .hasMessage(
            "the content of text \"t\" has no token for model m to score after its prompt of 1");
  }

  @Test
  void aSharedPromptIsTokenizedOnce() {
    Pieces tokenizer = new Pieces("", "", "a", "b");
    TextEncoder encoder = new TextEncoder("m", tokenizer, PrefixPolicy.DOCUMENT_START);
    for (int n = 0; n < 5; n++) {
      encoder.encode(new Text("t" + n, "aaa", "b"));
    }

    assertThat(tokenizer.calls).hasValue(6);
  }

  private static TokenSequence encode(
      Tokenizer tokenizer, PrefixPolicy policy, String prompt, String content) {
    return new TextEncoder("m", tokenizer, policy).encode(new Text("t", prompt, content));
  }

  private static int[] contentOffsets(TokenSequence tokens) {
    return java.util.Arrays.copyOfRange(
        tokens.byteOffsets(), tokens.firstTarget(), tokens.ids().length);
  }

  /**
   * The longest piece that fits, from left to right; what none fits is a token of one character,
   * but for U+0000, which has none.
   */
  private static final class Pieces implements Tokenizer {
    private final List<String> vocabulary = new ArrayList<>(List.of("<s>"));
    private final String front;
    private final String behind;
    final AtomicInteger calls = new AtomicInteger();

    /**
     * A vocabulary.
     *
     * @param front is put in front of every text
     * @param behind a special token behind every text, or nothing
     */
    Pieces(String front, String behind, String... pieces) {
      this.front = front;
      this.behind = behind;
      vocabulary.addAll(List.of(pieces));
    }

    List<String> pieces(TokenSequence tokens) {
      List<String> pieces = new ArrayList<>();
      for (int id : tokens.ids()) {
        pieces.add(vocabulary.get(id));
      }
      return pieces;
    }

    @Override
    public Encoding encode(String text) {
      calls.incrementAndGet();
      String whole = front + text;
      List<Integer> ids = new ArrayList<>();
      List<Integer> offsets = new ArrayList<>();
      int at = 0;
      while (at < whole.length()) {
        String piece = longest(whole, at);
        if (!piece.equals("\u0000")) {
          ids.add(id(piece));
          offsets.add(utf8(whole, Math.max(at, front.length())) - front.length());
        }
        at += piece.length();
      }
      return new Encoding(ints(ids), ints(offsets));
    }

    private String longest(String text, int at) {
      String longest = text.substring(at, at + 1);
      for (String piece : vocabulary) {
        if (piece.length() > longest.length() && text.startsWith(piece, at)) {
          longest = piece;
        }
      }
      return longest;
    }

    private int id(String piece) {
      if (!vocabulary.contains(piece)) {
        vocabulary.add(piece);
      }
      return vocabulary.indexOf(piece);
    }

    private static int utf8(String text, int end) {
      return text.substring(0, end).getBytes(StandardCharsets.UTF_8).length;
    }

    @Override
    public Encoding encodeWithSpecialTokens(String text) {
      Encoding plain = encode(text);
      List<Integer> ids = new ArrayList<>(List.of(0));
      List<Integer> offsets = new ArrayList<>(List.of(0));
      for (int t = 0; t < plain.ids().length; t++) {
        ids.add(plain.ids()[t]);
        offsets.add(plain.byteOffsets()[t]);
      }
      if (!behind.isEmpty()) {
        ids.add(id(behind));
        offsets.add(utf8(text, text.length()));
      }
      return new Encoding(ints(ids), ints(offsets));
    }

    private static int[] ints(List<Integer> list) {
      return list.stream().mapToInt(i -> i).toArray();
    }

    @Override
    public OptionalInt bosId() {
      return OptionalInt.of(0);
    }

    @Override
    public OptionalInt eosId() {
      return OptionalInt.empty();
    }

    @Override
    public void close() {}
  }
}
