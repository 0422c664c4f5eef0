"""What the programs that train the checkpoints of `data/checkpoints/` share."""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from detseg.checkpoints import CHECKPOINTS, load_weights, save_checkpoint
from detseg.scenes import Target, collate

_LOG_EVERY = 25  # steps


def arguments_for_training(description: str | None, steps: int) -> argparse.ArgumentParser:
    """A parser with `--steps`, `--seed` and `--out`.

    Args:
        steps: the number of optimiser steps where none is given.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--steps", type=int, default=steps, help="optimiser steps (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of weights and sampling (default: 0)")
    parser.add_argument(
        "--out", type=Path, default=CHECKPOINTS, help="folder (default: %(default)s)"
    )
    return parser


def make_repeatable(seed: int) -> None:
    """Seed torch and let one thread compute, so that the order of every sum is the same."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)


def fit(
    model: nn.Module,
    scenes: Dataset[tuple[torch.Tensor, Target]],
    *,
    batch: int,
    parts: Sequence[tuple[Sequence[nn.Parameter], float]],
    keys: Sequence[str] = ("boxes", "labels"),
    title: str = "train",
) -> dict[str, Any]:
    """Train one of torchvision's detectors, each scene seen once, in their order.

    One other process makes scenes.

    Args:
        scenes: as many as `batch` times the steps.
        parts: weights, and the learning rate that rises to this peak and falls again.
        keys: of a target, what the detector needs.
        title: what the progress bar is called.

    Returns: `seconds`, of this process alone, and `losses`, at every 25th step and the last.
    """
    loader = DataLoader(scenes, batch, collate_fn=collate, num_workers=1, prefetch_factor=8)
    steps = len(loader)
    optimizer = torch.optim.AdamW(
        [{"params": list(weights)} for weights, _ in parts], weight_decay=1e-4
    )
    peaks = [peak for _, peak in parts]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peaks, steps)
    losses_on_the_way: list[dict[str, float]] = []
    started = time.process_time()
    with tqdm(loader, unit="step", desc=title) as bar:
        for step, (images, targets) in enumerate(bar):
            losses = model(images, [{key: target[key] for key in keys} for target in targets])
            optimizer.zero_grad()
            sum(losses.values()).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            if step % _LOG_EVERY == 0 or step == steps - 1:
                values = {name: round(loss.item(), 4) for name, loss in losses.items()}
                losses_on_the_way.append({"step": step, **values})
                bar.set_postfix({name.removeprefix("loss_"): v for name, v in values.items()})
    seconds = time.process_time() - started
    return {"seconds": round(seconds, 1), "losses": losses_on_the_way}


def save_rounded(
    model: nn.Module,
    weights: Path,
    settings: dict[str, Any],
    run: dict[str, Any],
    evaluate: Callable[[], Mapping[str, Any]],
) -> Mapping[str, Any]:
    """Write a model as float16 and its log, and evaluate what was written; returns the metrics.

    Args:
        model: gets the rounded weights.
        weights: the file to write, `NAME.safetensors`.
        settings: by which the run can be repeated.
        run: what `fit` returned.
        evaluate: measures `model` on held-out scenes.
    """
    rounded = {
        key: value.half() if value.is_floating_point() else value
        for key, value in model.state_dict().items()
    }
    log = settings | {
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "stored_as": "float16, computed in float32",
    }
    save_checkpoint(weights.parent, weights.stem, rounded, log | run)
    load_weights(model, weights)
    metrics = evaluate()
    log["held_out_metrics"] = metrics
    save_checkpoint(weights.parent, weights.stem, rounded, log | run)
    return metrics
