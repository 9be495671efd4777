"""t-SNE against scikit-learn's: 1018 models from distances, and 10,000 points.

Both objectives are computed here, from the points that each found, with the affinities of all pairs and in the same
way; a faster map with a higher objective would be no gain. Start: scikit-learn's PCA on points, random on distances,
because it has no other; llmap's classical MDS on both.

    python tools/bench/tsne.py [1018] [exact] [10000]      without arguments: all three

The seconds of llmap are of one map in a warm JVM (the best of some rounds), and of the first one in a new JVM, whose
start and compilation are then in it, but not the reading of the data.
"""
import os
import sys

THREADS = "2"
os.environ.setdefault("OMP_NUM_THREADS", THREADS)
os.environ.setdefault("OPENBLAS_NUM_THREADS", THREADS)

import numpy as np
from sklearn.manifold import TSNE
from sklearn.metrics import pairwise_distances_chunked, pairwise_distances

import common

PERPLEXITY, ITERATIONS = 30, 1000


def families(count, dimensions, seed):
    """Rows in 40 families of unequal size."""
    rng = np.random.default_rng(seed)
    family = (40 * rng.random(count) ** 2).astype(int)
    return 3 * rng.normal(size=(40, dimensions))[family] + rng.normal(size=(count, dimensions))


def conditional(d2, own):
    """p(j|i) of some rows, every β by bisection of its logarithm; own[r] is the column of row r itself."""
    d2 = d2.copy()
    rows = np.arange(len(d2))
    d2[rows, own] = np.inf
    d2 -= d2.min(1, keepdims=True)
    d2 /= np.where(np.isfinite(d2), d2, 0).mean(1, keepdims=True)
    low, high = np.full(len(d2), -20.0), np.full(len(d2), 20.0)
    for _ in range(45):
        middle = (low + high) / 2
        e = np.exp(middle)[:, None] * d2
        w = np.exp(-e)
        total = w.sum(1)
        entropy = np.log(total) + (w * np.where(np.isfinite(e), e, 0)).sum(1) / total
        wide = entropy > np.log(PERPLEXITY)
        low, high = np.where(wide, middle, low), np.where(wide, high, middle)
    return w / total[:, None]


class Objective:
    """Σ p·ln(p/q) over all pairs, with p found once for several maps."""

    def __init__(self, x):
        k = len(x)
        self.p = np.empty((k, k))
        for start in range(0, k, 500):
            own = np.arange(start, min(k, start + 500))
            self.p[own] = conditional(pairwise_distances(x[own], x) ** 2, own)
        for start in range(0, k, 500):
            block = slice(start, min(k, start + 500))
            both = (self.p[block, start:] + self.p[start:, block].T) / (2 * k)
            self.p[block, start:] = both
            self.p[start:, block] = both.T

    def __call__(self, y):
        k, total, sum_p = len(y), 0.0, 0.0
        for start in range(0, k, 500):
            block = slice(start, min(k, start + 500))
            inverse = 1 + pairwise_distances(y[block], y) ** 2
            p = self.p[block]
            some = p > 0
            sum_p += (p[some] * np.log(p[some] * inverse[some])).sum()
            total += (1 / inverse).sum()
        return sum_p + np.log(total - k)


def llmap(folder, x, gradient, source, rounds, vector):
    data, out = os.path.join(folder, "x.npy"), os.path.join(folder, "map.bin")
    np.save(data, x)
    printed = common.java("TsneBench.java", data, gradient, ITERATIONS, source, rounds, out, vector=vector)
    seconds = [float(line) for line in printed.split()]
    return seconds[0], min(seconds), np.fromfile(out).reshape(-1, 2)


def compare(job, x, method, gradient, source, goal, rounds, peer_rounds):
    objective = Objective(x)
    if source == "distances":
        given = pairwise_distances(x)
        settings = dict(metric="precomputed", init="random")
    else:
        given, settings = x, dict(init="pca")
    peer, folder = [], common.work_folder()
    try:
        cold, warm, mine = llmap(folder, x, gradient, source, rounds, vector=True)
        for _ in range(peer_rounds):
            tsne = TSNE(perplexity=PERPLEXITY, method=method, max_iter=ITERATIONS, n_jobs=int(THREADS), random_state=0,
                        **settings)
            peer.append(common.best(lambda: tsne.fit(given), 1))
        plain_cold, plain_warm, plain = llmap(folder, x, gradient, source, rounds, vector=False)
    finally:
        common.remove(folder)
    if not np.array_equal(mine, plain):
        sys.exit("the map depends on the incubator module")
    name = "scikit-learn " + method
    common.row(job + ", warm JVM", name, min(peer), warm, goal)
    common.row(job + ", the same without the vector module", name, min(peer), plain_warm, goal)
    common.row(job + ", first map of a JVM", name, min(peer), min(cold, plain_cold), goal)
    theirs, ours = objective(tsne.embedding_.astype(np.float64)), objective(mine)
    print("objective over all pairs: scikit-learn %.5f, llmap %.5f (%s)"
          % (theirs, ours, "not higher" if ours <= theirs else "HIGHER"))


if __name__ == "__main__":
    chosen = sys.argv[1:] or ["1018", "exact", "10000"]
    print(common.machine())
    small = families(1018, 50, 1)
    if "1018" in chosen:
        compare("t-SNE, 1018 models from distances", small, "barnes_hut", "AUTOMATIC", "distances", 0.5, 5, 3)
    if "exact" in chosen:
        compare("exact t-SNE, the same", small, "exact", "EXACT", "distances", 0.2, 5, 2)
    if "10000" in chosen:
        compare("t-SNE, 10,000 points of 50 dimensions", families(10_000, 50, 2), "barnes_hut", "AUTOMATIC", "points", 0.7, 2, 1)
