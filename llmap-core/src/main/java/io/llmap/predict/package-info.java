/**
 * Scores of a benchmark from the place of a model on the map (2502.16173, section 5).
 *
 * <p>Ridge regression on the model coordinates, N of them for K models, K far below N, so it is
 * solved by the distances between models:
 *
 * <pre>(G + α·I)·a = y − ȳ,   w = Xᵀ·a,   G = X·Xᵀ = −½·J·[‖x_i − x_j‖²]·J,   J = I − 1·1ᵀ/K</pre>
 *
 * <p>with all means taken over the models that are trained on, and over no other. Separate from
 * {@code io.llmap.distance} because here numbers from outside the texts come in. A family of models
 * that is partly trained on tells much about its other members: {@link
 * io.llmap.predict.CrossValidation#grouped(int, java.util.List)} leaves out whole families.
 *
 * <pre>{@code
 * DistanceMatrix squared = KlDistances.of(q).squaredEuclidean();
 * OutOfFold result = CrossValidation.grouped(5, families).predict(squared, scores);
 * System.out.println("r = " + result.pearson() + " over " + result.size() + " models");
 * RidgeRegression ridge = RidgeRegression.fit(q, scores, 1e5);
 * System.out.println("the new model should have " + ridge.predict(q.project(logLikelihoods)));
 * }</pre>
 */
@NullMarked
package io.llmap.predict;

import org.jspecify.annotations.NullMarked;
