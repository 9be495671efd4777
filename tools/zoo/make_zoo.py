"""Makes the whole zoo: fetches texts, trains, exports, scores, checks and writes the report.

    python tools/zoo/make_zoo.py --work target/zoo

Every step keeps what it made under the work folder and is skipped when that is there; delete the folder (or one
model's) to start over.
"""
import argparse
import copy
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import onnx  # noqa: E402

import corpora  # noqa: E402
import export  # noqa: E402
import fetch  # noqa: E402
import goldens  # noqa: E402
import plan  # noqa: E402
import report  # noqa: E402
import tok  # noqa: E402
import train  # noqa: E402

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
ZOO = REPOSITORY / "llmap-examples/src/main/resources/io/llmap/examples/zoo"
GOLDENS = REPOSITORY / "llmap-examples/src/test/resources/io/llmap/examples/zoo"
DOCUMENT = REPOSITORY / "docs/zoo.md"
HEADS = {"gpt2": "GPT2LMHeadModel", "llama": "LlamaForCausalLM", "gpt_neox": "GPTNeoXForCausalLM",
         "qwen3": "Qwen3ForCausalLM"}


def log(*parts):
    print(*parts, flush=True)


def choose_texts(work, documents, tokenizers):
    cache = work / "texts.json"
    if not cache.exists():
        chosen = corpora.choose_texts(documents, tokenizers.values(), log)
        cache.write_text(json.dumps(chosen, ensure_ascii=False), "utf-8")
    texts, counts = json.loads(cache.read_text("utf-8"))
    ZOO.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(t, ensure_ascii=False, separators=(",", ":")) + "\n" for t in texts]
    (ZOO / "texts.jsonl").write_text("".join(lines), "utf-8", newline="\n")
    return texts, counts


def dump(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8", newline="\n")


def write_configuration(model, folder):
    config = plan.config(model)
    # What differs from the architecture's defaults, and always the things a reader of the file looks for.
    values = config.to_diff_dict()
    values.pop("use_cache", None)
    values.pop("_name_or_path", None)
    context = "n_positions" if model.architecture == "gpt2" else "max_position_embeddings"
    values.update({"bos_token_id": config.bos_token_id, "eos_token_id": config.eos_token_id, context: plan.CONTEXT,
                   "vocab_size": config.vocab_size, "tie_word_embeddings": True,
                   "architectures": [HEADS[model.architecture]]})
    dump(folder / "config.json", dict(sorted(values.items())))
    spec = tok.SPEC[model.tokenizer]
    dump(folder / "tokenizer_config.json", {
        "add_bos_token": spec["bos"] is not None, "add_eos_token": False, "add_prefix_space": False,
        "bos_token": spec["bos"],
        "clean_up_tokenization_spaces": False, "eos_token": spec["eos"], "model_max_length": plan.CONTEXT,
        "tokenizer_class": "PreTrainedTokenizerFast"})


def export_models(work):
    """Exports every trained model and its quantised twins; returns the catalogue's entries in display order."""
    scratch = work / "export"
    scratch.mkdir(exist_ok=True)
    for model in plan.MODELS:
        folder = ZOO / model.name
        target = folder / "model.onnx"
        source = model.parent if model.relation == "quantised" else model.name
        trained = work / "models" / source / "facts.json"
        folder.mkdir(parents=True, exist_ok=True)
        write_configuration(model, folder)
        (folder / "tokenizer.json").write_bytes((work / f"tokenizer-{model.tokenizer}.json").read_bytes())
        if target.exists() and target.stat().st_mtime > trained.stat().st_mtime:
            continue
        full = export.to_onnx(export.rounded(work, source), scratch / "full.onnx")
        if model.name.endswith("-dynamic"):
            full = export.dynamic_int8(full, scratch)
        elif model.relation == "quantised":
            full = export.weight_only_int8(full)
        result = export.halve(copy.deepcopy(full))
        onnx.checker.check_model(result, full_check=True)
        onnx.save(result, str(target))
        log(model.name, target.stat().st_size)


def write_catalogue(work):
    entries = []
    for model in plan.MODELS:
        source = model.parent if model.relation == "quantised" else model.name
        facts = json.loads((work / "models" / source / "facts.json").read_text())
        entries.append({"name": model.name, "corpus": model.corpus, "architecture": model.architecture,
                        "tokenizer": model.tokenizer, "size": model.size, "seed": model.seed,
                        "parameters": facts["parameters"], "steps": facts["steps"], "parent": model.parent,
                        "relation": model.relation})
    body = ",\n".join("    " + json.dumps(e) for e in entries)
    text = '{\n  "texts": "texts.jsonl",\n  "models": [\n' + body + "\n  ]\n}\n"
    (ZOO / "zoo.json").write_text(text, "utf-8", newline="\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True, type=pathlib.Path,
                        help="folder for everything that is not kept in the repository")
    parser.add_argument("--processes", type=int, default=2, help="training processes, one thread each")
    options = parser.parse_args()
    work = options.work.resolve()
    (work / "models").mkdir(parents=True, exist_ok=True)
    fetch.main(work)
    documents = corpora.read_documents(work)
    tokenizers = tok.load_or_train(work, documents)
    texts, counts = choose_texts(work, documents, tokenizers)
    train.main(work, options.processes)
    export_models(work)
    write_catalogue(work)
    rows, checks = goldens.score_all(work, ZOO, texts, tokenizers, log)
    goldens.write(work, GOLDENS, rows, texts, tokenizers)
    tables, _ = report.make(work, ZOO, rows, checks, texts, counts, tokenizers, log)
    report.fill(DOCUMENT, tables)


if __name__ == "__main__":
    main()
