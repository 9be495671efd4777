"""Log-softmax and gather: llmap's kernels against numpy and PyTorch, milliseconds a row.

    python tools/bench/kernel.py [--jvm=-XX:UseAVX=2]

Logits lie in memory, 64 rows at each vocabulary, more than a second-level cache; normal with a standard deviation of 3.
numpy and llmap use one thread, PyTorch one and two. What llmap gives is compared with numpy in double precision.
"""
import argparse
import os

import numpy as np
import torch

import common

ROWS = 64
VOCABULARIES = (50_257, 151_936, 256_000)
TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
# Milliseconds a row of the vector kernel on one AVX2 core.
GOALS = {50_257: 0.045, 151_936: 0.13}


def by_numpy(logits, targets):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted[np.arange(ROWS), targets] - np.log(np.exp(shifted).sum(axis=1))


def by_torch(logits, targets):
    return torch.log_softmax(logits, dim=-1).gather(1, targets[:, None])


def by_cross_entropy(logits, targets):
    return torch.nn.functional.cross_entropy(logits, targets, reduction="none")


def peers(logits, targets, kind, rounds):
    """Milliseconds a row of each peer; 16-bit logits as each takes them best."""
    torch.set_num_threads(1)
    index = torch.from_numpy(targets.astype(np.int64))
    milliseconds = {}

    def take(name, call):
        call()
        milliseconds[name] = 1e3 * common.best(call, rounds) / ROWS

    if kind == "F32":
        take("numpy", lambda: by_numpy(logits.numpy(), targets))
    take("log_softmax, 1 thread", lambda: by_torch(logits, index))
    take("cross_entropy, 1 thread", lambda: by_cross_entropy(logits, index))
    torch.set_num_threads(2)
    take("log_softmax, 2 threads", lambda: by_torch(logits, index))
    take("cross_entropy, 2 threads", lambda: by_cross_entropy(logits, index))
    return milliseconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jvm", default="", help="more options for java")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--only-llmap", action="store_true")
    options = parser.parse_args()
    folder = common.work_folder()
    try:
        cases, arguments = [], []
        for vocabulary in VOCABULARIES:
            rng = np.random.default_rng(vocabulary)
            targets = rng.integers(0, vocabulary, ROWS).astype("<i4")
            full = torch.from_numpy(3 * rng.standard_normal((ROWS, vocabulary), dtype=np.float32))
            chosen = os.path.join(folder, "targets-%d" % vocabulary)
            targets.tofile(chosen)
            for kind, dtype in TYPES.items():
                logits = full.to(dtype)
                path = os.path.join(folder, "%s-%d" % (kind, vocabulary))
                logits.view(torch.uint8).numpy().tofile(path)
                cases.append((vocabulary, kind, logits, targets))
                arguments += [kind, ROWS, vocabulary, path, chosen]
        expected = [by_numpy(logits.double().numpy(), targets) for _, _, logits, targets in cases]
        results = os.path.join(folder, "results")
        ours = {}
        for kernel, rounds in (("vector", options.rounds), ("scalar", max(20, options.rounds // 15))):
            printed = common.java("KernelBench.java", results, rounds, *arguments,
                                  jvm=("-Dllmap.kernel=" + kernel, *options.jvm.split())).split()
            ours[kernel] = 1e3 * np.array(printed, dtype=float) / ROWS
            with open(results) as lines:
                for line, right in zip(lines, expected):
                    error = np.abs(np.array(line.split(), dtype=float) - right)
                    if not np.all(error <= 2.0**-23 * (np.abs(right) + 26)):
                        raise SystemExit("%s kernel: off by %g" % (kernel, error.max()))
        print(common.machine() + ", " + (options.jvm or "all vector widths"))
        print("\n| V | logits | vector | scalar | peers, ms a row | goal |\n|---|---|---|---|---|---|")
        for i, (vocabulary, kind, logits, targets) in enumerate(cases):
            others = {} if options.only_llmap else peers(logits, targets, kind, max(5, options.rounds // 30))
            goal = GOALS.get(vocabulary) if kind == "F32" else None
            met = "" if goal is None else "≤ %g %s" % (goal, "met" if ours["vector"][i] <= goal else "missed")
            print("| %d | %s | %.4f | %.3f | %s | %s |"
                  % (vocabulary, kind, ours["vector"][i], ours["scalar"][i],
                     ", ".join("%s %.3f" % other for other in others.items()), met))
    finally:
        common.remove(folder)


if __name__ == "__main__":
    main()
