"""PyTorch reference values for the tests, and the check that the ONNX files agree with them.

Every text is scored alone and unpadded in float32; log-softmax and sums are taken in float64.
"""
import json
import platform

import numpy as np
import onnx
import onnxruntime
import tokenizers
import torch
import transformers
from onnx import numpy_helper

import export
import plan
import tok

# One model of each architecture, both tokenizers; the first is also scored with the other prefix rule.
TOKEN_MODELS = [("gpt2-general-a", ["document-start", "tokenizer"]), ("llama-legal-b", ["document-start", "tokenizer"]),
                ("neox-multi-a", ["document-start"]), ("qwen3-code-a", ["document-start"])]


def document_start(tokenizer, key, text):
    return [tok.prefix_id(tokenizer, key)] + tokenizer.encode(text, add_special_tokens=False).ids


def token_log_probs(logits, ids):
    """log p(ids[t] | ids[<t]) for t >= 1."""
    shifted = logits[:len(ids) - 1].astype(np.float64)
    shifted -= shifted.max(axis=-1, keepdims=True)
    picked = shifted[np.arange(len(ids) - 1), np.asarray(ids[1:])]
    return picked - np.log(np.exp(shifted, out=shifted).sum(axis=-1))


def torch_logits(network, ids):
    with torch.no_grad():
        return network(input_ids=torch.tensor([ids])).logits[0].numpy()


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def onnx_logits(running, rows):
    """Right-padded with token 0, as a caller without a padding token would."""
    width = max(map(len, rows))
    ids = np.zeros((len(rows), width), dtype=np.int64)
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, :len(row)] = row
        mask[i, :len(row)] = 1
    return running.run(["logits"], {"input_ids": ids, "attention_mask": mask})[0]


def load_dequantised(network, path):
    """Gives the network the weights that a weight-only int8 file stands for."""
    arrays = {t.name: numpy_helper.to_array(t) for t in onnx.load(str(path)).graph.initializer}
    parameters = dict(network.named_parameters())
    with torch.no_grad():
        for name, value in arrays.items():
            if name.endswith(".int8"):
                name = name.removesuffix(".int8")
                parameters[name].copy_(torch.from_numpy(value.astype(np.float32) * arrays[name + ".scale"]))


def score_all(work, zoo, texts, tokenizers_, log):
    """Log-likelihood matrices of PyTorch and ONNX, cached by model; returns them with the largest disagreements."""
    folder = work / "scores"
    folder.mkdir(exist_ok=True)
    rows, checks = {}, {}
    torch.set_num_threads(1)
    for model in plan.MODELS:
        path = zoo / model.name / "model.onnx"
        cache = folder / (model.name + ".npz")
        if not (cache.exists() and cache.stat().st_mtime > path.stat().st_mtime):
            tokenizer = tokenizers_[model.tokenizer]
            sequences = [document_start(tokenizer, model.tokenizer, t["text"]) for t in texts]
            running = session(path)
            dynamic = model.name.endswith("-dynamic")
            source = model.parent if model.relation == "quantised" else model.name
            network = None if dynamic else export.rounded(work, source)
            if model.relation == "quantised" and not dynamic:
                load_dequantised(network, path)
            onnx_row, torch_row, padded = [], [], 0.0
            for start in range(0, len(sequences), 8):
                batch = sequences[start:start + 8]
                alone = [onnx_logits(running, [ids])[0] for ids in batch]
                onnx_row += [token_log_probs(a, ids).sum() for a, ids in zip(alone, batch)]
                if not dynamic:
                    torch_row += [token_log_probs(torch_logits(network, ids), ids).sum() for ids in batch]
                if start % 64 == 0:
                    together = onnx_logits(running, batch)
                    padded = max([padded] + [float(np.abs(t[:len(a)] - a).max()) for t, a in zip(together, alone)])
            np.savez(cache, onnx=onnx_row, torch=torch_row or onnx_row, padded=padded)
        with np.load(cache) as stored:
            rows[model.name] = (stored["onnx"], stored["torch"])
            relative = float(np.abs(stored["onnx"] / stored["torch"] - 1).max())
            checks[model.name] = {"onnx_against_torch": relative, "padded_against_alone": float(stored["padded"])}
        log(model.name, checks[model.name])
    return rows, checks


def versions():
    return {"python": platform.python_version(), "torch": torch.__version__, "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__, "onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__,
            "numpy": np.__version__}


def write(work, folder, rows, texts, tokenizers_):
    folder.mkdir(parents=True, exist_ok=True)
    models = [m for m in plan.MODELS if m.relation != "quantised"]
    matrix = np.stack([rows[m.name][1] for m in models]).astype(np.float64)
    np.save(folder / "text-log-likelihoods.npy", matrix)
    about = {"about": "Natural-log likelihoods by PyTorch, rows models, columns texts: float32 forward pass of each text "
                      "alone on the float16-rounded weights, log-softmax and sums in float64.",
             "prefix": "document-start", "models": [m.name for m in models], "texts": [t["id"] for t in texts],
             "versions": versions()}
    (folder / "text-log-likelihoods.json").write_text(json.dumps(about, indent=1) + "\n")
    examples = []
    for name, rules in TOKEN_MODELS:
        model = plan.by_name(name)
        network = export.rounded(work, name)
        tokenizer = tokenizers_[model.tokenizer]
        for text in (texts[0], next(t for t in texts if t["id"].startswith("multi/"))):
            for rule in rules:
                ids = (document_start(tokenizer, model.tokenizer, text["text"]) if rule == "document-start"
                       else tokenizer.encode(text["text"]).ids)
                values = token_log_probs(torch_logits(network, ids), ids)
                examples.append({"model": name, "text": text["id"], "prefix": rule, "ids": ids,
                                 "tokenLogProbs": [float(v) for v in values], "logLikelihood": float(values.sum())})
    body = ",\n".join(json.dumps(e, separators=(",", ":")) for e in examples)
    about = json.dumps("tokenLogProbs[t] belongs to ids[t+1]: ids[0] is never scored. Prefix rule document-start: BOS "
                       "if the tokenizer has one, else EOS, then the text's tokens. Prefix rule tokenizer: the "
                       "tokenizer's own special tokens.")
    (folder / "token-log-probs.json").write_text('{"about":' + about + ',"examples":[\n' + body + "\n]}\n")
