"""Checks what the map of the zoo shows, in numpy, and writes the tables of docs/zoo.md between their markers."""
import collections
import json
import math
import re

import numpy as np

import plan
from corpora import DOMAINS


def distances(matrix):
    """Variance over texts of the difference of clipped log-likelihoods, the squared distance of the map over N."""
    clipped = np.maximum(matrix, np.quantile(matrix, 0.02))
    centred = clipped - clipped.mean(axis=1, keepdims=True)
    return ((centred[:, None, :] - centred[None, :, :]) ** 2).mean(axis=2)


def lineage(model):
    """The corpora a model has seen."""
    corpora = {model.corpus}
    while model.parent:
        model = plan.by_name(model.parent)
        corpora.add(model.corpus)
    # The fine-tuning corpora are parts of larger ones.
    part_of = {"speeches": "general", "javascript": "code", "french": "multi"}
    return {part_of.get(c, c) for c in corpora}


def facts(names, matrix):
    distance = distances(matrix)
    index = {name: i for i, name in enumerate(names)}
    models = [plan.by_name(name) for name in names]
    result = {}
    lines = []
    for m in models:
        if m.relation == "quantised":
            order = np.argsort(distance[index[m.name]] + np.where(np.arange(len(names)) == index[m.name], np.inf, 0))
            near, second = names[order[0]], names[order[1]]
            lines.append({"twin": m.name, "nearest": near, "distance": distance[index[m.name], order[0]],
                          "second": second, "second_distance": distance[index[m.name], order[1]], "holds": near == m.parent})
    result["twins"] = lines
    lines = []
    for m in models:
        if m.relation == "fine-tuned":
            to_parent = distance[index[m.name], index[m.parent]]
            others = [(distance[index[m.name], index[o.name]], o.name) for o in models if not lineage(o) & lineage(m)]
            closest = min(others)
            lines.append({"child": m.name, "to_parent": to_parent, "closest_other": closest[1],
                          "closest_other_distance": closest[0], "holds": bool(to_parent < closest[0])})
    result["children"] = lines
    steps = [m.name for m in models if m.relation == "checkpoint"]
    steps.sort(key=lambda name: plan.by_name(name).steps)
    path = [distance[index[name], index[plan.TRAJECTORY]] for name in steps]
    result["trajectory"] = {"models": steps, "distance_to_last": path,
                            "holds": all(a > b for a, b in zip(path, path[1:] + [0.0]))}
    finished = [m for m in models if m.relation is None and m.corpus != "mix"]
    good = total = 0
    failures = collections.Counter()
    for a in finished:
        for b in finished:
            for c in finished:
                if a != b and a.corpus == b.corpus and c.corpus != a.corpus:
                    total += 1
                    ok = distance[index[a.name], index[b.name]] < distance[index[a.name], index[c.name]]
                    good += ok
                    if not ok:
                        failures[f"{a.name} is nearer to {c.name} than to {b.name}"] += 1
    result["triplets"] = {"share": good / total, "count": total, "holds": good / total >= 0.9, "failures": sorted(failures)}
    return result, distance


def entropies(texts, tokenizers_):
    """Empirical unigram entropies of the scored texts in bits per byte: of bytes, and of each tokenizer's tokens."""
    def bits(counts):
        total = sum(counts.values())
        return -sum(n / total * math.log2(n / total) for n in counts.values())

    result = {}
    for domain in DOMAINS:
        mine = [t["text"] for t in texts if t["id"].startswith(domain + "/")]
        data = collections.Counter(b for text in mine for b in text.encode())
        row = {"byte": bits(data)}
        for key, tokenizer in tokenizers_.items():
            counts = collections.Counter(i for text in mine for i in tokenizer.encode(text, add_special_tokens=False).ids)
            row[key] = bits(counts) * sum(counts.values()) / sum(data.values())
        result[domain] = row
    return result


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def yes(flag):
    return "yes" if flag else "**no**"


def make(work, zoo, rows, checks, texts, text_report, tokenizers_, log):
    names = [m.name for m in plan.MODELS]
    matrix = np.stack([rows[name][0] for name in names])
    sizes = np.array([len(t["text"].encode()) for t in texts])
    domain_of = np.array([t["id"].split("/")[0] for t in texts])
    bpb = -matrix / (sizes * math.log(2))
    entropy = entropies(texts, tokenizers_)
    whole, distance = facts(names, matrix)
    halves = []
    for seed in (1, 2):
        chosen = np.sort(np.random.default_rng(seed).permutation(len(texts))[:len(texts) // 2])
        halves.append(facts(names, matrix[:, chosen])[0])

    tables = {}
    catalogue = {m["name"]: m for m in json.loads((zoo / "zoo.json").read_text())["models"]}
    trained = {m.name: json.loads((work / "models" / m.name / "facts.json").read_text()) for m in plan.MODELS
               if m.relation != "quantised"}
    model_rows, total_seconds = [], 0.0
    for m in plan.MODELS:
        c = catalogue[m.name]
        f = trained.get(m.name)
        if f and m.relation != "checkpoint":
            total_seconds += f["seconds"]
        model_rows.append([f"`{m.name}`", m.corpus, m.architecture, m.tokenizer.upper(), m.size, m.seed,
                           f"{c['parameters']:,}", c["steps"], f"{f['tokens'] / 1e6:.2f}" if f else "",
                           f"`{m.parent}`" if m.parent else "", m.relation or "",
                           f"{(zoo / m.name / 'model.onnx').stat().st_size / 1000:.0f}"])
    tables["models"] = table(["model", "corpus", "architecture", "tokenizer", "size", "seed", "parameters", "steps",
                              "million tokens", "parent", "relation", "kB"], model_rows)
    means = {name: {d: float(bpb[i][domain_of == d].mean()) for d in DOMAINS} for i, name in enumerate(names)}
    tables["bpb"] = table(["model"] + DOMAINS, [[f"`{n}`"] + [
        f"**{means[n][d]:.3f}**" if means[n][d] == min(means[n].values()) else f"{means[n][d]:.3f}" for d in DOMAINS]
        for n in names])
    tables["entropy"] = table(["unigram entropy, bits per byte"] + DOMAINS, [
        [label] + [f"{entropy[d][key]:.3f}" for d in DOMAINS]
        for label, key in (("bytes", "byte"), ("tokens of A", "a"), ("tokens of B", "b"))])
    tables["texts"] = table(["domain", "texts", "mean bytes", "held-out chunks of 900 bytes or more",
                             "unknown to training", "at most 512 tokens", "largest share of known 8-word sequences"], [
        [d, text_report[d]["chosen"], f"{sizes[domain_of == d].mean():.0f}", text_report[d]["held_out_nearly_full_chunks"],
         text_report[d]["unknown_to_training"], text_report[d]["at_most_512_tokens"],
         f"{100 * text_report[d]['most_shared']:.1f} %"] for d in DOMAINS])
    sets = [whole] + halves
    tables["twins"] = table(["twin", "nearest", "distance", "second nearest", "distance", "holds: all texts", "half 1",
                             "half 2"], [
        [f"`{t['twin']}`", f"`{t['nearest']}`", f"{t['distance']:.3g}", f"`{t['second']}`", f"{t['second_distance']:.0f}"]
        + [yes(s["twins"][i]["holds"]) for s in sets] for i, t in enumerate(whole["twins"])])
    tables["children"] = table(["child", "distance to its parent", "nearest model of another corpus", "distance",
                                "holds: all texts", "half 1", "half 2"], [
        [f"`{t['child']}`", f"{t['to_parent']:.0f}", f"`{t['closest_other']}`", f"{t['closest_other_distance']:.0f}"]
        + [yes(s["children"][i]["holds"]) for s in sets] for i, t in enumerate(whole["children"])])
    path = whole["trajectory"]
    tables["trajectory"] = table(["checkpoint", "distance to the last: all texts", "half 1", "half 2"], [
        [f"`{n}`"] + [f"{s['trajectory']['distance_to_last'][i]:.0f}" for s in sets] for i, n in enumerate(path["models"])])
    tables["triplets"] = table(["texts", "triplets in order", "of"], [
        [label, f"{100 * s['triplets']['share']:.1f} %", s["triplets"]["count"]]
        for label, s in zip(("all", "half 1", "half 2"), sets)])

    own = []
    for m in plan.MODELS:
        domain = {"speeches": "general", "javascript": "code", "french": "multi"}.get(m.corpus, m.corpus)
        if m.relation is None and domain != "mix":
            best = min(means[m.name], key=means[m.name].get)
            own.append({"model": m.name, "best": best, "holds": best == domain,
                        "below_unigram": bool(means[m.name][domain] < entropy[domain][m.tokenizer])})
    result = {"facts": {"all": whole, "half1": halves[0], "half2": halves[1]}, "own_domain": own,
              "bits_per_byte": means,
              "entropy": entropy, "checks": checks, "training_seconds": total_seconds,
              "clip": float(np.quantile(matrix, 0.02)),
              "bytes": sum(p.stat().st_size for p in zoo.rglob("*") if p.is_file())}
    (work / "report.json").write_text(json.dumps(result, indent=1, default=float) + "\n")
    np.savez(work / "matrix.npz", names=names, matrix=matrix, distance=distance)
    tables["totals"] = table(["", ""], [
        ["models", len(names)], ["texts", len(texts)],
        ["files together", f"{result['bytes'] / 1e6:.1f} MB"],
        ["training, summed over models", f"{total_seconds / 60:.0f} core minutes"],
        ["clipping threshold (2 % quantile)", f"{result['clip']:.1f}"],
        ["ONNX against PyTorch, largest relative difference of a text's log-likelihood",
         f"{max(c['onnx_against_torch'] for c in checks.values()):.1e}"],
        ["padded against alone, largest difference of a logit (dynamic twin left out)",
         f"{max(c['padded_against_alone'] for n, c in checks.items() if not n.endswith('-dynamic')):.1e}"],
        ["the same for the dynamic twin",
         f"{max(c['padded_against_alone'] for n, c in checks.items() if n.endswith('-dynamic')):.2g}"]])
    for name, text in tables.items():
        (work / f"table-{name}.md").write_text(text + "\n")
    log(tables["bpb"])
    log(tables["entropy"])
    return tables, result


def fill(document, tables):
    """Replaces what stands between `<!-- table NAME -->` and `<!-- end -->`."""
    text = document.read_text("utf-8")
    for name, body in tables.items():
        text, count = re.subn(rf"(<!-- table {name} -->\n).*?(<!-- end -->)",
                              lambda m: m.group(1) + body + "\n" + m.group(2), text, flags=re.S)
        if count == 0:
            raise ValueError(f"{document.name} has no place for the table {name}")
    document.write_text(text, "utf-8")
