"""Bootstrap over texts of all KL distances with 95 % intervals: numpy against llmap on the same draws.

numpy does what a user would write: gather the drawn columns, centre, multiply, keep every replicate, take
percentiles. llmap also follows the ten nearest models of each model meanwhile.

    python tools/bench/bootstrap.py [models texts replicates]
"""
import os
import sys
import time

import numpy as np

import common


def log_likelihoods(models, texts):
    """30 families over texts that are easy or hard for all of them, clipped at 2 %."""
    rng = np.random.default_rng(1)
    families = rng.normal(0, 30, size=(30, texts))
    values = (rng.normal(-1000, 40, size=(models, 1)) + rng.normal(0, 120, size=texts)
              + families[np.arange(models) % 30] + rng.normal(0, 8, size=(models, texts)))
    return np.maximum(values, np.quantile(values, 0.02))


def numpy_bootstrap(values, draws):
    models, texts = values.shape
    below = np.tril_indices(models, -1)
    kept = np.empty((len(draws), len(below[0])))
    for replicate, draw in enumerate(draws):
        x = values[:, draw]
        x -= x.mean(axis=1, keepdims=True)
        gram = x @ x.T
        squares = gram.diagonal()
        kept[replicate] = (squares[:, None] + squares - 2 * gram)[below]
    kept /= 2 * texts
    return kept


def main(models=1018, texts=10000, replicates=200):
    folder = common.work_folder()
    try:
        values = log_likelihoods(models, texts)
        np.save(os.path.join(folder, "clipped.npy"), values)
        common.java("BootstrapBench.java", "draws", folder, replicates, jvm=["-Xmx4g"])
        counts = np.fromfile(os.path.join(folder, "counts"), dtype=np.uint8).reshape(replicates, texts)
        rng = np.random.default_rng(2)
        draws = [rng.permutation(np.repeat(np.arange(texts), c)) for c in counts]

        numpy_bootstrap(values, draws[:2])
        start = time.perf_counter()
        kept = numpy_bootstrap(values, draws)
        replicate_seconds = time.perf_counter() - start
        lower, upper = np.percentile(kept, [2.5, 97.5], axis=0)
        numpy_seconds = time.perf_counter() - start
        del kept
        llmap_seconds = float(common.java("BootstrapBench.java", "run", folder, replicates, jvm=["-Xmx4g"]))

        for name, expected in (("lower", lower), ("upper", upper)):
            actual = np.fromfile(os.path.join(folder, name), dtype=">f8")
            np.testing.assert_allclose(actual, expected, rtol=1e-9)
    finally:
        common.remove(folder)
    print(common.machine())
    job = "bootstrap, %d models x %d texts, %d replicates" % (models, texts, replicates)
    common.row(job + ", distances", "numpy", replicate_seconds, llmap_seconds, 0.5)
    common.row(job + ", distances and intervals", "numpy", numpy_seconds, llmap_seconds, 0.5)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
