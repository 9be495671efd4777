package io.llmap.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextChunkerTest {
  @Property(tries = 300)
  void chunksAreThoseOfTheRuleOnBytes(
      @ForAll("documents") String document,
      @ForAll @IntRange(min = 4, max = 40) int maxBytes,
      @ForAll @IntRange(min = 0, max = 3) int minBytes) {
    assertThat(new TextChunker(maxBytes, minBytes).chunk(document))
        .isEqualTo(oracle(document, maxBytes, minBytes));
  }

  @Property(tries = 300)
  void chunksJoinToTheDocumentAndFit(
      @ForAll("documents") String document, @ForAll @IntRange(min = 4, max = 40) int maxBytes) {
    List<String> chunks = new TextChunker(maxBytes, 0).chunk(document);

    assertThat(String.join("", chunks)).isEqualTo(document);
    for (int c = 0; c < chunks.size(); c++) {
      int bytes = bytes(chunks.get(c));
      assertThat(bytes).isBetween(1, maxBytes);
      // Greedy: the next character would not have fitted.
      assertThat(c == chunks.size() - 1 || bytes > maxBytes - 4).isTrue();
    }
  }

  @Provide
  static Arbitrary<String> documents() {
    return TextTest.codePoints()
        .list()
        .ofMaxSize(60)
        .map(
            list ->
                list.stream()
                    .collect(
                        StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString());
  }

  /** Method 2.2, character by character: a chunk is closed by the character that does not fit. */
  private static List<String> oracle(String document, int maxBytes, int minBytes) {
    List<String> all = new ArrayList<>();
    StringBuilder chunk = new StringBuilder();
    for (int codePoint : document.codePoints().toArray()) {
      if (bytes(chunk + Character.toString(codePoint)) > maxBytes) {
        all.add(chunk.toString());
        chunk.setLength(0);
      }
      chunk.appendCodePoint(codePoint);
    }
    all.add(chunk.toString());
    return all.stream().filter(c -> bytes(c) > minBytes).toList();
  }

  private static int bytes(String s) {
    return s.getBytes(StandardCharsets.UTF_8).length;
  }

  @ParameterizedTest
  @CsvSource({"0,1024", "1,1021", "2,1022", "3,1023", "4,1024"})
  void aCutInsideAFourByteCharacterMovesToItsStart(int ascii, int expected) {
    String document = "x".repeat(ascii) + "🦙".repeat(400);

    List<String> chunks = TextChunker.modelMapPaper().chunk(document);

    assertThat(bytes(chunks.get(0))).isEqualTo(expected);
    assertThat(chunks).noneMatch(c -> c.contains("\uFFFD"));
    assertThat(String.join("", chunks)).isEqualTo(document);
  }

  @Test
  void aChunkIsKeptIfStrictlyLongerThanTheMinimum() {
    TextChunker paper = TextChunker.modelMapPaper();

    assertThat(paper).isEqualTo(new TextChunker(1024, 256));
    assertThat(paper.chunk("x".repeat(256))).isEmpty();
    assertThat(paper.chunk("x".repeat(257))).hasSize(1);
    assertThat(paper.chunk("x".repeat(1024 + 256))).containsExactly("x".repeat(1024));
    assertThat(paper.chunk("x".repeat(1024) + "y".repeat(257)))
        .containsExactly("x".repeat(1024), "y".repeat(257));
    assertThat(paper.chunk("é".repeat(128))).isEmpty();
    assertThat(paper.chunk("")).isEmpty();
  }

  @Test
  void aDocumentWithALoneSurrogateIsRefused() {
    assertThatThrownBy(() -> TextChunker.modelMapPaper().chunk("a\uD83E"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("the document holds a lone surrogate");
  }

  @Test
  void badLengthsAreRefusedWithTheirValues() {
    assertThatThrownBy(() -> new TextChunker(3, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("maxBytes must be at least 4, the longest character, got 3");
    assertThatThrownBy(() -> new TextChunker(10, 10))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("minBytes must be in [0, maxBytes = 10), got 10");
    assertThatThrownBy(() -> new TextChunker(10, -1)).hasMessageContaining("got -1");
  }

  /** From the rule and java.util.Random's documented recurrence, worked out in Python. */
  @Test
  void aSeedDrawsTheSameElementsForEver() {
    List<Integer> population = IntStream.range(0, 20).boxed().toList();

    assertThat(TextChunker.sample(population, 8, 42)).containsExactly(10, 0, 2, 15, 8, 3, 7, 1);
    assertThat(TextChunker.sample(population, 5, 42)).containsExactly(10, 0, 2, 15, 8);
  }

  @Property(tries = 200)
  void aSampleHasNoElementTwice(
      @ForAll @IntRange(min = 0, max = 50) int size,
      @ForAll long seed,
      @ForAll @IntRange(max = 50) int draw) {
    List<Integer> population = IntStream.range(0, size).boxed().toList();
    int count = Math.min(size, draw);

    List<Integer> sample = TextChunker.sample(population, count, seed);

    assertThat(sample).hasSize(count).doesNotHaveDuplicates().isSubsetOf(population);
    assertThat(TextChunker.sample(population, count, seed)).isEqualTo(sample);
  }

  @Test
  void everyElementIsDrawnEquallyOften() {
    List<Integer> population = IntStream.range(0, 10).boxed().toList();
    int[] drawn = new int[10];
    for (long seed = 0; seed < 10_000; seed++) {
      TextChunker.sample(population, 3, seed).forEach(i -> drawn[i]++);
    }
    // 3000 each, standard deviation 46.
    assertThat(Arrays.stream(drawn)).allMatch(count -> Math.abs(count - 3000) < 250);
  }

  @Test
  void moreThanThereIsCannotBeDrawn() {
    assertThatThrownBy(() -> TextChunker.sample(List.of("a"), 2, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("cannot draw 2 of 1 without replacement");
    assertThatThrownBy(() -> TextChunker.sample(List.of("a"), -1, 0))
        .hasMessage("cannot draw -1 of 1 without replacement");
  }
}
