package io.llmap.embed;

/**
 * Where resampling puts a model: the ellipse of one standard deviation, which holds 39 % of a
 * normal distribution on the plane.
 *
 * @param name the model
 * @param x mean of the aligned maps
 * @param y mean of the aligned maps
 * @param semiMajor the standard deviation along the longer axis
 * @param semiMinor the standard deviation across it
 * @param angle from the x axis to the longer axis, in radians, above −π/2 and up to π/2
 */
public record ErrorEllipse(
    String name, double x, double y, double semiMajor, double semiMinor, double angle) {}
