package io.llmap.tokenizers;

import ai.djl.huggingface.tokenizers.jni.CharSpan;
import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.internal.DjlOffline;
import io.llmap.score.PrefixPolicy;
import io.llmap.score.spi.Encoding;
import io.llmap.score.spi.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * The tokenizer of a Hugging Face model folder, run by Hugging Face's own Rust library.
 *
 * <p><b>What counts.</b> {@code tokenizer.json} alone decides the ids, and which special tokens
 * {@link #encodeWithSpecialTokens} adds; truncation and padding stored in it are ignored. Overrides
 * that the transformers library reads from {@code tokenizer_config.json} ({@code add_bos_token},
 * {@code add_prefix_space}) are not applied, as that library applies some of them in some of its
 * versions and classes: saving the tokenizer with transformers writes them into {@code
 * tokenizer.json}. {@link #warnings} names contradictions that matter.
 *
 * <p><b>Special tokens in a text.</b> Where a text holds the name of a special token, such as
 * {@code <s>}, that becomes the special token's one id, as in the transformers library.
 *
 * <p><b>BOS and EOS</b> come from the first of these files that mentions them: {@code config.json},
 * {@code generation_config.json} ({@code bos_token_id}, {@code eos_token_id}: an id, or a list
 * whose first element counts), {@code tokenizer_config.json}, {@code special_tokens_map.json}
 * ({@code bos_token}, {@code eos_token}: a string, or an object with a {@code content}). The
 * model's files come first because the question is what the model saw at the start of a document. A
 * null, an empty list or text, or a negative id there means that the model has no such token, and
 * ends the search.
 *
 * <p><b>Byte offsets</b> point into the text as it was given, also where the tokenizer normalizes
 * it: a token starts at the first byte of the first character that went into it. Tokens that are
 * parts of one character share its first byte. A special token that is added in front starts at 0,
 * one that is added behind starts at the text's length. A space belongs to the token that encodes
 * it, whatever {@code trim_offsets} says.
 *
 * <p><b>Files and network.</b> The first use in a process loads a native library, which DJL
 * extracts from its jar into {@code ~/.djl.ai/tokenizers}, or below {@code DJL_CACHE_DIR} or {@code
 * ENGINE_CACHE_DIR} (environment variables or system properties); it stays there for the next
 * process. DJL's offline mode (system property {@code ai.djl.offline}) is switched on before the
 * first use and left on, so that DJL neither reports the use nor looks for another build of the
 * library.
 *
 * <p>Encoding is safe for use by many threads; closing must not overlap with it. The native memory
 * is freed by {@link #close}. Cost: linear in the text.
 */
public final class HuggingFaceTokenizer implements Tokenizer {
  private static final String TOKENIZER_JSON = "tokenizer.json";

  private final ai.djl.huggingface.tokenizers.HuggingFaceTokenizer tokenizer;
  private final OptionalInt bosId;
  private final OptionalInt eosId;
  private final int vocabularySize;
  private final Path folder;
  private final SpecialTokens special;
  private final Optional<String> missingTokens;

  private HuggingFaceTokenizer(
      ai.djl.huggingface.tokenizers.HuggingFaceTokenizer tokenizer,
      OptionalInt bosId,
      OptionalInt eosId,
      int vocabularySize,
      Path folder,
      SpecialTokens special,
      Optional<String> missingTokens) {
    this.tokenizer = tokenizer;
    this.bosId = bosId;
    this.eosId = eosId;
    this.vocabularySize = vocabularySize;
    this.folder = folder;
    this.special = special;
    this.missingTokens = missingTokens;
  }

  /**
   * Opens the tokenizer of a model folder.
   *
   * @param folder holds {@code tokenizer.json}, and the files that name BOS and EOS
   * @return the tokenizer, to be closed by the caller
   * @throws BackendUnavailableException if {@code tokenizer.json} is missing, a file is corrupt, a
   *     named special token is not in the vocabulary, or the native library cannot be loaded
   */
  public static HuggingFaceTokenizer open(Path folder) {
    Path file = folder.resolve(TOKENIZER_JSON);
    if (!Files.isRegularFile(file)) {
      throw new BackendUnavailableException(missing(folder, file));
    }
    SpecialTokens special = new SpecialTokens(folder);
    TokenizerJson json = TokenizerJson.read(file, special.texts());
    OptionalInt bosId = special.id("bos", json.ids());
    OptionalInt eosId = special.id("eos", json.ids());
    DjlOffline.enforce();
    return new HuggingFaceTokenizer(
        load(file, json),
        bosId,
        eosId,
        json.vocabularySize(),
        folder,
        special,
        special.missing(json.ids().keySet()));
  }

  /**
   * The files that {@link #open} reads: all that can change an id.
   *
   * @param folder a model folder
   * @return those that are there, in a fixed order
   */
  public static List<Path> files(Path folder) {
    return Stream.concat(Stream.of(TOKENIZER_JSON), SpecialTokens.files().stream())
        .map(folder::resolve)
        .filter(Files::isRegularFile)
        .toList();
  }

  @Override
  public Encoding encode(String text) {
    return encode(text, false);
  }

  @Override
  public Encoding encodeWithSpecialTokens(String text) {
    return encode(text, true);
  }

  @Override
  public OptionalInt bosId() {
    return bosId;
  }

  @Override
  public OptionalInt eosId() {
    return eosId;
  }

  /**
   * How many tokens ordinary text can give: one more than the largest id of the tokenizer's own
   * vocabulary. Tokens that were added to that vocabulary are left out: they occur where a text
   * holds their names, and often have ids that the model has no place for.
   *
   * @return at most the model's vocabulary, if the two belong together
   */
  public int vocabularySize() {
    return vocabularySize;
  }

  /**
   * What speaks against scoring with this tokenizer under a prefix policy, for a person to read:
   *
   * <ul>
   *   <li>the model expects BOS and the policy does not give it. It does so when {@code
   *       tokenizer.json} adds one, when {@code tokenizer_config.json} has {@code add_bos_token}
   *       true, and when it is of the Gemma family;
   *   <li>under {@link PrefixPolicy#TOKENIZER}, {@code add_bos_token} contradicts {@code
   *       tokenizer.json};
   *   <li>{@code added_tokens.json} or {@code tokenizer_config.json} names tokens that {@code
   *       tokenizer.json} lacks.
   * </ul>
   *
   * @param policy what stands before a text
   * @return a sentence each, without line breaks; empty when all is well
   */
  public List<String> warnings(PrefixPolicy policy) {
    int[] with = encodeWithSpecialTokens("a").ids();
    int[] without = encode("a").ids();
    boolean adds = with.length > without.length && (without.length == 0 || with[0] != without[0]);
    PrefixCheck check = new PrefixCheck(folder, adds, special.addBosToken(), special.modelType());
    return Stream.of(check.warning(policy), missingTokens).flatMap(Optional::stream).toList();
  }

  /** Frees the native tokenizer; a second call does nothing. */
  @Override
  public void close() {
    tokenizer.close();
  }

  private Encoding encode(String text, boolean addSpecialTokens) {
    ai.djl.huggingface.tokenizers.Encoding encoding =
        tokenizer.encode(text, addSpecialTokens, false);
    long[] ids = encoding.getIds();
    long[] added = encoding.getSpecialTokenMask();
    CharSpan[] spans = encoding.getCharTokenSpans();
    int[] firstBytes = firstBytes(text);
    int[] tokenIds = new int[ids.length];
    int[] byteOffsets = new int[ids.length];
    int behind = 0;
    int last = 0;
    for (int t = 0; t < ids.length; t++) {
      tokenIds[t] = Math.toIntExact(ids[t]);
      if (added[t] == 1) {
        byteOffsets[t] = behind;
      } else {
        // Where a normalizer reorders combining marks, a span can start before its predecessor's.
        last = Math.max(last, firstBytes[spans[t].getStart()]);
        byteOffsets[t] = last;
        behind = firstBytes[firstBytes.length - 1];
      }
    }
    return new Encoding(tokenIds, byteOffsets);
  }

  /** The UTF-8 byte at which each code point starts, and the length: spans count code points. */
  private static int[] firstBytes(String text) {
    int[] firstBytes = new int[text.codePointCount(0, text.length()) + 1];
    int n = 0;
    for (int i = 0; i < text.length(); n++) {
      int codePoint = text.codePointAt(i);
      int bytes = codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
      firstBytes[n + 1] = firstBytes[n] + bytes;
      i += Character.charCount(codePoint);
    }
    return firstBytes;
  }

  private static ai.djl.huggingface.tokenizers.HuggingFaceTokenizer load(
      Path file, TokenizerJson json) {
    // Without these DJL cuts at 512 tokens and pads, whatever the file says.
    Map<String, String> options = Map.of("truncation", "false", "padding", "false");
    try (InputStream in = json.stream()) {
      return ai.djl.huggingface.tokenizers.HuggingFaceTokenizer.newInstance(in, options);
    } catch (LinkageError e) {
      throw new BackendUnavailableException(
          "the native tokenizer library cannot be loaded: " + JsonFile.oneLine(e.toString()), e);
    } catch (IOException | RuntimeException e) {
      throw new BackendUnavailableException(
          "%s is not a tokenizer: %s"
              .formatted(file, JsonFile.oneLine(String.valueOf(e.getMessage()))),
          e);
    }
  }

  private static String missing(Path folder, Path file) {
    if (!Files.isDirectory(folder)) {
      return "there is no tokenizer at " + file + ": " + folder + " is not a folder";
    }
    for (OtherTokenizer other : OtherTokenizer.values()) {
      Optional<String> found = other.in(folder);
      if (found.isPresent()) {
        return "there is no tokenizer at %s, but %s beside it; %s"
            .formatted(file, found.get(), other.remedy());
      }
    }
    return "there is no tokenizer at "
        + file
        + "; it comes with the model, put it beside config.json";
  }
}
