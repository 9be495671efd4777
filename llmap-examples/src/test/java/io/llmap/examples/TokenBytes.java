package io.llmap.examples;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The bytes that each token of a byte-level BPE tokenizer stands for. */
final class TokenBytes {
  private final byte[][] bytes;

  private TokenBytes(byte[][] bytes) {
    this.bytes = bytes;
  }

  /** Reads the vocabulary of a model folder; special tokens stand for no bytes. */
  static TokenBytes of(Path folder) {
    try {
      JsonNode json = new ObjectMapper().readTree(folder.resolve("tokenizer.json").toFile());
      JsonNode vocabulary = json.get("model").get("vocab");
      Map<Character, Byte> alphabet = alphabet();
      byte[][] bytes = new byte[vocabulary.size()][];
      vocabulary
          .properties()
          .forEach(
              entry -> {
                String token = entry.getKey();
                byte[] own = new byte[token.length()];
                for (int c = 0; c < own.length; c++) {
                  Byte b = alphabet.get(token.charAt(c));
                  if (b == null) {
                    throw new IllegalArgumentException("not byte-level: " + token);
                  }
                  own[c] = b;
                }
                bytes[entry.getValue().asInt()] = own;
              });
      json.get("added_tokens").forEach(token -> bytes[token.get("id").asInt()] = new byte[0]);
      return new TokenBytes(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** GPT-2's: printable Latin-1 characters are themselves, other bytes follow from U+0100 on. */
  private static Map<Character, Byte> alphabet() {
    Map<Character, Byte> alphabet = new HashMap<>();
    char next = 0x100;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b > 0x20 && b < 0x7f) || (b > 0xa0 && b != 0xad);
      alphabet.put(printable ? (char) b : next++, (byte) b);
    }
    return alphabet;
  }

  int vocabulary() {
    return bytes.length;
  }

  byte[] get(int token) {
    return bytes[token];
  }

  boolean startsWithWhiteSpace(int token) {
    return bytes[token].length > 0 && isWhiteSpace(bytes[token][0]);
  }

  static boolean isWhiteSpace(byte b) {
    return b == ' ' || b == '\n' || b == '\t' || b == '\r';
  }
}
