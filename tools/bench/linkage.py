"""Hierarchical clustering of 5,000 models, against scipy.cluster.hierarchy.linkage (compiled C).

Usage: python tools/bench/linkage.py [models]
"""
import os
import sys

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist, squareform

import common

ROUNDS = 5


def main():
    models = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    random = np.random.default_rng(20251124)
    families = 5 * random.normal(size=(60, 30))
    points = families[random.integers(0, len(families), models)] + random.normal(size=(models, 30))
    euclidean = pdist(points)
    folder = common.work_folder()
    print(common.machine())
    for method in ("average", "complete", "single", "ward"):
        condensed = euclidean if method == "ward" else euclidean**2
        triangle, heights = os.path.join(folder, "triangle"), os.path.join(folder, "heights")
        squareform(condensed)[np.tril_indices(models, -1)].astype("<f8").tofile(triangle)
        peer = common.best(lambda: linkage(condensed, method), ROUNDS)
        ours = float(common.java("LinkageBench.java", method.upper(), models, triangle, heights, 2 * ROUNDS))
        peer = min(peer, common.best(lambda: linkage(condensed, method), ROUNDS))
        expected = linkage(condensed, method)[:, 2:]
        np.testing.assert_allclose(np.loadtxt(heights), expected, rtol=1e-8, atol=0)
        common.row("%s linkage, %d models" % (method, models), "scipy", peer, ours, 1.0)
    common.remove(folder)


if __name__ == "__main__":
    main()
