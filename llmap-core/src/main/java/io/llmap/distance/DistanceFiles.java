package io.llmap.distance;

import io.llmap.internal.CsvFormat;
import java.nio.file.Path;

/**
 * Distances as CSV tables: UTF-8, RFC 4180 quoting, one pair a record, the unit in the column's
 * name and the estimator with its settings in every record.
 *
 * <p>A file appears complete or not at all.
 */
public final class DistanceFiles {
  private DistanceFiles() {}

  /**
   * Writes all K² ordered pairs, the diagonal included: {@code model}, {@code other}, {@code
   * kl_nats_per_text}, {@code kl_bits_per_byte}, {@code estimator}.
   *
   * @param path the file to create or replace
   * @param kl the divergences
   * @throws io.llmap.LlmapException if the file cannot be written
   */
  public static void writeCsv(Path path, KlDistances kl) {
    DistanceMatrix nats = kl.in(KlUnit.NATS_PER_TEXT);
    DistanceMatrix bits = kl.in(KlUnit.BITS_PER_BYTE);
    CsvFormat.write(
        path,
        out -> {
          out.append("model,other,kl_nats_per_text,kl_bits_per_byte,estimator\n");
          for (int i = 0; i < nats.size(); i++) {
            for (int j = 0; j < nats.size(); j++) {
              CsvFormat.append(out, nats.names().get(i));
              out.append(',');
              CsvFormat.append(out, nats.names().get(j));
              out.append(
                  "," + nats.get(i, j) + "," + bits.get(i, j) + "," + kl.description() + "\n");
            }
          }
        });
  }

  /**
   * Writes the nearest models of every model, nearest first: {@code model}, {@code rank} from 1,
   * {@code neighbour}, {@code kl_bits_per_byte}, {@code estimator}.
   *
   * @param path the file to create or replace
   * @param kl the divergences
   * @param count how many neighbours of a model, at most
   * @throws io.llmap.LlmapException if the file cannot be written
   */
  public static void writeNeighboursCsv(Path path, KlDistances kl, int count) {
    DistanceMatrix bits = kl.in(KlUnit.BITS_PER_BYTE);
    CsvFormat.write(
        path,
        out -> {
          out.append("model,rank,neighbour,kl_bits_per_byte,estimator\n");
          for (int i = 0; i < bits.size(); i++) {
            int rank = 0;
            for (Neighbours.Neighbour near : Neighbours.of(bits, i, count)) {
              rank++;
              CsvFormat.append(out, bits.names().get(i));
              out.append("," + rank + ",");
              CsvFormat.append(out, near.name());
              out.append("," + near.distance() + "," + kl.description() + "\n");
            }
          }
        });
  }

  /**
   * Writes the nearest models of every model with what the bootstrap says of them, nearest first:
   * {@code model}, {@code rank} from 1, {@code neighbour}, {@code kl_bits_per_byte}, {@code
   * kl_bits_per_byte_low}, {@code kl_bits_per_byte_high}, {@code nearest_share} and {@code
   * neighbour_share} (in which share of the replicates the neighbour is the nearest, and among the
   * k nearest), {@code neighbours} (k), {@code level}, {@code replicates}, {@code seed}, {@code
   * estimator}.
   *
   * @param path the file to create or replace
   * @param summary of the replicates; it says how many neighbours are written
   * @throws io.llmap.LlmapException if the file cannot be written
   */
  public static void writeNeighboursCsv(Path path, BootstrapSummary summary) {
    DistanceMatrix bits = summary.estimate().in(KlUnit.BITS_PER_BYTE);
    DistanceMatrix low = summary.lower(KlUnit.BITS_PER_BYTE);
    DistanceMatrix high = summary.upper(KlUnit.BITS_PER_BYTE);
    CsvFormat.write(
        path,
        out -> {
          out.append(
              "model,rank,neighbour,kl_bits_per_byte,kl_bits_per_byte_low,kl_bits_per_byte_high,"
                  + "nearest_share,neighbour_share,neighbours,level,replicates,seed,estimator\n");
          for (int i = 0; i < bits.size(); i++) {
            int rank = 0;
            for (Neighbours.Neighbour near : Neighbours.of(bits, i, summary.neighbours())) {
              int j = near.index();
              rank++;
              CsvFormat.append(out, bits.names().get(i));
              out.append("," + rank + ",");
              CsvFormat.append(out, near.name());
              out.append("," + near.distance() + "," + low.get(i, j) + "," + high.get(i, j));
              out.append("," + summary.nearestShare(i, j) + "," + summary.neighbourShare(i, j));
              out.append("," + summary.neighbours() + settings(summary));
            }
          }
        });
  }

  /**
   * Writes all K² ordered pairs with their intervals, the diagonal included: {@code model}, {@code
   * other}, {@code kl_bits_per_byte}, {@code kl_bits_per_byte_low}, {@code kl_bits_per_byte_high},
   * {@code kl_bits_per_byte_standard_error}, {@code level}, {@code replicates}, {@code seed},
   * {@code estimator}.
   *
   * @param path the file to create or replace
   * @param summary of the replicates
   * @throws io.llmap.LlmapException if the file cannot be written
   */
  public static void writeCsv(Path path, BootstrapSummary summary) {
    DistanceMatrix bits = summary.estimate().in(KlUnit.BITS_PER_BYTE);
    DistanceMatrix low = summary.lower(KlUnit.BITS_PER_BYTE);
    DistanceMatrix high = summary.upper(KlUnit.BITS_PER_BYTE);
    DistanceMatrix error = summary.standardError(KlUnit.BITS_PER_BYTE);
    CsvFormat.write(
        path,
        out -> {
          out.append(
              "model,other,kl_bits_per_byte,kl_bits_per_byte_low,kl_bits_per_byte_high,"
                  + "kl_bits_per_byte_standard_error,level,replicates,seed,estimator\n");
          for (int i = 0; i < bits.size(); i++) {
            for (int j = 0; j < bits.size(); j++) {
              CsvFormat.append(out, bits.names().get(i));
              out.append(',');
              CsvFormat.append(out, bits.names().get(j));
              out.append("," + bits.get(i, j) + "," + low.get(i, j) + "," + high.get(i, j));
              out.append("," + error.get(i, j) + settings(summary));
            }
          }
        });
  }

  private static String settings(BootstrapSummary summary) {
    return ","
        + summary.level()
        + ","
        + summary.replicates()
        + ","
        + summary.seed()
        + ","
        + summary.estimate().description()
        + "\n";
  }

  /**
   * Writes the texts to score: {@code text_id}, {@code index} from 0 in the text set, {@code drawn}
   * (how often), {@code weight}.
   *
   * @param path the file to create or replace
   * @param sample the drawn texts
   * @throws io.llmap.LlmapException if the file cannot be written
   */
  public static void writeSampleCsv(Path path, TextSample sample) {
    int[] indices = sample.indices();
    CsvFormat.write(
        path,
        out -> {
          out.append("text_id,index,drawn,weight\n");
          for (int t = 0; t < indices.length; t++) {
            CsvFormat.append(out, sample.textIds().get(t));
            out.append("," + indices[t] + "," + sample.count(t) + "," + sample.weight(t) + "\n");
          }
        });
  }
}
