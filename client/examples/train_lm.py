#!/usr/bin/python3
"""train_lm in torch: the job of train_lm/ (C++) again, with the same flags, reporting through the curvecast package.

    PYTHONPATH=build/release/python /usr/bin/python3 client/examples/train_lm.py --text client
"""

import argparse
import math
import os
import pathlib
import sys

import torch

import curvecast

ENDINGS = {".md", ".h", ".cc", ".proto", ".py", ".ts", ".sh"}
BLOCK = 1024  # Every tenth block of the text is held out; no window crosses a border.
MIN_BYTES = 40000


def read_options():
    parser = argparse.ArgumentParser(description="Trains a small character-level language model and reports its curve.")
    add = parser.add_argument
    add("--text", default=".", help="a text file, or a folder whose sources and pages are the text")
    add("--width", type=int, default=64)
    add("--layers", type=int, default=1)
    add("--context", type=int, default=8, help="characters seen before the one that is predicted")
    add("--embedding", type=int, default=16)
    add("--activation", choices=["gelu", "tanh"], default="gelu")
    add("--steps", type=int, default=4000)
    add("--batch", type=int, default=1024)
    add("--peak-rate", type=float, default=5e-3)
    add("--warmup", type=int, help="default: 2 %% of the run")
    add("--schedule", choices=["cosine", "linear", "constant", "wsd"], default="cosine")
    add("--seed", type=int, default=1)
    add("--project", default="train_lm_torch")
    add("--run-id")
    add("--family")
    add("--address", help="host:port of curvecastd")
    add("--report-every", type=int, default=5, help="steps whose mean loss is one point of train/loss")
    add("--eval-every", type=int, default=100)
    add("--save", help="keep a checkpoint in this file")
    add("--save-every", type=int, default=500)
    add("--resume", action="store_true")
    add("--break-rate", metavar="STEP:FACTOR", help="the learning rate is multiplied from this step on")
    add("--break-labels", type=int, metavar="STEP", help="from this step on the answers of a batch are shuffled")
    add("--break-nan", type=int, metavar="STEP", help="at this step one weight becomes NaN")
    add("--crash-at", type=int, metavar="STEP", help="after this step the process dies without a word (exit status 3)")
    options = parser.parse_args()
    if options.warmup is None:
        options.warmup = options.steps // 50
    if options.break_rate:
        step, _, factor = options.break_rate.partition(":")
        try:
            options.break_rate = (int(step), float(factor))
        except ValueError:
            parser.error(f'--break-rate: "{step}:{factor}" is not STEP:FACTOR, such as 2000:100')
    if options.save_every % options.report_every:
        parser.error(f"--save-every {options.save_every}: not a multiple of --report-every {options.report_every}")
    if options.resume and not options.save:
        parser.error("--resume: name the checkpoint with --save FILE")
    return options


def read_text(path):
    root = pathlib.Path(path)
    if root.is_file():
        return root.read_bytes()
    text = b""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "build")) and f != "node_modules")
        text += b"".join((pathlib.Path(folder) / f).read_bytes() for f in sorted(files) if pathlib.Path(f).suffix in ENDINGS)
    return text


class Corpus:
    def __init__(self, text, context):
        if len(text) < MIN_BYTES:
            sys.exit(f"train_lm: {len(text)} bytes of text are too few, at least {MIN_BYTES} are needed; name more with --text")
        alphabet = {byte: i for i, byte in enumerate(sorted(set(text)))}
        self.vocabulary = len(alphabet)
        self.symbols = torch.tensor([alphabet[byte] for byte in text])
        at = torch.arange(len(text))
        whole = at % BLOCK >= context
        held_out = at // BLOCK % 10 == 9
        self.training, self.held_out = at[whole & ~held_out], at[whole & held_out]
        self.window = torch.arange(-context, 1)

    def batch(self, positions, size, seed):
        """The same for the same seed, so that a resumed run sees what it would have seen."""
        picked = torch.randint(len(positions), (size,), generator=torch.Generator().manual_seed(seed))
        windows = self.symbols[positions[picked][:, None] + self.window]
        return windows[:, :-1], windows[:, -1]


class Model(torch.nn.Module):
    def __init__(self, vocabulary, options):
        super().__init__()
        self.table = torch.nn.Embedding(vocabulary, options.embedding)
        sizes = [options.embedding * options.context] + [options.width] * options.layers
        self.hidden = torch.nn.ModuleList(torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.output = torch.nn.Linear(options.width, vocabulary)
        self.activation = torch.nn.GELU() if options.activation == "gelu" else torch.nn.Tanh()

    def forward(self, context):
        x = self.table(context).flatten(1)
        for i, layer in enumerate(self.hidden):
            y = self.activation(layer(x))
            x = y if i == 0 else x + y
        return self.output(x)


def schedule_of(options):
    """The learning rate as the daemon is told of it, and as a function of the step."""
    peak, total, warmup = options.peak_rate, options.steps, options.warmup
    final = peak if options.schedule == "constant" else peak / 20
    start = max(warmup, total * 4 // 5) if options.schedule == "wsd" else warmup
    decay = {"cosine": "COSINE", "linear": "LINEAR", "constant": "NONE", "wsd": "ONE_MINUS_SQRT"}[options.schedule]
    fallen = {
        "cosine": lambda p: (1 - math.cos(math.pi * p)) / 2,
        "linear": lambda p: p,
        "constant": lambda p: 0.0,
        "wsd": math.sqrt,
    }[options.schedule]

    def rate(step):
        if step < warmup:
            return peak * step / warmup
        planned = peak if step <= start else peak - (peak - final) * fallen((step - start) / (total - start))
        broken = options.break_rate and step >= options.break_rate[0]
        return planned * options.break_rate[1] if broken else planned

    declared = {"peak_lr": peak, "final_lr": final, "warmup_steps": warmup, "decay": decay, "decay_start_step": start}
    return declared, rate


def train(options, corpus, model, reporter, rate):
    adam = torch.optim.Adam(model.parameters(), betas=(0.9, 0.99))
    loss_of = torch.nn.CrossEntropyLoss()
    first = 1
    if options.resume:
        checkpoint = torch.load(options.save)
        model.load_state_dict(checkpoint["model"])
        adam.load_state_dict(checkpoint["adam"])
        first = checkpoint["step"] + 1
    total = 0.0
    held_out = corpus.batch(corpus.held_out, 2048, 1)
    for step in range(first, options.steps + 1):
        adam.param_groups[0]["lr"] = rate(step)
        if step == options.break_nan:
            model.table.weight.data[0, 0] = math.nan
        context, target = corpus.batch(corpus.training, options.batch, options.seed * 1_000_003 + step)
        if options.break_labels and step >= options.break_labels:
            target = target[torch.randperm(len(target))]
        loss = loss_of(model(context), target)
        adam.zero_grad()
        loss.backward()
        adam.step()

        total += loss.item()
        if step % options.report_every == 0:
            reporter.log(step, {"train/loss": total / options.report_every, "lr": rate(step)})
            total = 0.0
        if step % options.eval_every == 0 or step == options.steps:
            with torch.no_grad():
                held_out_loss = loss_of(model(held_out[0]), held_out[1]).item()
            reporter.log(step, {"eval/loss": held_out_loss})
            print(f"step {step:7}  train/loss {loss.item():.4f}  eval/loss {held_out_loss:.4f}", flush=True)
        if options.save and step % options.save_every == 0:
            checkpoint = {"model": model.state_dict(), "adam": adam.state_dict(), "step": step}
            torch.save(checkpoint, options.save + ".unfinished")
            os.replace(options.save + ".unfinished", options.save)
        if step == options.crash_at:
            os._exit(3)


def main():
    options = read_options()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    corpus = Corpus(read_text(options.text), options.context)
    model = Model(corpus.vocabulary, options)
    declared, rate = schedule_of(options)
    with curvecast.Reporter(
        options.project,
        options.run_id or f"w{options.width}_{options.schedule}_lr{options.peak_rate:g}_s{options.seed}",
        family=options.family or f"{options.project}/w{options.width}x{options.layers}/{options.steps}",
        total_steps=options.steps,
        parameters=sum(p.numel() for p in model.parameters()),
        tokens_per_step=options.batch,
        schedule=declared,
        labels={"optimizer": "adam", "schedule": options.schedule, "seed": str(options.seed)},
        address=options.address,
    ) as reporter:
        train(options, corpus, model, reporter, rate)
    stats = reporter.stats()
    print(f"logged {stats.logged}, acknowledged {stats.acknowledged}, dropped {stats.dropped}, reconnects {stats.reconnects}")


if __name__ == "__main__":
    main()
