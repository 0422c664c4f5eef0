"""Train the detectors that the chapter on single-stage detectors compares.

`python -m detseg.train_families` trains all six; names choose some of them.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from detseg import train_detector
from detseg.checkpoints import CHECKPOINTS, load_weights, save_checkpoint
from detseg.families import NAMES, build_family, weights_file
from detseg.scenes import ShapeScenes
from detseg.train_detector import fit

# The same budget for all: the same scenes, each seen once, in the same order and batches.
TRAIN_SEED = 30_000
HELD_OUT_SEED = 77
HELD_OUT = 100

_STEPS = 800
_BATCH = 8
_PEAK_RATE = 4e-3


def train(name: str, steps: int, seed: int) -> tuple[torch.nn.Module, dict[str, Any]]:
    """Train one of the six for a fixed number of steps; return it and what is to be logged.

    One thread computes and one process makes scenes: two cores are busy, and the order of every
    sum is the same in every run.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    detector = build_family(name)
    scenes = ShapeScenes(steps * _BATCH, seed=TRAIN_SEED)
    started = time.process_time()
    log = fit(detector, scenes, batch=_BATCH, peak_rate=_PEAK_RATE, title=name)
    seconds = time.process_time() - started  # of this process alone: scenes are made in another
    return detector.eval(), {"seconds": round(seconds, 1), "losses": log}


def evaluate(model: torch.nn.Module, count: int = HELD_OUT) -> dict[str, Any]:
    """AP on held-out scenes, by pycocotools."""
    return train_detector.evaluate(model, count, HELD_OUT_SEED)


def train_and_save(name: str, steps: int, seed: int, folder: Path) -> None:
    """Train, write weights and log, and evaluate what was written."""
    model, run = train(name, steps, seed)
    state = model.state_dict()
    rounded = {k: w.half() if w.is_floating_point() else w for k, w in state.items()}
    log = {
        "command": f"python -m detseg.train_families {name} --steps {steps} --seed {seed}",
        "scenes": {"train_seed": TRAIN_SEED, "held_out_seed": HELD_OUT_SEED, "held_out": HELD_OUT},
        "steps": steps,
        "batch": _BATCH,
        "peak_learning_rate": _PEAK_RATE,
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "stored_as": "float16, computed in float32",
    }
    save_checkpoint(folder, f"family-{name}", rounded, log | run)
    load_weights(model, weights_file(name, folder))
    metrics = evaluate(model)
    save_checkpoint(folder, f"family-{name}", rounded, log | {"held_out_metrics": metrics} | run)
    print(name, json.dumps({key: round(metrics[key], 3) for key in ("ap", "ap50")}))


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse, then train, evaluate and save one detector after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)} (default: all)"
    )
    parser.add_argument(
        "--steps", type=int, default=_STEPS, help="optimiser steps (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of weights and sampling (default: 0)")
    parser.add_argument(
        "--out", type=Path, default=CHECKPOINTS, help="folder (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(NAMES)}")
    for name in options.names or NAMES:
        train_and_save(name, options.steps, options.seed, options.out)


if __name__ == "__main__":
    main()
