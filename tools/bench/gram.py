"""Clip, centre, KL of all pairs: numpy with OpenBLAS against llmap, 1018 models on 10,000 texts.

    python tools/bench/gram.py             the comparison, vector and scalar kernel
    python tools/bench/gram.py --memory    10,000 x 10,000 in a heap of 8 GB (--heap sets another)
    python tools/bench/gram.py --scaling FILE.tsv    seconds by numbers of models and texts
"""
import argparse
import os

import numpy as np

import common

MODELS, TEXTS = 1018, 10_000


def data():
    """Log-likelihoods in families, a text's difficulty common to all, a few texts that break a model."""
    rng = np.random.default_rng(20)
    text = -600 + 120 * rng.standard_normal(TEXTS)
    family = 25 * rng.standard_normal((60, TEXTS))
    values = text + family[np.arange(MODELS) % 60] + 8 * rng.standard_normal((MODELS, TEXTS))
    values += 40 * rng.standard_normal((MODELS, 1))
    # Quantised twins: the pairs whose distance cancels in the Gram matrix.
    values[1::100] = values[0::100][:len(values[1::100])] + 0.001 * rng.standard_normal((len(values[1::100]), TEXTS))
    broken = rng.random((MODELS, TEXTS)) < 1e-4
    values[broken] = -20_000 * rng.random(broken.sum())
    return np.minimum(values, -0.01)


def numpy_kl(raw):
    clipped = np.maximum(raw, np.quantile(raw, 0.02))
    q = clipped - clipped.mean(axis=1, keepdims=True)
    q -= q.mean(axis=0)
    gram = q @ q.T
    squares = np.diag(gram)
    kl = (squares[:, None] + squares - 2 * gram) / (2 * raw.shape[1])
    np.fill_diagonal(kl, 0)
    return kl


def compare(turns, rounds):
    folder = common.work_folder()
    try:
        raw = data()
        source, result = os.path.join(folder, "raw.npy"), os.path.join(folder, "kl.f64")
        np.save(source, raw)
        expected = numpy_kl(raw)
        peer, seconds, steps = [], {"vector": [], "scalar": []}, {}
        for _ in range(turns):
            peer.append(common.best(lambda: numpy_kl(raw), rounds))
            for kernel in seconds:
                printed = common.java("GramBench.java", "pipeline", source, result, 3 * rounds,
                                      jvm=("-Dllmap.kernel=" + kernel,)).split()
                seconds[kernel].append(float(printed[0]))
                if seconds[kernel][-1] == min(seconds[kernel]):
                    steps[kernel] = printed[1:]
                kl = np.fromfile(result, "<f8").reshape(expected.shape)
                # numpy loses what cancels: an absolute bound from the squares that it subtracts.
                lost = 1e-13 * expected.max()
                worst = np.max(np.abs(kl - expected) / (np.abs(expected) * 1e-9 + lost))
                if not worst <= 1:
                    raise SystemExit("the results differ: %g times the bound" % worst)
        print(common.machine())
        print("| job | peer | llmap | ratio | goal | |")
        print("|---|---|---|---|---|---|")
        for kernel, goal in (("vector", 1.0), ("scalar", 6.0)):
            common.row("%d x %d: clip, centre, KL of all pairs, %s" % (MODELS, TEXTS, kernel), "numpy", min(peer),
                       min(seconds[kernel]), goal)
            print("seconds for threshold, centring, distances: " + " ".join(steps[kernel]))
    finally:
        common.remove(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--heap", default="8g")
    parser.add_argument("--scaling", metavar="FILE")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    if options.memory:
        print(common.machine())
        print(common.java("GramBench.java", "memory", 10_000, 10_000, jvm=("-Xmx" + options.heap,)), end="")
    elif options.scaling:
        with open(options.scaling, "w") as out:
            out.write(common.java("GramBench.java", "scaling"))
    else:
        compare(options.turns, options.rounds)


if __name__ == "__main__":
    main()
