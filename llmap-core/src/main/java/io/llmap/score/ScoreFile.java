package io.llmap.score;

import io.llmap.LlmapException.CorruptStoreException;
import io.llmap.internal.FileErrors;
import io.llmap.internal.LineReader;
import io.llmap.internal.ScoreRow;
import io.llmap.internal.ScoreRow.MalformedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Reads the rows of one run from its file, one line at a time. */
final class ScoreFile {
  private final Path path;
  private final String model;
  private final int texts;

  /**
   * A file.
   *
   * @param path need not exist: a run without rows
   * @param model for errors
   * @param texts N; an index is less
   */
  ScoreFile(Path path, String model, int texts) {
    this.path = path;
    this.model = model;
    this.texts = texts;
  }

  /**
   * Reads every row once. A last line that was torn by a crash, one without its newline or not a
   * row, is left out; so is a row that repeats an earlier one with the same value.
   *
   * @param withTokens whether per-token values are parsed
   * @param check throws IllegalArgumentException if the row does not belong to its text
   * @param sink takes the rows
   * @return how many bytes at the start of the file are whole rows
   * @throws CorruptStoreException if anything else is wrong
   */
  long read(boolean withTokens, Consumer<ScoreRow> check, Consumer<ScoreRow> sink) {
    double[] values = new double[texts];
    BitSet seen = new BitSet(texts);
    long good = 0;
    String malformed = null;
    try (LineReader lines = new LineReader(Files.newInputStream(path))) {
      while (lines.next()) {
        if (malformed != null) {
          throw corrupt(lines.number() - 1, malformed);
        }
        if (!lines.terminated()) {
          break;
        }
        ScoreRow row = null;
        try {
          row = ScoreRow.parse(lines.buffer(), lines.start(), lines.length(), withTokens);
        } catch (MalformedException e) {
          malformed = "not a row of scores (" + e.getMessage() + "): " + lines.quote();
        }
        if (row != null) {
          String problem = problem(row, check, seen, values);
          if (problem != null) {
            throw corrupt(lines.number(), problem);
          }
          if (!seen.get(row.index())) {
            seen.set(row.index());
            values[row.index()] = row.logLikelihood();
            sink.accept(row);
          }
          good = lines.offset() + lines.length() + 1;
        }
      }
    } catch (NoSuchFileException e) {
      return 0;
    } catch (IOException e) {
      throw FileErrors.cannot("read", path, e);
    }
    return good;
  }

  private @Nullable String problem(
      ScoreRow row, Consumer<ScoreRow> check, BitSet seen, double[] values) {
    int n = row.index();
    if (n >= texts) {
      return "index " + n + ", but the text set has " + texts + " texts";
    }
    if (!Double.isFinite(row.logLikelihood())) {
      return "the log-likelihood of text %d under model \"%s\" is %s"
          .formatted(n, model, row.logLikelihood());
    }
    double[] logProbs = row.tokenLogProbs();
    if (logProbs != null && !Arrays.stream(logProbs).allMatch(Double::isFinite)) {
      return "a token-log-prob of text %d under model \"%s\" is not finite".formatted(n, model);
    }
    float[] sketches = row.tokenSketches();
    for (int t = 0; sketches != null && t < sketches.length; t++) {
      if (!Float.isFinite(sketches[t])) {
        return "a token-sketch of text %d under model \"%s\" is not finite".formatted(n, model);
      }
    }
    if (seen.get(n)
        && Double.doubleToLongBits(values[n]) != Double.doubleToLongBits(row.logLikelihood())) {
      return "text %d has the log-likelihood %s here, but %s in an earlier line"
          .formatted(n, row.logLikelihood(), values[n]);
    }
    try {
      check.accept(row);
    } catch (IllegalArgumentException e) {
      return e.getMessage();
    }
    return null;
  }

  private CorruptStoreException corrupt(long line, String problem) {
    return new CorruptStoreException(path + ", line " + line + ": " + problem);
  }
}
