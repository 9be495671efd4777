package io.llmap.tokenizers;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonParser;
import io.llmap.testing.models.TinyModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TokenizerJsonTest {
  @TempDir Path folder;

  @Test
  void onlyTruncationPaddingAndTrimOffsetsChange() throws IOException {
    String json =
        """
        {"version":"1.0",
         "truncation":{"max_length":8,"strategy":"LongestFirst"},
         "padding":{"strategy":{"Fixed":16}},
         "added_tokens":[{"id":1,"content":"<s>","special":true},{"id":2,"content":"\\u2581x"}],
         "pre_tokenizer":{"type":"ByteLevel","trim_offsets":true},
         "post_processor":{"type":"Sequence","processors":[
           {"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true},
           {"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}}],"n":null}]},
         "decoder":null,
         "model":{"type":"Unigram","unk_id":0,"byte_fallback":false,
                  "vocab":[["<unk>",0.0],["<s>",-1.25e-3],["\\u2581x",-12.345678901234567]]}}
        """;
    String expected =
        json.replaceFirst("\"truncation\":\\{.*\\}", "\"truncation\":null")
            .replaceFirst("\"padding\":\\{.*\\}", "\"padding\":null")
            .replace(
                "\"add_prefix_space\":true,\"trim_offsets\":true",
                "\"add_prefix_space\":true,\"trim_offsets\":false");
    String actual = rewritten(json, Set.of());
    assertThat(JsonParser.parseString(actual)).isEqualTo(JsonParser.parseString(expected));
  }

  @ParameterizedTest
  @EnumSource
  void vocabularyAndMergesPassUnchanged(TinyModel family) throws IOException {
    Path file = family.folder().resolve("tokenizer.json");
    String copy =
        new String(
            TokenizerJson.read(file, Set.of()).stream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(JsonParser.parseString(copy).getAsJsonObject().get("model"))
        .isEqualTo(JsonParser.parseString(Files.readString(file)).getAsJsonObject().get("model"));
  }

  @Test
  void tokensAreFoundInEveryKindOfVocabulary() throws IOException {
    assertThat(ids("{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"<s>\":7}}}"))
        .isEqualTo(Map.of("<s>", 7));
    assertThat(ids("{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",-1.5],[\"<s>\",0]]}}"))
        .isEqualTo(Map.of("<s>", 1));
    assertThat(ids("{\"added_tokens\":[{\"content\":\"<s>\",\"id\":9}],\"model\":null}"))
        .isEqualTo(Map.of("<s>", 9));
  }

  @Test
  void anAddedTokenHidesOneOfTheModel() throws IOException {
    String added = "\"added_tokens\":[{\"id\":9,\"content\":\"<s>\"}]";
    String model = "\"model\":{\"vocab\":{\"<s>\":7}}";
    assertThat(ids("{" + added + "," + model + "}")).isEqualTo(Map.of("<s>", 9));
    assertThat(ids("{" + model + "," + added + "}")).isEqualTo(Map.of("<s>", 9));
  }

  @Test
  void theVocabularyEndsBehindItsLargestIdThatWasNotAdded() throws IOException {
    String added = "\"added_tokens\":[{\"id\":9,\"content\":\"<s>\"},{\"id\":3,\"content\":\"c\"}]";
    String model = "\"model\":{\"vocab\":{\"<s>\":9,\"a\":7,\"b\":2}}";
    assertThat(vocabularySize("{" + added + "," + model + "}")).isEqualTo(8);
    assertThat(vocabularySize("{" + model + "," + added + "}")).isEqualTo(8);
    assertThat(vocabularySize("{\"model\":{\"vocab\":[[\"a\",-1.5],[\"b\",0]]}}")).isEqualTo(2);
    assertThat(vocabularySize("{\"model\":null}")).isZero();
  }

  private int vocabularySize(String json) throws IOException {
    Path file = Files.writeString(folder.resolve("tokenizer.json"), json);
    return TokenizerJson.read(file, Set.of()).vocabularySize();
  }

  private Map<String, Integer> ids(String json) throws IOException {
    Path file = Files.writeString(folder.resolve("tokenizer.json"), json);
    return TokenizerJson.read(file, Set.of("<s>", "</s>")).ids();
  }

  private String rewritten(String json, Set<String> wanted) throws IOException {
    Path file = Files.writeString(folder.resolve("tokenizer.json"), json);
    return new String(
        TokenizerJson.read(file, wanted).stream().readAllBytes(), StandardCharsets.UTF_8);
  }
}
