"""UMAP against umap-learn, seeded, on families of points in 50 dimensions.

Both get the points: llmap's time includes the distances between them. umap-learn is timed twice in one process: its
first run compiles, the second does not. A seeded umap-learn runs its descent on one thread, as llmap always does.

Usage: python3 tools/bench/umap.py [points ...]      (1000 and 10000 when none are given; needs umap-learn)
"""
import os
import sys
import warnings

# This script has the name of the module it measures.
sys.path = [p for p in sys.path if os.path.abspath(p or ".") != os.path.dirname(os.path.abspath(__file__))]
import numpy as np
import umap

sys.path.append(os.path.dirname(os.path.abspath(__file__)))
import common


def families(points, seed=20251124):
    """Families of 25 around centres that are nearer to some centres than to others, in 50 dimensions."""
    rng = np.random.default_rng(seed)
    regions = rng.normal(0, 3, (10, 50))
    count = points // 25
    centres = regions[rng.integers(10, size=count)] + rng.normal(0, 1.5, (count, 50))
    return centres[rng.integers(count, size=points)] + rng.normal(0, 1, (points, 50))


def main():
    warnings.simplefilter("ignore")
    print(common.machine())
    print("umap-learn", umap.__version__)
    print("| job | peer | llmap | ratio | goal | |")
    for count in [int(a) for a in sys.argv[1:]] or [1000, 10000]:
        points = families(count)
        folder = common.work_folder()
        source, ours, theirs = (os.path.join(folder, name) for name in ("points.npy", "ours.npy", "theirs.npy"))
        np.save(source, points)
        maps = []
        run = lambda: maps.append(umap.UMAP(random_state=42).fit_transform(points))
        compiling = common.best(run, 1)
        peer = common.best(run, 1)
        np.save(theirs, maps[-1].astype(np.float64))
        seconds, distances, quality, peer_quality = map(
            float, common.java("UmapBench.java", source, ours, 3, theirs).split())
        common.row("UMAP, %d points" % count, "umap-learn", peer, seconds, 0.5)
        print("  umap-learn with compilation %.3f s; %.3f s of llmap's are distances; trustworthiness for 15 "
              "neighbours: umap-learn %.4f, llmap %.4f" % (compiling, distances, peer_quality, quality))
        common.remove(folder)


if __name__ == "__main__":
    main()
