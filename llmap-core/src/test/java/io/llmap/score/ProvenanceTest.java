package io.llmap.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llmap.LlmapException;
import io.llmap.LlmapException.CorruptStoreException;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProvenanceTest {
  private static final Provenance RUN =
      provenance("m", "here", "f", "b", "t", 3, Map.of("prefix", "none", "x", "1"), Map.of());

  @TempDir Path folder;

  private static Provenance provenance(
      String name,
      String location,
      String fingerprint,
      String backend,
      String texts,
      int size,
      Map<String, String> options,
      Map<String, String> versions) {
    return new Provenance(
        new ModelSource(name, location, fingerprint, backend), texts, size, options, versions);
  }

  static List<String> oddNames() {
    return List.of(
        "..",
        ".hidden",
        "trailing ",
        " leading",
        "a/b\\c",
        "\"quoted\" 'q'",
        "日本語 é 😀",
        "CON",
        "a:b*c?<>|",
        "%41",
        "~",
        "x".repeat(3000),
        "é".repeat(3000),
        "a\u2028");
  }

  @ParameterizedTest
  @MethodSource("oddNames")
  void whatWasWrittenIsReadBack(String name) {
    Provenance run =
        provenance(
            name,
            name + "\n\t",
            name,
            name,
            name + "t",
            3,
            Map.of(name, "", "p", name),
            Map.of(name, "1"));
    Path file = folder.resolve("provenance.json");
    run.write(file);
    assertThat(Provenance.read(file)).isEqualTo(run);
  }

  @ParameterizedTest
  @MethodSource("oddNames")
  void storeTakesEveryName(String name) throws IOException {
    FakeScorer scorer = new FakeScorer(name);
    ScoreStore store = ScoreStore.at(folder.resolve("store"));
    assertThat(store.score(scorer, FakeScorer.texts(2), FakeScorer.OPTIONS, (n, s) -> {}))
        .isEqualTo(2);
    assertThat(store.matrix(FakeScorer.texts(2)).names()).containsExactly(name);
    try (var outside = Files.list(folder);
        var inside = Files.list(folder.resolve("store"))) {
      assertThat(outside).hasSize(1);
      assertThat(inside).hasSize(1);
    }
  }

  @Test
  void fileHasAFixedOrderOfFields() {
    assertThat(
            provenance("m", "l", "f", "b", "t", 3, Map.of("y", "2", "x", "1"), Map.of("java", "17"))
                .toJson())
        .isEqualTo(
            """
            {
              "model": {
                "name": "m",
                "location": "l",
                "fingerprint": "f",
                "backend": "b"
              },
              "text-set": {
                "fingerprint": "t",
                "texts": 3
              },
              "options": {
                "x": "1",
                "y": "2"
              },
              "versions": {
                "java": "17"
              }
            }""");
  }

  @Test
  void keyIsTheHashThatItsDocumentationDefines() throws IOException, NoSuchAlgorithmException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream data = new DataOutputStream(bytes);
    for (String part : List.of("é", "t", "a", "1", "b", "")) {
      data.writeInt(part.getBytes(StandardCharsets.UTF_8).length);
      data.write(part.getBytes(StandardCharsets.UTF_8));
    }
    String sha =
        HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.toByteArray()));
    assertThat(provenance("m", "l", "é", "x", "t", 1, Map.of("b", "", "a", "1"), Map.of()).key())
        .isEqualTo(sha.substring(0, 16));
  }

  @Test
  void keyIgnoresNameLocationBackendCountAndVersions() {
    assertThat(
            provenance(
                    "M",
                    "there",
                    "f",
                    "B",
                    "t",
                    9,
                    Map.of("prefix", "none", "x", "1"),
                    Map.of("v", "2"))
                .key())
        .isEqualTo(RUN.key());
  }

  @Test
  void keyChangesWithFingerprintTextsAndEveryOption() {
    Map<String, String> options = RUN.options();
    Set<String> keys = new HashSet<>();
    for (Provenance run :
        List.of(
            RUN,
            provenance("m", "here", "F", "b", "t", 3, options, Map.of()),
            provenance("m", "here", "f", "b", "T", 3, options, Map.of()),
            provenance("m", "here", "ft", "b", "x", 3, options, Map.of()),
            provenance("m", "here", "f", "b", "t", 3, Map.of(), Map.of()),
            provenance("m", "here", "f", "b", "t", 3, Map.of("prefix", "none"), Map.of()),
            provenance(
                "m", "here", "f", "b", "t", 3, Map.of("prefix", "nonex", "x", "1"), Map.of()),
            provenance(
                "m", "here", "f", "b", "t", 3, Map.of("prefi", "xnone", "x", "1"), Map.of()))) {
      assertThat(run.key()).matches("[0-9a-f]{16}");
      keys.add(run.key());
    }
    assertThat(keys).hasSize(8);
  }

  @Test
  void provenanceNeedsTexts() {
    assertThatThrownBy(() -> provenance("m", "l", "f", "b", " ", 3, Map.of(), Map.of()))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> provenance("m", "l", "f", "b", "t", 0, Map.of(), Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"t\" and 0 texts");
  }

  @Test
  void missingFileIsAnErrorOfTheFileSystem() {
    Path file = folder.resolve("no.json");
    assertThatThrownBy(() -> Provenance.read(file))
        .isExactlyInstanceOf(LlmapException.class)
        .hasMessage("cannot read %s: there is no %s", file, file);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\n",
        "[]",
        "{}",
        "{\"model\": {\"name\": \"m\"",
        "{\"model\": 3}",
        "not json",
        "\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000",
        "{\"model\":{\"name\":\"\"},\"text-set\":{},\"options\":{},\"versions\":{}}"
      })
  void fileThatIsNoProvenanceIsCorrupt(String content) throws IOException {
    Path file = Files.writeString(folder.resolve("provenance.json"), content);
    assertThatThrownBy(() -> Provenance.read(file))
        .isInstanceOf(CorruptStoreException.class)
        .hasMessageContaining(file + " is not ");
  }

  @Test
  void everyPartIsNeeded() throws IOException {
    Path file = folder.resolve("provenance.json");
    for (String part :
        List.of("name", "location", "fingerprint", "backend", "texts", "options", "versions")) {
      Files.writeString(file, RUN.toJson().replace("\"" + part + "\"", "\"other\""));
      assertThatThrownBy(() -> Provenance.read(file))
          .isInstanceOf(CorruptStoreException.class)
          .hasMessageContaining("\"" + part + "\"");
    }
    Files.writeString(file, RUN.toJson().replace("\"texts\": 3", "\"texts\": \"three\""));
    assertThatThrownBy(() -> Provenance.read(file)).isInstanceOf(CorruptStoreException.class);
  }

  @Test
  void everyCutOfAFileIsCorrupt() throws IOException {
    byte[] whole = RUN.toJson().getBytes(StandardCharsets.UTF_8);
    Path file = folder.resolve("provenance.json");
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, java.util.Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> Provenance.read(file))
          .as("%d bytes", length)
          .isInstanceOf(CorruptStoreException.class);
    }
  }
}
