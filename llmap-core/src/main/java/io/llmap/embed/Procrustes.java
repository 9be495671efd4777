package io.llmap.embed;

import io.llmap.LlmapException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.SingularValueDecomposition_F64;

/**
 * A map turned, mirrored and shifted onto a reference, without scaling: the orthogonal Procrustes
 * problem (Schönemann 1966; method 2.5).
 *
 * <pre>minimise ‖X·R − Y‖_F over RᵀR = I:   XᵀY = U·Σ·Vᵀ,   R = U·Vᵀ</pre>
 *
 * <p>X and Y are the points of the models that both maps have, each centred on its mean. As {@code
 * scipy.linalg.orthogonal_procrustes} on centred points.
 *
 * <p>Immutable.
 */
public final class Procrustes {
  private final Embedding aligned;
  private final double[][] rotation;
  private final double residual;
  private final int shared;

  private Procrustes(Embedding aligned, double[][] rotation, double residual, int shared) {
    this.aligned = aligned;
    this.rotation = rotation;
    this.residual = residual;
    this.shared = shared;
  }

  /**
   * Lays a map over a reference. Models are matched by name; one that only the map has follows the
   * others, without a say in how they move.
   *
   * @param reference K points, which stay where they are
   * @param map points of any of the same models, and others
   * @return the alignment; O(K·D² + D³)
   * @throws IllegalArgumentException if the dimensions differ, no model is on both, or a name is on
   *     one of them twice
   */
  public static Procrustes align(Embedding reference, Embedding map) {
    Map<String, Integer> places = places(reference);
    int[] ours =
        places(map).entrySet().stream()
            .filter(model -> places.containsKey(model.getKey()))
            .mapToInt(Map.Entry::getValue)
            .sorted()
            .toArray();
    if (ours.length == 0) {
      throw new IllegalArgumentException(
          "no model is both on the map (%s) and on the reference (%s)"
              .formatted(some(map.names()), some(reference.names())));
    }
    int dimensions = reference.dimensions();
    if (map.dimensions() != dimensions) {
      throw new IllegalArgumentException(
          "the map has %d dimensions but the reference %d".formatted(map.dimensions(), dimensions));
    }
    int[] theirs = Arrays.stream(ours).map(i -> places.get(map.names().get(i))).toArray();
    double[] mean = mean(map, ours);
    double[] target = mean(reference, theirs);
    DMatrixRMaj product = new DMatrixRMaj(dimensions, dimensions);
    for (int p = 0; p < ours.length; p++) {
      for (int a = 0; a < dimensions; a++) {
        for (int b = 0; b < dimensions; b++) {
          product.add(
              a, b, (map.get(ours[p], a) - mean[a]) * (reference.get(theirs[p], b) - target[b]));
        }
      }
    }
    double[][] rotation = nearestOrthogonal(product);
    double[][] points = new double[map.size()][];
    for (int i = 0; i < points.length; i++) {
      points[i] = target.clone();
      for (int a = 0; a < dimensions; a++) {
        for (int b = 0; b < dimensions; b++) {
          points[i][b] += (map.get(i, a) - mean[a]) * rotation[a][b];
        }
      }
    }
    double squares = 0;
    for (int p = 0; p < ours.length; p++) {
      for (int d = 0; d < dimensions; d++) {
        double difference = points[ours[p]][d] - reference.get(theirs[p], d);
        squares += difference * difference;
      }
    }
    return new Procrustes(
        Embedding.of(map.names(), points, map.method() + ", aligned on " + ours.length + " models"),
        rotation,
        Math.sqrt(squares / ours.length),
        ours.length);
  }

  /** Where each model is. */
  static Map<String, Integer> places(Embedding map) {
    Map<String, Integer> places = new HashMap<>();
    for (int i = 0; i < map.size(); i++) {
      if (places.put(map.names().get(i), i) != null) {
        throw new IllegalArgumentException(
            "\"" + map.names().get(i) + "\" is twice on a map (" + map.method() + ")");
      }
    }
    return places;
  }

  private static String some(List<String> names) {
    return names.isEmpty() ? "empty" : "\"" + names.get(0) + "\" …";
  }

  private static double[] mean(Embedding map, int[] models) {
    double[] mean = new double[map.dimensions()];
    for (int d = 0; d < mean.length; d++) {
      for (int i : models) {
        mean[d] += map.get(i, d);
      }
      mean[d] /= models.length;
    }
    return mean;
  }

  private static double[][] nearestOrthogonal(DMatrixRMaj product) {
    int dimensions = product.numRows;
    SingularValueDecomposition_F64<DMatrixRMaj> svd =
        DecompositionFactory_DDRM.svd(dimensions, dimensions, true, true, false);
    if (!svd.decompose(product)) {
      throw new LlmapException("the maps have coordinates too large to align");
    }
    DMatrixRMaj rotation = new DMatrixRMaj(dimensions, dimensions);
    CommonOps_DDRM.mult(svd.getU(null, false), svd.getV(null, true), rotation);
    double[][] rows = new double[dimensions][dimensions];
    for (int a = 0; a < dimensions; a++) {
      for (int b = 0; b < dimensions; b++) {
        rows[a][b] = rotation.get(a, b);
      }
    }
    return rows;
  }

  /**
   * The map over the reference.
   *
   * @return the points of the map, in its order
   */
  public Embedding aligned() {
    return aligned;
  }

  /**
   * The rotation, a reflection if its determinant is −1.
   *
   * @return R, D × D, a new array: a row vector x of the centred map becomes x·R
   */
  public double[][] rotation() {
    return Arrays.stream(rotation).map(double[]::clone).toArray(double[][]::new);
  }

  /**
   * How far shared models are from their places on the reference.
   *
   * @return the root of the mean squared distance
   */
  public double residual() {
    return residual;
  }

  /**
   * How many models the alignment is from.
   *
   * @return the number of names on both maps, at least 1
   */
  public int shared() {
    return shared;
  }
}
