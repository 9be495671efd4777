package io.llmap.tokenizers;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.llmap.LlmapException.BackendUnavailableException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A {@code tokenizer.json}, changed where it would falsify scores, the ids of some of its tokens,
 * and how many there are.
 *
 * <p>Three settings are switched off. Truncation and padding change the text that is scored. {@code
 * trim_offsets} moves the start of " word" behind its space, so that the token no longer starts
 * where the one before it ends; it has no influence on ids.
 */
final class TokenizerJson {
  private final byte[] json;
  private final Map<String, Integer> ids;
  private final int vocabularySize;

  private TokenizerJson(byte[] json, Map<String, Integer> ids, int vocabularySize) {
    this.json = json;
    this.ids = ids;
    this.vocabularySize = vocabularySize;
  }

  /**
   * Reads the file in one pass.
   *
   * @param path the file
   * @param wanted tokens to look up
   */
  static TokenizerJson read(Path path, Set<String> wanted) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Vocabulary vocabulary = new Vocabulary(wanted);
    try (JsonParser in = JsonFile.FACTORY.createParser(path.toFile());
        JsonGenerator copy = JsonFile.FACTORY.createGenerator(out)) {
      if (in.nextToken() != JsonToken.START_OBJECT) {
        throw new BackendUnavailableException(path + " is not a JSON object");
      }
      copy.writeStartObject();
      while (in.nextToken() != JsonToken.END_OBJECT) {
        String section = in.currentName();
        copy.writeFieldName(section);
        in.nextToken();
        switch (section) {
          case "truncation", "padding" -> {
            in.skipChildren();
            copy.writeNull();
          }
          case "post_processor" -> copyUntrimmed(in, copy);
          case "added_tokens" -> copyAddedTokens(in, copy, vocabulary);
          case "model" -> copyModel(in, copy, vocabulary);
          default -> copy.copyCurrentStructure(in);
        }
      }
      copy.writeEndObject();
    } catch (IOException e) {
      throw JsonFile.unreadable(path, e);
    }
    return new TokenizerJson(out.toByteArray(), vocabulary.ids, vocabulary.size());
  }

  InputStream stream() {
    return new ByteArrayInputStream(json);
  }

  /** The ids of the wanted tokens that the tokenizer has. */
  Map<String, Integer> ids() {
    return ids;
  }

  /**
   * One more than the largest id of the model's own vocabulary; tokens added to it are left out.
   */
  int vocabularySize() {
    return vocabularySize;
  }

  private static void copyUntrimmed(JsonParser in, JsonGenerator copy) throws IOException {
    int depth = 0;
    do {
      JsonToken token = in.currentToken();
      if (token.isStructStart()) {
        depth++;
      } else if (token.isStructEnd()) {
        depth--;
      }
      if (token == JsonToken.VALUE_TRUE && "trim_offsets".equals(in.currentName())) {
        copy.writeBoolean(false);
      } else {
        copy.copyCurrentEvent(in);
      }
    } while (depth > 0 && in.nextToken() != null);
  }

  private static void copyAddedTokens(JsonParser in, JsonGenerator copy, Vocabulary vocabulary)
      throws IOException {
    if (in.currentToken() != JsonToken.START_ARRAY) {
      copy.copyCurrentStructure(in);
      return;
    }
    copy.writeStartArray();
    while (in.nextToken() == JsonToken.START_OBJECT) {
      String content = "";
      int id = -1;
      copy.writeStartObject();
      while (in.nextToken() != JsonToken.END_OBJECT) {
        String name = in.currentName();
        copy.writeFieldName(name);
        in.nextToken();
        if (name.equals("content") && in.currentToken() == JsonToken.VALUE_STRING) {
          content = in.getText();
        } else if (name.equals("id") && in.currentToken() == JsonToken.VALUE_NUMBER_INT) {
          id = in.getIntValue();
        }
        copy.copyCurrentStructure(in);
      }
      copy.writeEndObject();
      if (id >= 0) {
        vocabulary.added(content, id);
      }
    }
    copy.writeEndArray();
  }

  private static void copyModel(JsonParser in, JsonGenerator copy, Vocabulary vocabulary)
      throws IOException {
    if (in.currentToken() != JsonToken.START_OBJECT) {
      copy.copyCurrentStructure(in);
      return;
    }
    copy.writeStartObject();
    while (in.nextToken() != JsonToken.END_OBJECT) {
      String name = in.currentName();
      copy.writeFieldName(name);
      JsonToken value = in.nextToken();
      if (name.equals("vocab") && value == JsonToken.START_OBJECT) {
        copyTokenToId(in, copy, vocabulary);
      } else if (name.equals("vocab") && value == JsonToken.START_ARRAY) {
        copyTokensWithScores(in, copy, vocabulary);
      } else {
        copy.copyCurrentStructure(in);
      }
    }
    copy.writeEndObject();
  }

  /** The vocabulary of BPE, WordPiece and WordLevel: {"token": id}. */
  private static void copyTokenToId(JsonParser in, JsonGenerator copy, Vocabulary vocabulary)
      throws IOException {
    copy.writeStartObject();
    while (in.nextToken() != JsonToken.END_OBJECT) {
      String token = in.currentName();
      copy.writeFieldName(token);
      if (in.nextToken() == JsonToken.VALUE_NUMBER_INT) {
        vocabulary.ofModel(token, in.getIntValue());
      }
      copy.copyCurrentStructure(in);
    }
    copy.writeEndObject();
  }

  /** The vocabulary of Unigram: [["token", score], ...], the id is the position. */
  private static void copyTokensWithScores(JsonParser in, JsonGenerator copy, Vocabulary vocabulary)
      throws IOException {
    copy.writeStartArray();
    for (int id = 0; in.nextToken() == JsonToken.START_ARRAY; id++) {
      copy.writeStartArray();
      while (in.nextToken() != JsonToken.END_ARRAY) {
        if (in.currentToken() == JsonToken.VALUE_STRING) {
          vocabulary.ofModel(in.getText(), id);
        }
        copy.copyCurrentStructure(in);
      }
      copy.writeEndArray();
    }
    copy.writeEndArray();
  }

  /** What is remembered of the tokens. */
  private static final class Vocabulary {
    private final Set<String> wanted;
    private final Map<String, Integer> ids = new HashMap<>();
    private final Set<Integer> addedIds = new HashSet<>();
    private final IntStream.Builder modelIds = IntStream.builder();

    Vocabulary(Set<String> wanted) {
      this.wanted = wanted;
    }

    void ofModel(String token, int id) {
      modelIds.add(id);
      if (wanted.contains(token)) {
        ids.putIfAbsent(token, id);
      }
    }

    /** An added token hides a token of the same text in the model's vocabulary. */
    void added(String token, int id) {
      addedIds.add(id);
      if (wanted.contains(token)) {
        ids.put(token, id);
      }
    }

    int size() {
      return modelIds.build().filter(id -> !addedIds.contains(id)).max().orElse(-1) + 1;
    }
  }
}
