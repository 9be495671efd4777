"""Draws docs/images/estimator.png from the figures that EstimatorFigures wrote."""

import csv
import json
import pathlib
import statistics

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIGURES = ROOT / "llmap-examples/src/test/resources/io/llmap/examples/estimator"
ZOO = ROOT / "llmap-examples/src/main/resources/io/llmap/examples/zoo/zoo.json"
OUT = ROOT / "docs/images/estimator.png"

SEGMENTS = "#1f6fb4"
VARIANCE = "#d9722e"
SKETCH = "#2b8a57"
INK = "#333333"
NEAR = 0.7


def read(name):
    with open(FIGURES / name, encoding="utf-8") as file:
        lines = [line for line in file if not line.startswith("# ")]
    return list(csv.DictReader(lines, delimiter="\t"))


def key(row):
    return row["first"], row["second"], row["texts"]


def pairs():
    """Every pair with a known truth: its row of estimates with truth and tokens."""
    truths = {key(row): row for row in read("truth.tsv")}
    for row in read("estimates.tsv"):
        truth = truths.get(key(row))
        if truth:
            row["truth"] = (float(truth["forward"]) + float(truth["backward"])) / 2
            row["tokens"] = float(truth["tokens"])
            yield row


def knows(row):
    """As EstimatorTables.Pair.bothKnowTheTexts."""
    models = {model["name"]: model for model in json.loads(ZOO.read_text(encoding="utf-8"))["models"]}

    def origin(model):
        return origin(models[model["parent"]]) if model["parent"] else model["corpus"]

    return all(
        models[row[which]]["relation"] != "checkpoint" and origin(models[row[which]]) in (row["texts"], "mix")
        for which in ("first", "second")
    )


def scatter(axes, rows, column, color, marker, filled=True):
    axes.scatter(
        [row["truth"] / row["tokens"] for row in rows],
        [float(row[column]) / row["tokens"] for row in rows],
        s=18,
        marker=marker,
        facecolors=color if filled else "none",
        edgecolors=color,
        linewidths=0 if filled else 0.8,
        alpha=0.65,
    )


def against_truth(axes, rows):
    ends = [4e-5, 12]
    axes.plot(ends, ends, color=INK, linewidth=1, zorder=1)
    axes.fill_between(
        [ends[0], NEAR],
        [0.75 * ends[0], 0.75 * NEAR],
        [1.35 * ends[0], 1.35 * NEAR],
        color=INK,
        alpha=0.12,
        linewidth=0,
    )
    scatter(axes, rows, "textVariance", VARIANCE, "^")
    scatter(axes, rows, "segments16", SEGMENTS, "o")
    scatter(axes, rows, "sketch", SKETCH, "s")
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=(4e-5, 5e3))
    axes.set_xlabel("true KL, nats per token")
    axes.set_ylabel("estimated KL, nats per token")


def label(axes, x, y, text, color=INK, **style):
    axes.text(x, y, text, color=color, transform=axes.transAxes, **style)


def against_length(axes, rows):
    lengths = {f"first {limit} bytes": limit for limit in (64, 128, 256, 512)} | {"all": 1024}
    near = {key(row)[:2] for row in rows if row["texts"] == "all" and row["truth"] / row["tokens"] < NEAR}
    for column, share, color, marker in (
        ("textVariance", None, VARIANCE, "^"),
        ("segments16", "share16", SEGMENTS, "o"),
        ("sketch", None, SKETCH, "s"),
    ):
        middle, low, high = [], [], []
        for part in lengths:
            ratios = [
                float(row[column]) / (float(row[share]) if share else 1) / row["truth"]
                for row in rows
                if row["texts"] == part and key(row)[:2] in near
            ]
            middle.append(statistics.median(ratios))
            quarters = statistics.quantiles(ratios, n=4)
            low.append(quarters[0])
            high.append(quarters[-1])
        axes.fill_between(lengths.values(), low, high, color=color, alpha=0.15, linewidth=0)
        axes.plot(lengths.values(), middle, color=color, marker=marker, linewidth=1.8)
    axes.axhline(1, color=INK, linewidth=1)
    axes.set(xscale="log", yscale="log", ylim=(0.8, 30))
    axes.set_xticks(list(lengths.values()), [str(limit) for limit in lengths.values()])
    axes.minorticks_off()
    ticks = [1, 2, 5, 10, 20]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xlabel("length of the texts, bytes")
    axes.set_ylabel("estimate / truth")


def main():
    plt.rcParams.update(
        {"font.size": 9, "axes.titlesize": 9.5, "axes.spines.top": False, "axes.spines.right": False}
    )
    rows = list(pairs())
    everything = [row for row in rows if row["texts"] == "all"]
    known = [row for row in rows if knows(row)]
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.4), layout="constrained")
    for each in axes:
        each.grid(True, which="major", color="#e6e6e6", linewidth=0.6)
        each.set_axisbelow(True)
    against_truth(axes[0], known)
    axes[0].set_title(f"One domain that both models know ({len(known)} pairs)", loc="left")
    label(axes[0], 0.04, 0.93, "▲ TEXT_VARIANCE", VARIANCE, weight="bold")
    label(axes[0], 0.04, 0.87, "● SEGMENTS", SEGMENTS, weight="bold")
    label(axes[0], 0.04, 0.81, "■ SKETCH", SKETCH, weight="bold")
    label(axes[0], 0.52, 0.04, "line: truth\nshade: 0.75 – 1.35 × truth", fontsize=8)
    against_truth(axes[1], everything)
    axes[1].set_title(f"All four domains together ({len(everything)} pairs)", loc="left")
    against_length(axes[2], rows)
    axes[2].set_title("All domains, pairs below 0.7 nats per token", loc="left")
    label(axes[2], 0.12, 0.60, "TEXT_VARIANCE", VARIANCE, weight="bold")
    label(axes[2], 0.40, 0.30, "SEGMENTS / centredShare", SEGMENTS, weight="bold")
    label(axes[2], 0.40, 0.10, "SKETCH", SKETCH, weight="bold")
    label(axes[2], 0.03, 0.94, "median and quartiles", fontsize=8)
    OUT.parent.mkdir(exist_ok=True)
    figure.savefig(OUT, dpi=130)


if __name__ == "__main__":
    main()
