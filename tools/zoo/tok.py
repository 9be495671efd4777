"""The two byte-level BPE tokenizers, A without and B with a beginning-of-sequence token."""
import json

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from corpora import Sampler

SPEC = {
    "a": {"size": 2048, "special": ["<|endoftext|>"], "bos": None, "eos": "<|endoftext|>"},
    "b": {"size": 4096, "special": ["<s>", "</s>"], "bos": "<s>", "eos": "</s>"},
}
# Several languages need more of the vocabulary than one.
SHARES = {"general": 3000, "legal": 2000, "code": 3000, "multi": 9000}


def train(documents, key):
    spec = SPEC[key]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=spec["size"], special_tokens=spec["special"], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    texts = [text for corpus, count in SHARES.items() for text in Sampler(documents, corpus, "tokenizer").take(count)]
    tokenizer.train_from_iterator(texts, trainer)
    if spec["bos"]:
        bos = spec["bos"]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", pair=f"{bos} $A {bos} $B:1", special_tokens=[(bos, tokenizer.token_to_id(bos))])
    return tokenizer


def save(tokenizer, path):
    """Compact JSON: one copy goes into every model's folder."""
    data = json.loads(tokenizer.to_str())
    data["model"]["merges"] = [m if isinstance(m, str) else " ".join(m) for m in data["model"]["merges"]]
    path.write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")), "utf-8")


def load_or_train(work, documents):
    result = {}
    for key in SPEC:
        path = work / f"tokenizer-{key}.json"
        if not path.exists():
            save(train(documents, key), path)
        result[key] = Tokenizer.from_file(str(path))
    return result


def prefix_id(tokenizer, key):
    """The "document-start" rule: BOS where there is one, else EOS."""
    spec = SPEC[key]
    return tokenizer.token_to_id(spec["bos"] or spec["eos"])
