"""Trains the models of the plan, in two single-threaded processes that take models from the list in turn.

Resumable: a model whose folder is complete is skipped. Two processes of one thread are faster than one process of
two threads for models this small, and a fixed thread count keeps a run repeatable on one machine.
"""
import json
import math
import multiprocessing
import os
import time

import torch
from transformers import AutoModelForCausalLM

import plan
import tok
from corpora import Sampler, read_documents

BATCH = 4
SUPER = 16
WARMUP = 100


def batches(sampler, tokenizer, prefix):
    """Batches of similar length, cut from a few batches' worth of chunks, to waste little on padding."""
    while True:
        encoded = tokenizer.encode_batch_fast(sampler.take(BATCH * SUPER), add_special_tokens=False)
        rows = sorted(([prefix] + e.ids)[:plan.CONTEXT] for e in encoded)
        rows.sort(key=len)
        order = list(range(SUPER))
        sampler.rng.shuffle(order)
        for index in order:
            part = rows[index * BATCH:(index + 1) * BATCH]
            width = max(map(len, part))
            ids = torch.zeros(len(part), width, dtype=torch.long)
            labels = torch.full((len(part), width), -100)
            for i, row in enumerate(part):
                ids[i, :len(row)] = labels[i, :len(row)] = torch.tensor(row)
            yield ids, labels


def rate(step, steps, peak):
    """Linear warm-up, then a cosine down to 3 % of the peak."""
    warmup = min(WARMUP, steps // 10)
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))))


def save(network, folder, facts):
    """The marker is written last: a folder without it is an unfinished one."""
    network.save_pretrained(folder)
    (folder / "facts.json").write_text(json.dumps(facts, indent=1) + "\n")


def train(model, work, documents, tokenizer, log):
    start = time.time()
    torch.manual_seed(1000 * model.seed + len(model.corpus))
    if model.relation == "fine-tuned":
        network = AutoModelForCausalLM.from_pretrained(work / "models" / model.parent)
    else:
        network = AutoModelForCausalLM.from_config(plan.config(model))
    network.train()
    decay = [p for p in network.parameters() if p.dim() >= 2]
    plain = [p for p in network.parameters() if p.dim() < 2]
    optimiser = torch.optim.AdamW([{"params": decay, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}],
                                  betas=(0.9, 0.95), fused=True)
    sampler = Sampler(documents, model.corpus, f"{model.name.split('-')[0]} {model.seed} {model.relation}")
    tokens, recent = 0, []
    facts = {"parameters": sum(p.numel() for p in network.parameters())}
    source = batches(sampler, tokenizer, tok.prefix_id(tokenizer, model.tokenizer))
    saves = plan.CHECKPOINTS if model.name == plan.TRAJECTORY else []
    for step in range(1, model.steps + 1):
        ids, labels = next(source)
        for group in optimiser.param_groups:
            group["lr"] = rate(step - 1, model.steps, model.lr)
        logits = network(input_ids=ids).logits[:, :-1]
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1),
                                                 ignore_index=-100)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        tokens += int((labels[:, 1:] >= 0).sum())
        recent.append(loss.item())
        last = recent[-50:]
        facts.update(steps=step, tokens=tokens, seconds=round(time.time() - start, 1),
                     loss=round(sum(last) / len(last), 4))
        if step % 200 == 0:
            log(f"{model.name} step {step} loss {facts['loss']} tokens {tokens} {tokens / facts['seconds']:.0f}/s")
        if step in saves:
            save(network, work / "models" / f"{model.name}-step{step:04d}", facts)
    save(network, work / "models" / model.name, facts)
    log(f"{model.name} done: {facts}")


def worker(index, work, names, lock_folder):
    torch.set_num_threads(1)
    documents = read_documents(work)
    tokenizers = tok.load_or_train(work, documents)
    for name in names:
        model = plan.by_name(name)
        if (work / "models" / name / "facts.json").exists():
            continue
        try:
            # An exclusive file says which process has taken a model.
            os.close(os.open(lock_folder / name, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            continue
        if model.parent:
            while not (work / "models" / model.parent / "facts.json").exists():
                time.sleep(2)
        train(model, work, documents, tokenizers[model.tokenizer], lambda text: print(f"[{index}]", text, flush=True))


def main(work, processes=2):
    names = [m.name for m in plan.MODELS if m.relation is None]
    names += [m.name for m in plan.MODELS if m.relation == "fine-tuned"]
    locks = work / "locks"
    locks.mkdir(exist_ok=True)
    for old in locks.iterdir():
        old.unlink()
    context = multiprocessing.get_context("spawn")
    running = [context.Process(target=worker, args=(i, work, names, locks)) for i in range(processes)]
    for process in running:
        process.start()
    for process in running:
        process.join()
    if any(process.exitcode for process in running):
        raise SystemExit("a training process failed")
