package io.llmap.score;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class FolderNameTest {
  @Test
  void plainNameIsItself() {
    assertThat(FolderName.of("pythia-70m_v1.2")).isEqualTo("pythia-70m_v1.2");
  }

  @Test
  void whatAFileSystemCouldTakeAmissIsEscaped() {
    assertThat(FolderName.of("..")).isEqualTo("%2E%2E");
    assertThat(FolderName.of(".git")).isEqualTo("%2Egit");
    assertThat(FolderName.of("a.")).isEqualTo("a%2E");
    assertThat(FolderName.of("a ")).isEqualTo("a%20");
    assertThat(FolderName.of("a/b\\c:d*\"~")).isEqualTo("a%2Fb%5Cc%3Ad%2A%22%7E");
    assertThat(FolderName.of("é")).isEqualTo("%C3%A9");
  }

  @Test
  void longNamesWithOneBeginningDiffer() {
    String a = FolderName.of("é".repeat(500) + "a");
    String b = FolderName.of("é".repeat(500) + "b");
    assertThat(a).hasSize(177).isNotEqualTo(b);
    assertThat(b).hasSize(177);
    assertThat(FolderName.of("x".repeat(160))).isEqualTo("x".repeat(160));
    assertThat(FolderName.of("x".repeat(161))).hasSize(177);
  }

  @Provide
  Arbitrary<String> closeNames() {
    return Arbitraries.strings().withChars("aAeE.%~2é/ ").ofMinLength(1).ofMaxLength(5);
  }

  @Property(tries = 5000)
  void differentNamesHaveDifferentFolders(
      @ForAll("closeNames") String a, @ForAll("closeNames") String b) {
    String folderA = FolderName.of(a);
    String folderB = FolderName.of(b);
    assertThat(folderA.equals(folderB)).isEqualTo(a.equals(b));
  }

  @Property
  void folderIsOnePlainPathElementForEveryName(@ForAll String name) {
    assertThat(FolderName.of("a" + name)).matches("a[a-zA-Z0-9_.%~-]*").doesNotEndWith(".");
    assertThat(FolderName.of(name + "a")).doesNotStartWith(".").hasSizeLessThan(200);
  }
}
