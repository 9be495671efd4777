package io.llmap.predict;

import static org.assertj.core.api.Assertions.assertThat;

import io.llmap.distance.DistanceMatrix;
import io.llmap.distance.KlDistances;
import io.llmap.matrix.CenteredMatrix;
import io.llmap.testing.GoldenFiles;
import io.llmap.testing.PackageExample;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PackageExampleTest {
  @Test
  void exampleOfThePackageDocumentationIsTheCodeOfThisTest() throws IOException {
    CenteredMatrix q = Golden.coordinates();
    double[] scores = GoldenFiles.vector("ridge_target.npy");
    List<String> families = IntStream.range(0, 60).mapToObj(i -> "f" + i / 10).toList();
    double[] logLikelihoods = GoldenFiles.logLikelihoods().row(20);

    // example
    DistanceMatrix squared = KlDistances.of(q).squaredEuclidean();
    OutOfFold result = CrossValidation.grouped(5, families).predict(squared, scores);
    System.out.println("r = " + result.pearson() + " over " + result.size() + " models");
    RidgeRegression ridge = RidgeRegression.fit(q, scores, 1e5);
    System.out.println("the new model should have " + ridge.predict(q.project(logLikelihoods)));
    // end

    assertThat(ridge.predict(q.project(logLikelihoods))).isEqualTo(ridge.predict(q.row(20)));
    PackageExample.assertDocumented(getClass());
  }
}
