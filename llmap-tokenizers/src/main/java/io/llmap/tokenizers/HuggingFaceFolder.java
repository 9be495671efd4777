package io.llmap.tokenizers;

import io.llmap.LlmapException.BackendUnavailableException;
import io.llmap.internal.OneLine;
import io.llmap.score.LogLikelihoodScorer;
import io.llmap.score.ModelSource;
import io.llmap.score.ScorerOptions;
import io.llmap.score.spi.BatchingScorer;
import io.llmap.score.spi.CausalLm;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * The folder with the Hugging Face files of a model, whatever its weights are stored in.
 *
 * @param path holds {@code tokenizer.json} and {@code config.json}
 */
public record HuggingFaceFolder(Path path) {
  private static final System.Logger LOG = System.getLogger(HuggingFaceFolder.class.getName());
  private static final int BUFFER_BYTES = 1 << 20;

  /**
   * Finds the folder that belongs to a model.
   *
   * @param named what a user named, the model or a folder that holds it
   * @param model the model's file
   * @return of the named folder, that of the model and the one above, the first with a tokenizer,
   *     else the first with a {@code config.json}, else the first
   */
  public static HuggingFaceFolder of(Path named, Path model) {
    List<Path> folders = new ArrayList<>();
    if (Files.isDirectory(named)) {
      folders.add(named);
    }
    folders.add(parent(model));
    folders.add(parent(parent(model)));
    return new HuggingFaceFolder(
        Stream.of("tokenizer.json", "config.json")
            .flatMap(name -> folders.stream().filter(f -> Files.isRegularFile(f.resolve(name))))
            .findFirst()
            .orElse(folders.get(0)));
  }

  private static Path parent(Path path) {
    Path parent = path.getParent();
    return parent == null ? path : parent;
  }

  /**
   * Reads {@code config.json}.
   *
   * @return what it says; empty without the file
   * @throws BackendUnavailableException as {@link ModelConfig#read}
   */
  public ModelConfig config() {
    return ModelConfig.read(path);
  }

  /**
   * Names the model by its content: SHA-256 over name, length and content of every file that can
   * change a score, its weights and what decides the token ids. Streamed; the cost is reading the
   * files.
   *
   * @param weights the model's own files, in a fixed order
   * @return hexadecimal
   * @throws BackendUnavailableException if a file cannot be read
   */
  public String fingerprint(List<Path> weights) {
    List<Path> files = new ArrayList<>(weights);
    files.addAll(HuggingFaceTokenizer.files(path));
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] buffer = new byte[BUFFER_BYTES];
      for (Path file : files) {
        update(digest, file, buffer);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw unreadable(weights.get(0), e);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }

  private static void update(MessageDigest digest, Path file, byte[] buffer) throws IOException {
    digest.update(String.valueOf(file.getFileName()).getBytes(StandardCharsets.UTF_8));
    digest.update((byte) 0);
    digest.update(ByteBuffer.allocate(Long.BYTES).putLong(Files.size(file)).flip());
    try (InputStream in = Files.newInputStream(file)) {
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        digest.update(buffer, 0, n);
      }
    }
  }

  /**
   * The error for a model whose files cannot be read.
   *
   * @param model the model's file
   * @param e why
   * @return an error of one line
   */
  public static BackendUnavailableException unreadable(Path model, IOException e) {
    return new BackendUnavailableException(
        "the model %s cannot be read: %s"
            .formatted(
                model, e instanceof FileSystemException ? OneLine.of(e.toString()) : OneLine.of(e)),
        e);
  }

  /**
   * Puts a scorer together from the tokenizer in this folder and a model. What {@linkplain
   * HuggingFaceTokenizer#warnings speaks against} the tokenizer under the prefix policy is logged.
   *
   * @param source the model's identity
   * @param options how texts are scored
   * @param opening opens the model; called after the tokenizer was opened
   * @return a scorer that frees the model and the tokenizer when it is closed
   * @throws BackendUnavailableException if the tokenizer cannot be opened, or its own vocabulary is
   *     larger than the model's; the model is then closed
   */
  public LogLikelihoodScorer scorer(
      ModelSource source, ScorerOptions options, Supplier<? extends CausalLm> opening) {
    HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.open(path);
    try {
      CausalLm model = opening.get();
      try {
        if (tokenizer.vocabularySize() > model.vocabularySize()) {
          throw new BackendUnavailableException(
              ("the tokenizer in %s has %d tokens, and the model %s gives logits for %d; do they"
                      + " belong together?")
                  .formatted(
                      path, tokenizer.vocabularySize(), source.location(), model.vocabularySize()));
        }
        for (String warning : tokenizer.warnings(options.prefix())) {
          LOG.log(System.Logger.Level.WARNING, "model {0}: {1}", source.name(), warning);
        }
        return new BatchingScorer(source, tokenizer, model, options);
      } catch (RuntimeException e) {
        model.close();
        throw e;
      }
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }
}
