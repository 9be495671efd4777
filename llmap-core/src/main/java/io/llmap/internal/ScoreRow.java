package io.llmap.internal;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonStreamContext;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One line of a score file: the fields of the published model-map data (shimo-lab/modelmap,
 * likelihood.py) and the ones that llmap adds.
 *
 * <p>{@code num-tokens} is the length of the model's input there, whose first token is never
 * scored, so it is one more than the number of scored tokens; the same holds for what is written
 * here.
 *
 * @param index the text's position
 * @param id the text's id; null in a file that llmap did not write
 * @param scoredTokens {@code num-tokens} − 1
 * @param bytes the text's UTF-8 length; −1 in a file that llmap did not write
 * @param truncated whether the text was cut
 * @param windows in how many windows the text was scored
 * @param logLikelihood may be NaN or infinite in a file that llmap did not write
 * @param tokenLogProbs null if there are none, or they were not asked for
 * @param tokenByteOffsets null if there are none, or they were not asked for
 * @param tokenSketches null if there are none, or they were not asked for
 */
public record ScoreRow(
    int index,
    @Nullable String id,
    int scoredTokens,
    int bytes,
    boolean truncated,
    int windows,
    double logLikelihood,
    double @Nullable [] tokenLogProbs,
    int @Nullable [] tokenByteOffsets,
    float @Nullable [] tokenSketches) {

  private static final JsonFactory JSON =
      JsonFactory.builder()
          // Python writes these; they are read to be refused with the name of the text.
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
          .build();

  /** A line that is not a row. */
  public static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1L;

    MalformedException(String message) {
      super(message);
    }
  }

  /**
   * Reads a row.
   *
   * @param buffer holds the line
   * @param start where the line starts
   * @param length its length in bytes
   * @param withTokens whether the per-token arrays are kept; without it their values are not parsed
   * @return the row
   * @throws MalformedException if the line is not one JSON object, a field has another type, or the
   *     index, the token count or the log-likelihood is missing
   */
  public static ScoreRow parse(byte[] buffer, int start, int length, boolean withTokens)
      throws MalformedException {
    try (JsonParser parser = JSON.createParser(buffer, start, length)) {
      return parse(parser, withTokens);
    } catch (JsonProcessingException e) {
      throw new MalformedException(e.getOriginalMessage());
    } catch (IOException e) {
      throw new MalformedException(String.valueOf(e.getMessage()));
    }
  }

  private static ScoreRow parse(JsonParser parser, boolean withTokens)
      throws IOException, MalformedException {
    int index = -1;
    String id = null;
    int tokens = -1;
    int bytes = -1;
    boolean truncated = false;
    int windows = 1;
    boolean scored = false;
    double logLikelihood = 0;
    int logProbs = -1;
    double[] tokenLogProbs = null;
    int[] tokenByteOffsets = null;
    float[] tokenSketches = null;
    expect(parser, parser.nextToken(), JsonToken.START_OBJECT, "an object");
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String field = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (field) {
        case "index" -> index = count(parser, value);
        case "num-tokens" -> tokens = count(parser, value);
        case "num-bytes" -> bytes = count(parser, value);
        case "log-likelihood" -> {
          logLikelihood = number(parser, value);
          scored = true;
        }
        case "id" -> {
          expect(parser, value, JsonToken.VALUE_STRING, "a string");
          id = parser.getText();
        }
        case "truncated" -> {
          if (!value.isBoolean()) {
            throw wrongType(parser, "true or false");
          }
          truncated = parser.getBooleanValue();
        }
        case "windows" -> windows = count(parser, value);
        case "token-log-probs" -> {
          expect(parser, value, JsonToken.START_ARRAY, "an array");
          if (withTokens) {
            tokenLogProbs = numbers(parser);
            logProbs = tokenLogProbs.length;
          } else {
            logProbs = skip(parser);
          }
        }
        case "token-byte-offsets" -> {
          expect(parser, value, JsonToken.START_ARRAY, "an array");
          if (withTokens) {
            tokenByteOffsets = counts(parser);
          } else {
            parser.skipChildren();
          }
        }
        case "token-sketches" -> {
          expect(parser, value, JsonToken.START_ARRAY, "an array");
          if (withTokens) {
            tokenSketches = floats(parser);
          } else {
            parser.skipChildren();
          }
        }
        default -> parser.skipChildren();
      }
    }
    if (parser.nextToken() != null) {
      throw new MalformedException("there is more than one value");
    }
    require(index >= 0, "index");
    require(tokens >= 0, "num-tokens");
    require(scored, "log-likelihood");
    if (windows < 1) {
      throw new MalformedException("windows is " + windows);
    }
    // One input of no token at all is possible: an empty text without special tokens.
    int scoredTokens = Math.max(0, tokens - 1);
    if (logProbs >= 0 && logProbs != scoredTokens) {
      throw new MalformedException(
          "num-tokens is "
              + tokens
              + ", so "
              + scoredTokens
              + " tokens are scored, but token-log-probs has "
              + logProbs);
    }
    if (tokenByteOffsets != null
        && (tokenLogProbs == null || tokenByteOffsets.length != tokenLogProbs.length)) {
      throw new MalformedException(
          "token-byte-offsets has "
              + tokenByteOffsets.length
              + " entries, token-log-probs "
              + Math.max(0, logProbs));
    }
    if (tokenSketches != null
        && (tokenLogProbs == null || tokenSketches.length != tokenLogProbs.length)) {
      throw new MalformedException(
          "token-sketches has "
              + tokenSketches.length
              + " entries, token-log-probs "
              + Math.max(0, logProbs));
    }
    return new ScoreRow(
        index,
        id,
        scoredTokens,
        bytes,
        truncated,
        windows,
        logLikelihood,
        tokenLogProbs,
        tokenByteOffsets,
        tokenSketches);
  }

  private static void expect(
      JsonParser parser, @Nullable JsonToken token, JsonToken wanted, String what)
      throws MalformedException {
    if (token != wanted) {
      throw wrongType(parser, what);
    }
  }

  private static MalformedException wrongType(JsonParser parser, String wanted) {
    return new MalformedException(place(parser) + " is not " + wanted);
  }

  /** The field that the parser is at, or in whose array or object it is. */
  private static String place(JsonParser parser) {
    JsonStreamContext context = parser.getParsingContext();
    while (context.getParent() != null && context.getCurrentName() == null) {
      context = context.getParent();
    }
    String field = context.getCurrentName();
    return field == null ? "the line" : "\"" + field + "\"";
  }

  private static void require(boolean present, String field) throws MalformedException {
    if (!present) {
      throw new MalformedException("there is no \"" + field + "\"");
    }
  }

  private static int count(JsonParser parser, JsonToken token)
      throws IOException, MalformedException {
    if (token != JsonToken.VALUE_NUMBER_INT) {
      throw wrongType(parser, "a whole number");
    }
    int value = parser.getIntValue();
    if (value < 0) {
      throw new MalformedException(place(parser) + " is " + value);
    }
    return value;
  }

  private static double number(JsonParser parser, JsonToken token)
      throws IOException, MalformedException {
    if (!token.isNumeric()) {
      throw wrongType(parser, "a number");
    }
    return parser.getDoubleValue();
  }

  private static double[] numbers(JsonParser parser) throws IOException, MalformedException {
    double[] values = new double[64];
    int n = 0;
    for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
      if (n == values.length) {
        values = Arrays.copyOf(values, 2 * n);
      }
      values[n++] = number(parser, t);
    }
    return Arrays.copyOf(values, n);
  }

  private static float[] floats(JsonParser parser) throws IOException, MalformedException {
    float[] values = new float[64];
    int n = 0;
    for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
      if (n == values.length) {
        values = Arrays.copyOf(values, 2 * n);
      }
      if (!t.isNumeric()) {
        throw wrongType(parser, "a number");
      }
      values[n++] = parser.getFloatValue();
    }
    return Arrays.copyOf(values, n);
  }

  private static int[] counts(JsonParser parser) throws IOException, MalformedException {
    int[] values = new int[64];
    int n = 0;
    for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
      if (n == values.length) {
        values = Arrays.copyOf(values, 2 * n);
      }
      values[n++] = count(parser, t);
    }
    return Arrays.copyOf(values, n);
  }

  private static int skip(JsonParser parser) throws IOException, MalformedException {
    int n = 0;
    for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
      if (!t.isNumeric()) {
        throw wrongType(parser, "an array of numbers");
      }
      n++;
    }
    return n;
  }

  /**
   * Writes the row and a newline. Numbers are written so that they are read back to the same bits.
   *
   * @param out where to
   */
  public void write(ByteArrayOutputStream out) {
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      json.writeNumberField("index", index);
      if (id != null) {
        json.writeStringField("id", id);
      }
      json.writeNumberField("num-tokens", scoredTokens + 1);
      if (bytes >= 0) {
        json.writeNumberField("num-bytes", bytes);
      }
      json.writeBooleanField("truncated", truncated);
      if (windows > 1) {
        json.writeNumberField("windows", windows);
      }
      json.writeNumberField("log-likelihood", logLikelihood);
      if (tokenLogProbs != null) {
        json.writeFieldName("token-log-probs");
        json.writeArray(tokenLogProbs, 0, tokenLogProbs.length);
      }
      if (tokenByteOffsets != null) {
        json.writeFieldName("token-byte-offsets");
        json.writeArray(tokenByteOffsets, 0, tokenByteOffsets.length);
      }
      if (tokenSketches != null) {
        json.writeArrayFieldStart("token-sketches");
        for (float sketch : tokenSketches) {
          json.writeNumber(sketch);
        }
        json.writeEndArray();
      }
      json.writeEndObject();
      json.writeRaw('\n');
    } catch (IOException e) {
      throw new AssertionError("a byte array takes everything", e);
    }
  }
}
