"""Draws how the cost of all distances grows, from the table that `gram.py --scaling FILE` writes.

Run: python tools/bench/plot_scaling.py FILE docs/images/scaling.png
"""
import csv
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

STEPS = (("clip_seconds", "threshold", "#999999"), ("centre_seconds", "clip and centre", "#d95f02"),
         ("distances_seconds", "all distances", "#1f6fb4"))


def panel(axes, rows, key, title, power):
    x = [int(row[key]) for row in rows]
    for column, label, colour in STEPS:
        y = [float(row[column]) for row in rows]
        axes.loglog(x, y, "o-", color=colour, label=label)
    last = float(rows[-1]["distances_seconds"])
    axes.loglog(x, [last * (value / x[-1]) ** power for value in x], "--", color="#1f6fb4", alpha=0.5, linewidth=1,
                label="grows as %s%s" % ("K" if key == "models" else "N", "²" if power == 2 else ""))
    axes.set_xlabel("models, K" if key == "models" else "texts, N")
    axes.set_ylabel("seconds")
    axes.set_title(title, fontsize=10)
    axes.grid(True, which="major", color="#e5e5e5")
    axes.legend(frameon=False, fontsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def main(source, target):
    with open(source) as f:
        rows = list(csv.DictReader(f, delimiter="\t"))
    by_models = sorted((r for r in rows if r["texts"] == "10000"), key=lambda r: int(r["models"]))
    by_texts = sorted((r for r in rows if r["models"] == "1018"), key=lambda r: int(r["texts"]))
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), constrained_layout=True)
    panel(left, by_models, "models", "10,000 texts", 2)
    panel(right, by_texts, "texts", "1018 models", 1)
    figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main(*sys.argv[1:])
