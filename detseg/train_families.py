"""Train the detectors that the chapter on single-stage detectors compares.

`python -m detseg.train_families` trains all six; names choose some of them.
"""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from detseg import train_detector
from detseg.families import NAMES, build_family, weights_file
from detseg.scenes import ShapeScenes
from detseg.training import arguments_for_training, fit, make_repeatable, save_rounded

# The same budget for all: the same scenes, each seen once, in the same order and batches.
TRAIN_SEED = 30_000
HELD_OUT_SEED = 77
HELD_OUT = 100

_STEPS = 800
_BATCH = 8
_PEAK_RATE = 4e-3


def train(name: str, steps: int, seed: int) -> tuple[torch.nn.Module, dict[str, Any]]:
    """Train one of the six for a fixed number of steps; return it and what is to be logged."""
    make_repeatable(seed)
    detector = build_family(name)
    scenes = ShapeScenes(steps * _BATCH, seed=TRAIN_SEED)
    parts = [(list(detector.parameters()), _PEAK_RATE)]
    run = fit(detector, scenes, batch=_BATCH, parts=parts, title=name)
    return detector.eval(), run


def evaluate(model: torch.nn.Module, count: int = HELD_OUT) -> dict[str, Any]:
    """AP on held-out scenes, by pycocotools."""
    return train_detector.evaluate(model, count, HELD_OUT_SEED)


def train_and_save(name: str, steps: int, seed: int, folder: Path) -> None:
    """Train, write weights and log, and evaluate what was written."""
    model, run = train(name, steps, seed)
    settings = {
        "command": f"python -m detseg.train_families {name} --steps {steps} --seed {seed}",
        "scenes": {"train_seed": TRAIN_SEED, "held_out_seed": HELD_OUT_SEED, "held_out": HELD_OUT},
        "steps": steps,
        "batch": _BATCH,
        "peak_learning_rate": _PEAK_RATE,
    }
    metrics = save_rounded(
        model, weights_file(name, folder), settings, run, partial(evaluate, model)
    )
    print(name, json.dumps({key: round(metrics[key], 3) for key in ("ap", "ap50")}))


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse, then train, evaluate and save one detector after the other."""
    parser = arguments_for_training(__doc__, _STEPS)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)} (default: all)"
    )
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(NAMES)}")
    for name in options.names or NAMES:
        train_and_save(name, options.steps, options.seed, options.out)


if __name__ == "__main__":
    main()
