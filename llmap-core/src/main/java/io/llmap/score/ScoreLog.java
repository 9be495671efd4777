package io.llmap.score;

import io.llmap.LlmapException;
import io.llmap.LlmapException.CorruptStoreException;
import io.llmap.LlmapException.ScoringException;
import io.llmap.internal.AtomicFile;
import io.llmap.internal.FileErrors;
import io.llmap.internal.ScoreRow;
import io.llmap.text.Text;
import io.llmap.text.TextSet;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.BitSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one run, a model on a text set under one set of options: appended, never changed.
 *
 * <p>A row counts as done when it is on the disk. Appended rows are held back and committed,
 * written and forced, in groups: when there are 64, or on the first append 250 ms or more after the
 * last commit, and on {@link #close()}. So a kill costs the rows that came within a quarter of a
 * second. What is appended for a text that is already known is ignored if its log-likelihood has
 * the same bits, and refused otherwise.
 *
 * <p>Holds an exclusive lock on the run until it is closed. Not safe for use by several threads at
 * a time. Holds 8·N bytes and the rows not committed.
 */
public final class ScoreLog implements AutoCloseable {
  static final String ROWS = "scores.jsonl";
  static final String PROVENANCE = "provenance.json";
  private static final String LOCK = ".lock";

  private static final int GROUP_ROWS = 64;
  private static final long GROUP_NANOS = 250_000_000L;

  // A lock on a file is the process's: closing any channel on it, even that of a failed second
  // attempt, would release it. So the lock file is opened once in a virtual machine.
  private static final Set<Path> OPEN = ConcurrentHashMap.newKeySet();

  private final Path folder;
  private final Path rows;
  private final String model;
  private final TextSet texts;
  private final LongSupplier clock;
  private final FileChannel lock;
  // Not a FileChannel: an interrupt of the scoring thread would close it with rows still unwritten.
  private final RandomAccessFile file;
  private final double[] values;
  private final BitSet durable;
  private final BitSet pending = new BitSet();
  private final ByteArrayOutputStream group = new ByteArrayOutputStream();
  private final long tornBytes;
  private long size;
  private long lastCommit;
  private boolean closed;
  private @Nullable LlmapException failure;

  private ScoreLog(
      Path folder, FileChannel lock, Provenance provenance, TextSet texts, LongSupplier clock)
      throws IOException {
    this.folder = folder;
    this.lock = lock;
    this.texts = texts;
    this.clock = clock;
    rows = folder.resolve(ROWS);
    model = provenance.model().name();
    values = new double[texts.size()];
    durable = new BitSet(texts.size());
    requireProvenance(provenance);
    TextTable table = TextTable.of(texts);
    size =
        new ScoreFile(rows, model, texts.size())
            .read(
                false,
                table::check,
                row -> {
                  durable.set(row.index());
                  values[row.index()] = row.logLikelihood();
                });
    boolean created = !Files.exists(rows);
    file = new RandomAccessFile(rows.toFile(), "rw");
    try {
      tornBytes = file.length() - size;
      if (tornBytes > 0) {
        file.setLength(size);
        file.getFD().sync();
        System.getLogger(ScoreLog.class.getName())
            .log(
                System.Logger.Level.WARNING,
                "cut {0} bytes of a row that was not finished off the end of {1}; its text is scored"
                    + " again",
                Long.toString(tornBytes),
                rows);
      }
      file.seek(size);
    } catch (IOException e) {
      file.close();
      throw e;
    }
    if (created) {
      AtomicFile.forceFolder(rows);
    }
    lastCommit = clock.getAsLong();
  }

  static ScoreLog open(Path folder, Provenance provenance, TextSet texts, LongSupplier clock) {
    if (!provenance.textSetFingerprint().equals(texts.fingerprint())) {
      throw new IllegalArgumentException(
          "the provenance is of the text set %s, but the texts are %s"
              .formatted(provenance.textSetFingerprint(), texts.fingerprint()));
    }
    try {
      createDurably(folder.toAbsolutePath());
      Path real = folder.toRealPath();
      if (!OPEN.add(real)) {
        throw inUse(folder);
      }
      try {
        FileChannel lock =
            FileChannel.open(
                real.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
          if (lock.tryLock() == null) {
            throw inUse(folder);
          }
          return new ScoreLog(real, lock, provenance, texts, clock);
        } catch (IOException | RuntimeException | Error e) {
          lock.close();
          throw e;
        }
      } catch (IOException | RuntimeException | Error e) {
        OPEN.remove(real);
        throw e;
      }
    } catch (IOException e) {
      throw FileErrors.cannot("open", folder, e);
    }
  }

  /** The rows in a new folder are only as durable as the entries that lead to it. */
  private static void createDurably(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      Path parent = folder.getParent();
      if (parent != null) {
        createDurably(parent);
      }
      Files.createDirectories(folder);
      AtomicFile.forceFolder(folder);
    }
  }

  private static LlmapException inUse(Path folder) {
    return new LlmapException(
        folder + " is being written by another run; wait for it or end it, then try again");
  }

  private void requireProvenance(Provenance wanted) throws IOException {
    Path path = folder.resolve(PROVENANCE);
    if (Files.exists(path)) {
      requireSameRun(path, wanted);
    } else {
      if (Files.exists(rows) && Files.size(rows) > 0) {
        throw new CorruptStoreException(
            rows + " has rows but no " + PROVENANCE + " beside it: whose they are is not known");
      }
      wanted.write(path);
    }
  }

  /** Compares a stored provenance with the one whose folder it is in, versions left aside. */
  static void requireSameRun(Path path, Provenance wanted) {
    Provenance stored = Provenance.read(path);
    requireSame(path, "the model", stored.model().name(), wanted.model().name());
    requireSame(
        path,
        "the fingerprint of model \"" + wanted.model().name() + "\"",
        stored.model().fingerprint(),
        wanted.model().fingerprint());
    requireSame(path, "the text set", stored.textSetFingerprint(), wanted.textSetFingerprint());
    requireSame(path, "the number of texts", stored.texts(), wanted.texts());
    requireSame(path, "the options", stored.options(), wanted.options());
  }

  private static void requireSame(Path path, String what, Object stored, Object wanted) {
    if (!stored.equals(wanted)) {
      throw new CorruptStoreException(
          "%s: %s is %s, but this run has %s".formatted(path, what, stored, wanted));
    }
  }

  /**
   * Says whether a text has a score, committed or about to be.
   *
   * @param index 0 to N − 1
   * @return true if it need not be scored
   */
  public boolean has(int index) {
    return durable.get(index) || pending.get(index);
  }

  /**
   * The number of texts whose score is on the disk.
   *
   * @return 0 to N
   */
  public int done() {
    return durable.cardinality();
  }

  /**
   * The number of texts whose score waits for the next commit.
   *
   * @return 0 to N
   */
  public int pending() {
    return pending.cardinality();
  }

  /**
   * What a crash had left: the bytes of an unfinished row that were cut off the file when it was
   * opened.
   *
   * @return 0 after a run that was closed
   */
  public long tornBytes() {
    return tornBytes;
  }

  /**
   * Appends a score, and commits if a group is full or old enough.
   *
   * @param index the text's position, 0 to N − 1
   * @param score its score
   * @throws IndexOutOfBoundsException if the index is out of range
   * @throws ScoringException if the score cannot be that of this text: another number of bytes, a
   *     per-token value that is not finite or one too many, another value than before
   * @throws LlmapException if the disk refuses; what was committed before stays valid, and the log
   *     takes no more rows
   */
  public void append(int index, TextScore score) {
    requireUsable();
    Text text = texts.get(index);
    check(text, score);
    if (has(index)) {
      if (Double.doubleToLongBits(values[index])
          != Double.doubleToLongBits(score.logLikelihood())) {
        throw new ScoringException(
            "model \"%s\" gave the text \"%s\" %s nats before and gives it %s now"
                .formatted(model, text.id(), values[index], score.logLikelihood()));
      }
      return;
    }
    TokenLogProbs tokens = score.tokenLogProbs().orElse(null);
    ScoreRow row =
        new ScoreRow(
            index,
            text.id(),
            score.scoredTokens(),
            score.bytes(),
            score.truncated(),
            score.windows(),
            score.logLikelihood(),
            tokens == null ? null : tokens.logProbs(),
            tokens == null ? null : tokens.byteOffsets(),
            tokens == null ? null : tokens.sketches().orElse(null));
    row.write(group);
    pending.set(index);
    values[index] = score.logLikelihood();
    if (pending.cardinality() >= GROUP_ROWS) {
      commit();
    } else {
      commitIfDue();
    }
  }

  private void check(Text text, TextScore score) {
    if (score.bytes() != text.bytes()) {
      throw new ScoringException(
          "model \"%s\" says that the text \"%s\" has %d bytes, but it has %d"
              .formatted(model, text.id(), score.bytes(), text.bytes()));
    }
    if (score.tokenLogProbs().isPresent()) {
      double[] logProbs = score.tokenLogProbs().get().logProbs();
      if (logProbs.length != score.scoredTokens()) {
        throw new ScoringException(
            "model \"%s\" scored %d tokens of the text \"%s\" but gives %d log-probabilities"
                .formatted(model, score.scoredTokens(), text.id(), logProbs.length));
      }
      float[] sketches = score.tokenLogProbs().get().sketches().orElse(null);
      for (int t = 0; t < logProbs.length; t++) {
        if (sketches != null && !Float.isFinite(sketches[t])) {
          throw new ScoringException(
              "the sketch of token %d of the text \"%s\" under model \"%s\" is %s"
                  .formatted(t, text.id(), model, sketches[t]));
        }
        if (!Double.isFinite(logProbs[t])) {
          throw new ScoringException(
              "the log-probability of token %d of the text \"%s\" under model \"%s\" is %s"
                  .formatted(t, text.id(), model, logProbs[t]));
        }
      }
    }
  }

  void commitIfDue() {
    if (clock.getAsLong() - lastCommit >= GROUP_NANOS) {
      commit();
    }
  }

  /**
   * Writes what was appended and forces it to the disk. After a return it is done.
   *
   * @throws LlmapException if the disk refuses; what was committed before stays valid, and the log
   *     takes no more rows
   */
  public void commit() {
    requireUsable();
    if (!pending.isEmpty()) {
      try {
        file.write(group.toByteArray());
        file.getFD().sync();
      } catch (IOException e) {
        failure = failed(e);
        throw failure;
      }
      size += group.size();
      group.reset();
      durable.or(pending);
      pending.clear();
    }
    lastCommit = clock.getAsLong();
  }

  private LlmapException failed(IOException e) {
    try {
      file.setLength(size);
    } catch (IOException again) {
      // The part of a row that stays is cut off when the run is opened again.
      e.addSuppressed(again);
    }
    LlmapException cannot = FileErrors.cannot("write", rows, e);
    return new LlmapException(
        "%s; %d of %d texts of model \"%s\" are kept, run again to score the rest"
            .formatted(cannot.getMessage(), done(), texts.size(), model),
        e);
  }

  private void requireUsable() {
    if (closed) {
      throw new IllegalStateException("the log in " + folder + " is closed");
    }
    if (failure != null) {
      throw failure;
    }
  }

  /**
   * Commits what was appended and gives up the lock. Does nothing if closed, or after a failed
   * commit nothing but give up the lock.
   *
   * @throws LlmapException if the disk refuses
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    try (lock;
        file) {
      if (failure == null) {
        commit();
      }
    } catch (IOException e) {
      throw FileErrors.cannot("close", rows, e);
    } finally {
      closed = true;
      OPEN.remove(folder);
    }
  }
}
