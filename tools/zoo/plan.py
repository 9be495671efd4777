"""Which models the zoo has: architectures, sizes, seeds, lineage. Everything else follows from this list."""
from dataclasses import dataclass

from transformers import GPT2Config, GPTNeoXConfig, LlamaConfig, Qwen3Config

CONTEXT = 512
STEPS = 2200
CHECKPOINTS = [100, 200, 400, 1000]
TRAJECTORY = "gpt2-general-small"

# Width, layers, heads. Tokenizer B's table is twice as tall, so its models are narrower.
SHAPES = {("a", "base"): (80, 3, 4), ("a", "small"): (56, 2, 4), ("b", "base"): (64, 3, 4), ("b", "small"): (40, 2, 4)}


@dataclass(frozen=True)
class Model:
    name: str
    corpus: str
    architecture: str
    tokenizer: str
    size: str
    seed: int
    parent: str | None = None
    relation: str | None = None
    steps: int = 0
    lr: float = 3e-3


def _list():
    models = []

    def add(name, corpus, architecture, tokenizer, size="base", seed=1):
        models.append(Model(name, corpus, architecture, tokenizer, size, seed, steps=STEPS))
        if name == TRAJECTORY:
            for step in CHECKPOINTS:
                models.append(Model(f"{name}-step{step:04d}", corpus, architecture, tokenizer, size, seed, name,
                                    "checkpoint", step))

    def tune(parent, suffix, corpus, steps, lr):
        base = next(m for m in models if m.name == parent)
        models.append(Model(f"{parent}-{suffix}", corpus, base.architecture, base.tokenizer, base.size, base.seed,
                            parent, "fine-tuned", steps, lr))

    def quantise(parent, suffix="int8"):
        base = next(m for m in models if m.name == parent)
        models.append(Model(f"{parent}-{suffix}", base.corpus, base.architecture, base.tokenizer, base.size, base.seed,
                            parent, "quantised", base.steps))

    add("gpt2-general-a", "general", "gpt2", "a")
    quantise("gpt2-general-a")
    tune("gpt2-general-a", "legal", "legal", 80, 3e-4)
    add("gpt2-general-b", "general", "gpt2", "a", seed=2)
    tune("gpt2-general-b", "speeches", "speeches", 100, 3e-4)
    add("gpt2-general-small", "general", "gpt2", "a", "small")
    add("llama-general", "general", "llama", "b")
    add("llama-legal-a", "legal", "llama", "b")
    add("llama-legal-b", "legal", "llama", "b", seed=2)
    quantise("llama-legal-b")
    add("llama-legal-small", "legal", "llama", "b", "small")
    add("neox-legal", "legal", "gpt_neox", "a")
    add("qwen3-code-a", "code", "qwen3", "b")
    quantise("qwen3-code-a")
    tune("qwen3-code-a", "js", "javascript", 100, 3e-4)
    add("qwen3-code-b", "code", "qwen3", "b", seed=2)
    add("qwen3-code-small", "code", "qwen3", "b", "small")
    add("gpt2-code", "code", "gpt2", "a")
    quantise("gpt2-code", "int8-dynamic")
    add("neox-multi-a", "multi", "gpt_neox", "a")
    quantise("neox-multi-a")
    tune("neox-multi-a", "french", "french", 100, 3e-4)
    add("neox-multi-b", "multi", "gpt_neox", "a", seed=2)
    add("neox-multi-small", "multi", "gpt_neox", "a", "small")
    add("qwen3-multi", "multi", "qwen3", "b")
    add("llama-mix", "mix", "llama", "b")
    return models


MODELS = _list()


def by_name(name):
    return next(m for m in MODELS if m.name == name)


def config(model):
    """The Hugging Face configuration; ids follow the order in which the tokenizers list their special tokens."""
    width, layers, heads = SHAPES[model.tokenizer, model.size]
    ids = ({"vocab_size": 2048, "bos_token_id": None, "eos_token_id": 0} if model.tokenizer == "a"
           else {"vocab_size": 4096, "bos_token_id": 0, "eos_token_id": 1})
    common = {"tie_word_embeddings": True, "use_cache": False, **ids}
    if model.architecture == "gpt2":
        return GPT2Config(n_positions=CONTEXT, n_embd=width, n_layer=layers, n_head=heads, resid_pdrop=0.0,
                          embd_pdrop=0.0, attn_pdrop=0.0, **common)
    shape = {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads,
             "max_position_embeddings": CONTEXT}
    if model.architecture == "gpt_neox":
        return GPTNeoXConfig(intermediate_size=4 * width, rotary_pct=0.5, use_parallel_residual=True, **shape, **common)
    gated = 8 * ((8 * width // 3 + 7) // 8)
    if model.architecture == "llama":
        return LlamaConfig(intermediate_size=gated, num_key_value_heads=heads, **shape, **common)
    if model.architecture == "qwen3":
        return Qwen3Config(intermediate_size=gated, num_key_value_heads=heads // 2, head_dim=width // heads,
                           sliding_window=None, **shape, **common)
    raise ValueError(model.architecture)
