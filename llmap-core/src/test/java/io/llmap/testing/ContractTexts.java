package io.llmap.testing;

import io.llmap.text.Text;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;

/** The texts that a contract is proved with, out of what a model takes. */
final class ContractTexts {
  /** A sentence, of which a long text is made. */
  private static final String SENTENCE = "All happy families are alike. ";

  private final Optional<String> alphabet;
  private final int contextLength;

  /**
   * @param alphabet the characters to choose from, if not all
   */
  ContractTexts(Optional<String> alphabet, OptionalInt contextLength) {
    this.alphabet = alphabet;
    this.contextLength = contextLength.orElse(Integer.MAX_VALUE);
  }

  /** Of many lengths, some behind a prompt, and short enough for the context. */
  List<Text> mixed() {
    List<Text> texts = new ArrayList<>(few(20));
    Random random = new Random(11);
    for (int n = 0; n < 12; n++) {
      String content = passage(random, 2 + 3 * n);
      if (n % 3 == 2) {
        texts.add(new Text("prompted-" + n, n % 2 == 0 ? passage(random, 9) : unit(), content));
      } else {
        texts.add(Text.of("passage-" + n, content));
      }
    }
    if (alphabet.isEmpty()) {
      texts.addAll(hard());
    }
    texts.removeIf(text -> !fits(text));
    return texts;
  }

  /** Short texts, no two alike. */
  List<Text> few(int count) {
    Random random = new Random(5);
    List<Text> texts = new ArrayList<>();
    for (int n = 0; n < count; n++) {
      String content =
          alphabet.isEmpty() ? "Number " + n + " is unhappy." : letters(random, 4 + n % 9);
      texts.add(Text.of("short-" + n, content));
    }
    return texts;
  }

  /** What tokenizers and decoders of UTF-8 stumble over; for models of all characters. */
  List<Text> hard() {
    List<Text> texts = new ArrayList<>();
    texts.add(Text.of("one-byte", "e"));
    texts.add(Text.of("emoji", "I \uD83D\uDE00 maps \uD83D\uDC69\u200D\uD83D\uDE80 ok"));
    texts.add(Text.of("cjk", "\u65e5\u672c\u8a9e\u306e\u6587\u7ae0"));
    texts.add(Text.of("combining-marks", "cafe\u0301 e\u0301te\u0301 o\u0323\u0302"));
    texts.add(Text.of("right-to-left", "\u0645\u0631\u062d\u0628\u0627"));
    texts.add(Text.of("beyond-the-basic-plane", "\uD800\uDF48\uD834\uDD1E"));
    texts.add(Text.of("nul", "a\u0000b"));
    texts.add(Text.of("bom", "\ufeffmark"));
    texts.add(Text.of("replacement-character", "a\ufffdb"));
    texts.add(Text.of("spaces", "  two   spaces \n\n and\ttabs  "));
    texts.add(Text.of("only-spaces", " ".repeat(40)));
    texts.add(Text.of("line-ends", "a\r\nb\rc\u2028d\u0085e"));
    texts.add(Text.of("special-tokens-inside", "one<|endoftext|>two<s>three</s>[CLS]"));
    texts.add(new Text("after-half-a-character", "cafe", "\u0301s"));
    texts.add(new Text("after-a-space", "one ", "two"));
    texts.removeIf(text -> !fits(text));
    return texts;
  }

  /** Where a document's start may be taken for the token of that name, which is not scored. */
  List<Text> startingWithSpecialTokens() {
    return List.of(
        Text.of("starts-with-endoftext", "<|endoftext|>one"), Text.of("starts-with-s", "<s>one"));
  }

  /** A text whose tokens repeat when it does. */
  String unit() {
    return alphabet.isEmpty() ? SENTENCE : letters(new Random(3), 9);
  }

  /** A token has at least one byte, and there are at most two in front. */
  boolean fits(Text text) {
    return (long) text.prompt().length() * 3 + text.bytes() + 2 <= contextLength;
  }

  /** Of about so many words, or letters of the alphabet. */
  private String passage(Random random, int length) {
    if (alphabet.isPresent()) {
      return letters(random, length);
    }
    String[] words = SENTENCE.split(" ", -1);
    StringBuilder passage = new StringBuilder("The");
    for (int w = 0; w < length / 2; w++) {
      passage.append(' ').append(words[random.nextInt(words.length - 1)]);
    }
    return passage.toString();
  }

  private String letters(Random random, int count) {
    String all = alphabet.orElseThrow();
    StringBuilder letters = new StringBuilder();
    for (int i = 0; i < count; i++) {
      int at = random.nextInt(all.codePointCount(0, all.length()));
      letters.appendCodePoint(all.codePointAt(all.offsetByCodePoints(0, at)));
    }
    return letters.toString();
  }
}
