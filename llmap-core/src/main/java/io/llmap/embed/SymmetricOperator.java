package io.llmap.embed;

/** A symmetric K × K matrix, known by what it does to vectors. */
interface SymmetricOperator {
  /** K. */
  int size();

  /** The products with several vectors, each in an array of its own that is new. */
  double[][] multiply(double[][] vectors);
}
