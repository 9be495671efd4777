"""Converts a causal language model of Hugging Face's transformers to TorchScript, as
llmap-backend-djl reads it. Usage:

    pip install -r tools/convert/requirements.txt
    python tools/convert/torchscript.py MODEL_FOLDER OUT_FOLDER

MODEL_FOLDER is a local folder with config.json, weights and a tokenizer; nothing is downloaded.
OUT_FOLDER gets

    model.pt           forward(input_ids, attention_mask) -> logits [batch, sequence, vocabulary]
    tokenizer.json     and the other small files that say how texts become ids

--dtype float16 halves the file; the default is float32, whatever the weights are stored in.
bfloat16 is not offered: DJL does not know the type on a CPU.

A trace records what one run did, and so may keep its length, its batch or a branch that the length
decides. The file is therefore loaded again, and texts of other lengths in batches of other sizes,
padded on the right under a mask of ones, must score as the original scores each of them alone.
--no-check leaves this out: it needs the memory of a second copy.
"""

import argparse
import shutil
import sys
import warnings
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.models.bloom.modeling_bloom import BloomGelu, bloom_gelu_forward

DTYPES = {"float32": torch.float32, "float16": torch.float16}
# Of a text's log-likelihood. A batch changes the order of sums, and so the last bits.
TOLERANCE = {"float32": 1e-5, "float16": 5e-3}
SEED = 20250217
EXAMPLE_BATCH, EXAMPLE_LENGTH = 2, 16
LENGTHS = [2, 3, 5, 16, 17, 40, 100]
LONGEST = 256
SMALL_FILES = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "tokenizer.model",
]


class Logits(torch.nn.Module):
    """Tensors in, one tensor out: no cache, and nothing that a trace would give in a dict."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(
            input_ids=input_ids, attention_mask=attention_mask, use_cache=False
        ).logits


def load(folder, dtype):
    # Eager attention alone is in every architecture, and computes what its configuration says.
    model = AutoModelForCausalLM.from_pretrained(
        folder, local_files_only=True, dtype=DTYPES[dtype], attn_implementation="eager"
    ).eval()
    for module in model.modules():
        if isinstance(module, BloomGelu):
            # Its forward is a Python function with a derivative, which a trace cannot hold.
            module.forward = bloom_gelu_forward
    return model


def random_ids(model, batch, length, generator):
    size = model.get_input_embeddings().num_embeddings
    return torch.randint(size, (batch, length), generator=generator)


def trace(model):
    ids = random_ids(model, EXAMPLE_BATCH, EXAMPLE_LENGTH, torch.Generator().manual_seed(SEED))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The comparison of torch.jit.trace runs the same ids again, which shows nothing.
        return torch.jit.trace(Logits(model), (ids, torch.ones_like(ids)), check_trace=False)


def log_likelihood(logits, ids):
    """Of all tokens but the first."""
    log_probs = torch.log_softmax(logits[: len(ids) - 1].double(), dim=-1)
    return float(log_probs.gather(1, ids[1:, None]).sum())


def longest(model):
    """Within the context, and beyond a sliding window."""
    config = model.config.get_text_config()
    window = getattr(config, "sliding_window", None) or 0
    context = getattr(config, "max_position_embeddings", None) or LONGEST
    return min(context, max(LONGEST, window + EXAMPLE_LENGTH))


def largest_difference(model, path):
    """Relative, over texts alone and in batches of several sizes, and where it was."""
    traced = torch.jit.load(str(path), map_location="cpu")
    generator = torch.Generator().manual_seed(SEED + 1)
    limit = longest(model)
    lengths = sorted({min(length, limit) for length in LENGTHS} | {limit})
    texts = [random_ids(model, 1, length, generator)[0] for length in lengths]
    with torch.no_grad():
        expected = [
            log_likelihood(model(input_ids=ids[None], use_cache=False).logits[0], ids)
            for ids in texts
        ]
        worst = (0.0, "")
        for size in (1, 3, len(texts) - 1):
            for first in range(0, len(texts), size):
                part = texts[first : first + size]
                batch = torch.nn.utils.rnn.pad_sequence(part, batch_first=True)
                logits = traced(batch, torch.ones_like(batch))
                for row, ids in enumerate(part):
                    value = expected[first + row]
                    difference = abs(log_likelihood(logits[row], ids) / value - 1)
                    where = f"{len(ids)} tokens in {len(part)} x {batch.shape[1]}"
                    # NaN is worse than any number.
                    if not difference <= worst[0]:
                        worst = (difference, where)
    return worst


def copy_small_files(source, target):
    for name in SMALL_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
    if not (target / "tokenizer.json").is_file():
        # Written by the fast tokenizer that transformers makes of the older files.
        AutoTokenizer.from_pretrained(source, local_files_only=True).save_pretrained(target)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path, metavar="MODEL_FOLDER")
    parser.add_argument("out", type=Path, metavar="OUT_FOLDER")
    parser.add_argument("--dtype", choices=DTYPES, default="float32")
    parser.add_argument("--no-check", action="store_true", help="do not compare with the original")
    options = parser.parse_args()
    path = options.out / "model.pt"
    if not (options.model / "config.json").is_file():
        sys.exit(f"{options.model} is not a folder of a model: it has no config.json")
    if path.exists():
        sys.exit(f"{path} exists; remove it, or choose another folder")

    model = load(options.model, options.dtype)
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        trace(model).save(str(path))
    except (RuntimeError, ValueError) as e:
        path.unlink(missing_ok=True)
        sys.exit(f"{options.model} cannot be traced: {str(e).strip().splitlines()[0]}")
    copy_small_files(options.model, options.out)
    print(f"wrote {path}, {path.stat().st_size / 1e6:.1f} MB in {options.dtype}")
    if options.no_check:
        return
    try:
        difference, where = largest_difference(model, path)
    except RuntimeError as e:
        cause = str(e).strip().splitlines()[-1]
        path.unlink()
        sys.exit(f"removed {path}: the trace fails at other lengths or batches: {cause}")
    if not difference <= TOLERANCE[options.dtype]:
        path.unlink()
        sys.exit(f"removed {path}: it differs from the original by {difference:.1e}, {where}")
    print(f"as the original: the largest relative difference of a text is {difference:.1e}")


if __name__ == "__main__":
    main()
