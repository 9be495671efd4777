package io.llmap.score;

import io.llmap.LlmapException;
import io.llmap.LlmapException.CorruptStoreException;
import io.llmap.LlmapException.ScoringException;
import io.llmap.internal.FileErrors;
import io.llmap.internal.ScoreRow;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.matrix.MatrixProvenance;
import io.llmap.text.TextSet;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A folder of scores, one run for each model, text set and options: appended to, resumed after a
 * kill, read into a {@link LogLikelihoodMatrix}.
 *
 * <p>A run is the folder {@code NAME/KEY} with two files: {@code provenance.json} and {@code
 * scores.jsonl}. {@code NAME} is the model's name, with every byte that is not a letter, a digit, a
 * hyphen, an underscore or an inner dot as a percent sign and two hexadecimal digits, and with a
 * tilde and a hash of the name behind it where it is long; {@code KEY} is {@link Provenance#key()}.
 * {@code scores.jsonl} has one JSON object a line:
 *
 * <ul>
 *   <li>{@code index} the text's position in the text set, and {@code id} its id
 *   <li>{@code num-tokens} one more than the number of scored tokens: the length of the model's
 *       input, whose first token is never scored
 *   <li>{@code num-bytes} the text's UTF-8 length, and {@code truncated}
 *   <li>{@code windows} in how many windows the text was scored, only where it is more than one
 *   <li>{@code log-likelihood} in nats, read back to the same bits
 *   <li>{@code token-log-probs} and {@code token-byte-offsets}, only where they were kept; with
 *       them {@code token-sketches}, if these were
 * </ul>
 *
 * <p>{@code index}, {@code num-tokens}, {@code log-likelihood} and {@code token-log-probs} are
 * those of the model-map paper's own files (shimo-lab/modelmap, likelihood.py), so its code can
 * read these.
 *
 * <p>Immutable; several stores may stand for one folder. Runs of different models can be written at
 * the same time, by any number of processes; a second writer of one run is refused.
 */
public final class ScoreStore {
  /** Options that change how a score is rounded and what is kept with it, but not what it means. */
  private static final Set<String> ROUNDING_ONLY =
      Set.of("device", "sketches", "token-budget", "token-log-probs");

  private final Path root;

  private ScoreStore(Path root) {
    this.root = root;
  }

  /**
   * A store in a folder.
   *
   * @param root created with the first run if it does not exist
   * @return the store
   */
  public static ScoreStore at(Path root) {
    return new ScoreStore(root);
  }

  /**
   * Scores the texts that have no score yet and stores the scores.
   *
   * @param scorer the model; not closed
   * @param texts the texts
   * @param options the options that the scorer was opened with
   * @param progress is told of a score when it is on the disk, is asked which of the missing texts
   *     are wanted, and may cancel
   * @return how many of the N texts have a score on the disk now, those of earlier runs included; N
   *     unless the listener cancelled or did not want all
   * @throws ScoringException if a text cannot be scored, or the scorer returned without a wanted
   *     score; every score that was delivered is kept
   * @throws CorruptStoreException if the run's folder holds something else
   * @throws LlmapException if another process writes this run, or the disk refuses
   */
  public int score(
      LogLikelihoodScorer scorer, TextSet texts, ScorerOptions options, ScoringListener progress) {
    try (ScoreLog log = open(Provenance.of(scorer.source(), texts, options), texts)) {
      DurableListener listener = new DurableListener(log, progress);
      try {
        scorer.score(texts.texts(), listener);
      } catch (RuntimeException | Error e) {
        try {
          listener.flush();
        } catch (RuntimeException second) {
          // A failed commit ended the scoring and is thrown again by the next one.
          if (second != e) {
            e.addSuppressed(second);
          }
        }
        throw e;
      }
      listener.flush();
      if (!listener.wasCancelled()) {
        requireAllWanted(scorer, texts, listener);
      }
      return log.done();
    }
  }

  private static void requireAllWanted(
      LogLikelihoodScorer scorer, TextSet texts, ScoringListener listener) {
    BitSet missing = new BitSet();
    for (int n = 0; n < texts.size(); n++) {
      missing.set(n, listener.wants(n));
    }
    if (!missing.isEmpty()) {
      throw new ScoringException(
          "model \"%s\" ended without a score for %d wanted texts, the first of them \"%s\""
              .formatted(
                  scorer.source().name(),
                  missing.cardinality(),
                  texts.get(missing.nextSetBit(0)).id()));
    }
  }

  /**
   * Opens a run to append rows to it, or begins it. {@link #score} is the easier way.
   *
   * @param provenance whose scores they are
   * @param texts the texts of the provenance
   * @return the rows, to be closed
   * @throws IllegalArgumentException if the provenance is of other texts
   * @throws CorruptStoreException if the run's folder holds something that no version of llmap
   *     writes, or the provenance in it differs in what matters; the message quotes both values
   * @throws LlmapException if another writer has the run open, or the disk refuses
   */
  public ScoreLog open(Provenance provenance, TextSet texts) {
    return ScoreLog.open(folder(provenance), provenance, texts, System::nanoTime);
  }

  private Path folder(Provenance run) {
    return root.resolve(FolderName.of(run.model().name())).resolve(run.key());
  }

  /**
   * What is stored, complete or not.
   *
   * @return the provenance of every run, by model name in natural order ({@code m-70m} before
   *     {@code m-410m}), then by key
   * @throws CorruptStoreException if a provenance is unreadable or stands in the folder of another
   *     run
   * @throws LlmapException if a folder cannot be read
   */
  public List<Provenance> runs() {
    List<Provenance> runs = new ArrayList<>();
    for (Path name : foldersIn(root)) {
      for (Path key : foldersIn(name)) {
        Path path = key.resolve(ScoreLog.PROVENANCE);
        // A process that was killed before the first row leaves none.
        if (Files.exists(path)) {
          Provenance run = Provenance.read(path);
          if (!isSame(folder(run), key)) {
            throw new CorruptStoreException(
                path
                    + " is of a run that belongs into "
                    + folder(run)
                    + "; was it moved or edited?");
          }
          runs.add(run);
        }
      }
    }
    runs.sort(
        Comparator.comparing((Provenance run) -> run.model().name(), NaturalOrder.INSTANCE)
            .thenComparing(Provenance::key));
    return runs;
  }

  /**
   * Says whether a run needs no more scoring, without opening it: also while another process writes
   * it.
   *
   * @param run whose scores they are; need not be stored
   * @return true if every one of its texts has a whole row; false if the run is not there, and a
   *     last row that was torn by a crash counts as missing
   * @throws CorruptStoreException if the run's folder holds something that no version of llmap
   *     writes, or the provenance in it differs in what matters; the message quotes both values
   * @throws LlmapException if it cannot be read
   */
  public boolean isComplete(Provenance run) {
    Path provenance = folder(run).resolve(ScoreLog.PROVENANCE);
    if (!Files.exists(provenance)) {
      return false;
    }
    ScoreLog.requireSameRun(provenance, run);
    BitSet scored = new BitSet(run.texts());
    scoreFile(run, run.texts())
        .read(false, TextTable.toLearn(run.texts())::check, row -> scored.set(row.index()));
    return scored.cardinality() == run.texts();
  }

  /** Not equality of paths: a file system may not tell upper case from lower. */
  private static boolean isSame(Path expected, Path actual) {
    try {
      return Files.exists(expected) && Files.isSameFile(expected, actual);
    } catch (IOException e) {
      throw FileErrors.cannot("read", actual, e);
    }
  }

  private static List<Path> foldersIn(Path folder) {
    List<Path> folders = new ArrayList<>();
    if (Files.exists(folder)) {
      try (DirectoryStream<Path> entries =
          Files.newDirectoryStream(folder, entry -> Files.isDirectory(entry))) {
        entries.forEach(folders::add);
      } catch (DirectoryIteratorException e) {
        throw new LlmapException("cannot read " + folder + ": " + e.getMessage(), e);
      } catch (IOException e) {
        throw FileErrors.cannot("read", folder, e);
      }
    }
    return folders;
  }

  /**
   * Reads the scores of a run, per-token values included, one at a time.
   *
   * @param run one of {@link #runs()}
   * @param listener takes the scores it wants, in the order in which they were stored; is not asked
   *     whether to end
   * @throws CorruptStoreException if the file holds something that no version of llmap writes
   * @throws LlmapException if it cannot be read
   */
  public void read(Provenance run, ScoringListener listener) {
    scoreFile(run, run.texts())
        .read(
            true,
            row -> {},
            row -> {
              if (listener.wants(row.index())) {
                listener.scored(row.index(), toScore(row));
              }
            });
  }

  private ScoreFile scoreFile(Provenance run, int texts) {
    return new ScoreFile(folder(run).resolve(ScoreLog.ROWS), run.model().name(), texts);
  }

  private static TextScore toScore(ScoreRow row) {
    double[] logProbs = row.tokenLogProbs();
    int[] offsets = row.tokenByteOffsets();
    return new TextScore(
        row.logLikelihood(),
        row.scoredTokens(),
        Math.max(0, row.bytes()),
        row.truncated(),
        row.windows(),
        logProbs == null || offsets == null
            ? Optional.empty()
            : Optional.of(
                new TokenLogProbs(logProbs, offsets, Optional.ofNullable(row.tokenSketches()))));
  }

  /**
   * The matrix of all models that are stored for a text set, by name in natural order.
   *
   * @param texts the texts
   * @return K × N, with its provenance
   * @throws LlmapException if there is no run for the texts, a run is not complete, a model has
   *     several runs for them, or runs differ in an option that changes what a score means; the
   *     message names the models and quotes the values
   * @throws CorruptStoreException if a file holds something that no version of llmap writes
   */
  public LogLikelihoodMatrix matrix(TextSet texts) {
    return matrix(runsOf(texts), TextTable.of(texts));
  }

  /**
   * The matrix of some models for a text set.
   *
   * @param texts the texts
   * @param names models, all different, in the order of the rows
   * @return K × N, with its provenance
   * @throws IllegalArgumentException if there is no name, or one is repeated
   * @throws LlmapException as {@link #matrix(TextSet)} does, or if a model is not stored
   * @throws CorruptStoreException if a file holds something that no version of llmap writes
   */
  public LogLikelihoodMatrix matrix(TextSet texts, List<String> names) {
    requireNames(names);
    Map<String, List<Provenance>> byName =
        runsOf(texts).stream().collect(Collectors.groupingBy(run -> run.model().name()));
    List<Provenance> chosen = new ArrayList<>();
    for (String name : names) {
      List<Provenance> runs = byName.get(name);
      if (runs == null) {
        throw new LlmapException(
            "%s has no scores of model \"%s\" for these texts; it has %s"
                .formatted(root, name, quoteSome(byName.keySet())));
      }
      chosen.addAll(runs);
    }
    return matrix(chosen, TextTable.of(texts));
  }

  private static void requireNames(List<String> names) {
    if (names.isEmpty()) {
      throw new IllegalArgumentException("a matrix needs at least one model");
    }
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (!seen.add(name)) {
        throw new IllegalArgumentException("model \"" + name + "\" is asked for twice");
      }
    }
  }

  private static String quoteSome(Set<String> names) {
    List<String> sorted = names.stream().sorted(NaturalOrder.INSTANCE).limit(20).toList();
    return sorted.stream().map(name -> "\"" + name + "\"").collect(Collectors.joining(", "))
        + (names.size() > sorted.size() ? " and " + (names.size() - sorted.size()) + " more" : "");
  }

  private List<Provenance> runsOf(TextSet texts) {
    List<Provenance> all = runs();
    List<Provenance> runs =
        all.stream().filter(run -> run.textSetFingerprint().equals(texts.fingerprint())).toList();
    if (runs.isEmpty()) {
      Set<String> others = new TreeSet<>();
      all.forEach(run -> others.add(run.textSetFingerprint()));
      throw new LlmapException(
          "%s has no scores for the text set %s; it has scores for %s"
              .formatted(root, texts.fingerprint(), others.isEmpty() ? "none" : others));
    }
    return runs;
  }

  /**
   * The runs of a text set that kept the log-probability of every token, of all models by name in
   * natural order.
   *
   * @param texts the texts
   * @return at least one run, of different models; complete or not
   * @throws LlmapException if there is none, a model has several of them, or they differ in an
   *     option that changes what a score means; the message names the models and quotes the values
   * @throws CorruptStoreException if a file holds something that no version of llmap writes
   */
  public List<Provenance> tokenRuns(TextSet texts) {
    return runsWith("token-log-probs", "token log-probabilities", "tokenLogProbs", texts);
  }

  /**
   * The runs of a text set that kept sketches, of all models by name in natural order.
   *
   * @param texts the texts
   * @return at least one run, of different models; complete or not
   * @throws LlmapException as {@link #tokenRuns} does
   * @throws CorruptStoreException if a file holds something that no version of llmap writes
   */
  public List<Provenance> sketchRuns(TextSet texts) {
    return runsWith("sketches", "sketches", "sketches", texts);
  }

  private List<Provenance> runsWith(String option, String what, String setting, TextSet texts) {
    List<Provenance> kept =
        runsOf(texts).stream().filter(run -> "true".equals(run.options().get(option))).toList();
    if (kept.isEmpty()) {
      throw new LlmapException(
          "%s has no %s for these texts; score them with %s".formatted(root, what, setting));
    }
    requireComparable(kept);
    return kept;
  }

  /**
   * The matrix of chosen runs; ids and lengths of the texts are taken from the rows. For a store
   * with several runs of one model, or without the texts.
   *
   * @param runs some of {@link #runs()}, of different models, in the order of the rows
   * @return K × N, with its provenance
   * @throws IllegalArgumentException if there is no run
   * @throws LlmapException as {@link #matrix(TextSet)} does, or if the runs are of different text
   *     sets
   * @throws CorruptStoreException if a file holds something that no version of llmap writes
   */
  public LogLikelihoodMatrix matrix(List<Provenance> runs) {
    if (runs.isEmpty()) {
      throw new IllegalArgumentException("a matrix needs at least one run");
    }
    return matrix(runs, TextTable.toLearn(runs.get(0).texts()));
  }

  private LogLikelihoodMatrix matrix(List<Provenance> runs, TextTable table) {
    requireComparable(runs);
    double[][] values = new double[runs.size()][table.size()];
    List<String> incomplete = new ArrayList<>();
    for (int i = 0; i < values.length; i++) {
      double[] row = values[i];
      Arrays.fill(row, Double.NaN);
      scoreFile(runs.get(i), table.size())
          .read(false, table::check, score -> row[score.index()] = score.logLikelihood());
      long missing = Arrays.stream(row).filter(Double::isNaN).count();
      if (missing > 0) {
        incomplete.add(
            "model \"%s\" has no score for %d of %d texts"
                .formatted(runs.get(i).model().name(), missing, row.length));
      }
    }
    if (!incomplete.isEmpty()) {
      throw new LlmapException(
          root + ": " + String.join("; ", incomplete) + "; run the scoring again to complete them");
    }
    Map<String, String> fingerprints = new LinkedHashMap<>();
    runs.forEach(run -> fingerprints.put(run.model().name(), run.model().fingerprint()));
    return LogLikelihoodMatrix.of(
            List.copyOf(fingerprints.keySet()), table.ids(), table.bytes(), values)
        .withProvenance(
            new MatrixProvenance(
                runs.get(0).textSetFingerprint(), meaning(runs.get(0)), fingerprints));
  }

  /** Scores of different texts, prefixes or cuts are not comparable (method traps 8, 9 and 18). */
  private void requireComparable(List<Provenance> runs) {
    Map<String, Provenance> byName = new HashMap<>();
    Provenance first = runs.get(0);
    for (Provenance run : runs) {
      Provenance same = byName.putIfAbsent(run.model().name(), run);
      if (same != null) {
        throw new LlmapException(
            ("%s has several runs of model \"%s\": %s with fingerprint %s and options %s, and %s with"
                    + " fingerprint %s and options %s; choose among runs(), or move the folder of one"
                    + " away")
                .formatted(
                    root,
                    run.model().name(),
                    same.key(),
                    same.model().fingerprint(),
                    same.options(),
                    run.key(),
                    run.model().fingerprint(),
                    run.options()));
      }
      requireSame("the text set", first, first.textSetFingerprint(), run, run.textSetFingerprint());
      requireSame("the options", first, meaning(first), run, meaning(run));
    }
  }

  private static Map<String, String> meaning(Provenance run) {
    Map<String, String> options = new TreeMap<>(run.options());
    options.keySet().removeAll(ROUNDING_ONLY);
    return options;
  }

  private void requireSame(String what, Provenance a, Object ofA, Provenance b, Object ofB) {
    if (!ofA.equals(ofB)) {
      throw new LlmapException(
          "%s: %s of model \"%s\" is %s, but of model \"%s\" %s: their scores are not comparable"
              .formatted(root, what, a.model().name(), ofA, b.model().name(), ofB));
    }
  }
}
