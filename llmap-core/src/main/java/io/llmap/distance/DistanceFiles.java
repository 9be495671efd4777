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
}
