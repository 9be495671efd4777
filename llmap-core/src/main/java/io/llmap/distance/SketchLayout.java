package io.llmap.distance;

/**
 * Which tokens the columns of a {@link SketchMatrix} are of.
 *
 * @param starts the first sketch of each of the N texts, then their number
 * @param tokens the tokens of all texts
 * @param tokensPerSketch how many neighbouring tokens of a text are summed at most
 * @param ratioStep the ratio is taken from every so many-th token of all texts
 * @param meanCoveredBytes mean over texts of the bytes of these tokens
 */
record SketchLayout(
    int[] starts, long tokens, int tokensPerSketch, int ratioStep, double meanCoveredBytes) {}
