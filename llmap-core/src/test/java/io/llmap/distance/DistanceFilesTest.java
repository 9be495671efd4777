package io.llmap.distance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llmap.LlmapException;
import io.llmap.internal.CsvFormat;
import io.llmap.matrix.CenteredMatrix;
import io.llmap.matrix.Clipping;
import io.llmap.matrix.LogLikelihoodMatrix;
import io.llmap.testing.GoldenFiles;
import io.llmap.testing.Tolerances;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DistanceFilesTest {
  @TempDir Path folder;

  /** Method 10, with names that need quoting. */
  private static CenteredMatrix smallCoordinates() {
    LogLikelihoodMatrix matrix =
        LogLikelihoodMatrix.of(
            List.of("a,b", "say \"hi\"", "two\nlines", "größe"),
            List.of("t0", "t1", "t2", "t3"),
            new int[] {1000, 1000, 1000, 1000},
            new double[][] {
              {-600, -500, -700, -400},
              {-610, -490, -720, -410},
              {-590, -530, -690, -3000},
              {-605, -505, -705, -395}
            });
    return CenteredMatrix.of(matrix, Clipping.atQuantile(matrix, 0.1));
  }

  private static KlDistances small() {
    return KlDistances.of(smallCoordinates());
  }

  private static List<List<String>> read(Path path) throws IOException {
    List<List<String>> records = new ArrayList<>();
    try (Reader reader = Files.newBufferedReader(path);
        CsvFormat csv = new CsvFormat(reader, path.toString())) {
      for (List<String> r = csv.next(); !r.isEmpty(); r = csv.next()) {
        records.add(r);
      }
    }
    return records;
  }

  @Test
  void everyOrderedPairIsARecordWithBothUnitsAndTheEstimator() throws IOException {
    Path path = folder.resolve("kl.csv");
    KlDistances kl = small();
    DistanceFiles.writeCsv(path, kl);

    List<List<String>> records = read(path);

    assertThat(records).hasSize(1 + 16).allMatch(r -> r.size() == 5);
    assertThat(records.get(0))
        .containsExactly("model", "other", "kl_nats_per_text", "kl_bits_per_byte", "estimator");
    List<String> names = kl.squaredEuclidean().names();
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < 4; j++) {
        List<String> r = records.get(1 + 4 * i + j);
        assertThat(r).startsWith(names.get(i), names.get(j)).endsWith("text-variance");
        double nats = kl.squaredEuclidean().get(i, j) / 8;
        assertThat(Double.parseDouble(r.get(2))).isEqualTo(nats);
        assertThat(Double.parseDouble(r.get(3)))
            .isCloseTo(nats / (1000 * 0.6931471805599453), within(1e-14 * nats));
      }
    }
    assertThat(records.get(2).get(2)).isEqualTo("41.2109375");
  }

  @Test
  void divergencesAreThoseOfNumpy() {
    LogLikelihoodMatrix raw = GoldenFiles.logLikelihoods();
    KlDistances kl = KlDistances.of(CenteredMatrix.of(raw, Clipping.atQuantile(raw, 0.02)));
    double[][] squared = GoldenFiles.matrix("d2.npy");
    double[][] bits = GoldenFiles.matrix("kl_bits_per_byte.npy");

    assertThat(raw.meanBytes()).isEqualTo(GoldenFiles.numbers("mean_text_bytes")[0]);
    DistanceMatrix actual = kl.in(KlUnit.BITS_PER_BYTE);
    for (int i = 0; i < bits.length; i++) {
      for (int j = 0; j < bits.length; j++) {
        assertThat(kl.squaredEuclidean().get(i, j))
            .isCloseTo(squared[i][j], within(Tolerances.squaredDistance(squared[i][j])));
        assertThat(actual.get(i, j))
            .isCloseTo(bits[i][j], within(Tolerances.squaredDistance(bits[i][j])));
      }
    }
  }

  @Test
  void neighboursAreRankedFromOneNearestFirst() throws IOException {
    Path path = folder.resolve("near.csv");
    KlDistances kl = small();
    DistanceFiles.writeNeighboursCsv(path, kl, 2);

    List<List<String>> records = read(path);

    assertThat(records).hasSize(1 + 4 * 2);
    assertThat(records.get(0))
        .containsExactly("model", "rank", "neighbour", "kl_bits_per_byte", "estimator");
    assertThat(records.get(1).subList(0, 3)).containsExactly("a,b", "1", "größe");
    assertThat(records.get(2).subList(0, 3)).containsExactly("a,b", "2", "say \"hi\"");
    assertThat(records.get(6).subList(0, 3)).containsExactly("two\nlines", "2", "a,b");
    assertThat(Double.parseDouble(records.get(2).get(3)))
        .isEqualTo(kl.in(KlUnit.BITS_PER_BYTE).get(0, 1));
    assertThat(records.subList(1, 9)).allMatch(r -> r.get(4).equals("text-variance"));
  }

  @Test
  void moreNeighboursThanThereAreGiveAllOfThem() throws IOException {
    Path path = folder.resolve("near.csv");
    DistanceFiles.writeNeighboursCsv(path, small(), 100);

    assertThat(read(path)).hasSize(1 + 4 * 3);
  }

  @Test
  void aMissingFolderIsNamed() {
    Path path = folder.resolve("missing").resolve("kl.csv");
    assertThatThrownBy(() -> DistanceFiles.writeCsv(path, small()))
        .isInstanceOf(LlmapException.class)
        .hasMessageStartingWith("cannot write " + path + ": there is no folder");
  }

  @Test
  void intervalsStandBesideEveryPairWithTheSettingsOfTheBootstrap() throws IOException {
    Path path = folder.resolve("intervals.csv");
    BootstrapSummary summary = Bootstrap.of(smallCoordinates(), 20, 7).summarize(0.9, 2);
    DistanceFiles.writeCsv(path, summary);

    List<List<String>> records = read(path);

    assertThat(String.join(",", records.get(0)))
        .isEqualTo(
            "model,other,kl_bits_per_byte,kl_bits_per_byte_low,kl_bits_per_byte_high,"
                + "kl_bits_per_byte_standard_error,level,replicates,seed,estimator");
    assertThat(records).hasSize(1 + 16);
    List<String> r = records.get(1 + 4 * 2 + 1);
    assertThat(r)
        .containsExactly(
            "two\nlines",
            "say \"hi\"",
            "" + small().in(KlUnit.BITS_PER_BYTE).get(2, 1),
            "" + summary.lower(KlUnit.BITS_PER_BYTE).get(2, 1),
            "" + summary.upper(KlUnit.BITS_PER_BYTE).get(2, 1),
            "" + summary.standardError(KlUnit.BITS_PER_BYTE).get(2, 1),
            "0.9",
            "20",
            "7",
            "text-variance");
  }

  @Test
  void neighboursCarryTheirIntervalsAndStability() throws IOException {
    Path path = folder.resolve("near.csv");
    BootstrapSummary summary = Bootstrap.of(smallCoordinates(), 20, 7).summarize(0.9, 2);
    DistanceFiles.writeNeighboursCsv(path, summary);

    List<List<String>> records = read(path);

    assertThat(String.join(",", records.get(0)))
        .isEqualTo(
            "model,rank,neighbour,kl_bits_per_byte,kl_bits_per_byte_low,kl_bits_per_byte_high,"
                + "nearest_share,neighbour_share,neighbours,level,replicates,seed,estimator");
    assertThat(records).hasSize(1 + 4 * 2);
    assertThat(records.get(1))
        .containsExactly(
            "a,b",
            "1",
            "größe",
            "" + small().in(KlUnit.BITS_PER_BYTE).get(0, 3),
            "" + summary.lower(KlUnit.BITS_PER_BYTE).get(0, 3),
            "" + summary.upper(KlUnit.BITS_PER_BYTE).get(0, 3),
            "" + summary.nearestShare(0, 3),
            "" + summary.neighbourShare(0, 3),
            "2",
            "0.9",
            "20",
            "7",
            "text-variance");
  }

  @Test
  void theTextsToScoreAreListedWithTheirWeights() throws IOException {
    Path path = folder.resolve("texts.csv");
    LogLikelihoodMatrix raw = GoldenFiles.logLikelihoods();
    TextSample sample = TextSampling.uniform(raw, Clipping.NONE).sample(new int[] {9, 4, 9});
    DistanceFiles.writeSampleCsv(path, sample);

    assertThat(read(path))
        .containsExactly(
            List.of("text_id", "index", "drawn", "weight"),
            List.of("t4", "4", "1", "" + Math.sqrt(400 / 3.0)),
            List.of("t9", "9", "2", "" + Math.sqrt(800 / 3.0)));
  }
}
