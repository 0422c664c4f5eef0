"""Train the detector of `data/checkpoints/`: `python -m detseg.train_detector`."""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms.v2 import functional as tvf
from tqdm import tqdm

from detseg.checkpoints import CHECKPOINTS, save_checkpoint
from detseg.detector import build_detector
from detseg.evaluate import coco_evaluate
from detseg.scenes import THINGS, ShapeScenes, Target, collate, flip_horizontal

# Every scene is seen once. The seeds keep training and held-out scenes apart.
TRAIN_SEED = 20_000
HELD_OUT_SEED = 90_000
HELD_OUT = 200

_STEPS = 2400
_BATCH = 16
_PEAK_RATE = 4e-3
_LOG_EVERY = 25  # steps


class _Augmented(Dataset[tuple[torch.Tensor, Target]]):
    """Scenes mirrored half of the time, with other light, contrast, sharpness, or without colour.

    Colour does not tell the classes apart; what the detector learns should hold for photographs.
    """

    def __init__(self, scenes: ShapeScenes) -> None:
        self.scenes = scenes

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, Target]:
        image, target = self.scenes[index]
        generator = torch.Generator().manual_seed(index)
        mirror, grey, blur, brightness, contrast = torch.rand(5, generator=generator).tolist()
        if mirror < 0.5:
            image, target = flip_horizontal(image, target)
        if grey < 0.25:
            image = image.mean(dim=0, keepdim=True).expand(3, -1, -1)
        if blur < 0.25:
            image = tvf.gaussian_blur(image, [3, 3])
        mean = image.mean()
        image = (image - mean) * (0.6 + 0.8 * contrast) + mean + 0.3 * (brightness - 0.5)
        return image.clamp(0, 1), target


def train(steps: int, seed: int) -> tuple[torch.nn.Module, list[dict[str, float]]]:
    """Train for a fixed number of steps, so that a run can be repeated; return model and log.

    One thread computes and one process makes scenes: two cores are busy, and the order of every
    sum is the same in every run.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    model = build_detector()
    scenes = _Augmented(ShapeScenes(steps * _BATCH, seed=TRAIN_SEED))
    log = fit(model, scenes, batch=_BATCH, peak_rate=_PEAK_RATE)
    return model.eval(), log


def fit(
    model: torch.nn.Module,
    scenes: Dataset[tuple[torch.Tensor, Target]],
    *,
    batch: int,
    peak_rate: float,
    title: str = "train",
) -> list[dict[str, float]]:
    """Train one of torchvision's detectors, each scene seen once; returns the losses on the way.

    Args:
        scenes: as many as `batch` times the steps.
        peak_rate: the learning rate rises to it and falls again.
        title: what the progress bar is called.
    """
    loader = DataLoader(scenes, batch, collate_fn=collate, num_workers=1, prefetch_factor=8)
    steps = len(loader)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak_rate, steps)
    log: list[dict[str, float]] = []
    with tqdm(loader, unit="step", desc=title) as bar:
        for step, (images, targets) in enumerate(bar):
            losses = model(images, [_for_training(target) for target in targets])
            optimizer.zero_grad()
            sum(losses.values()).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            schedule.step()
            if step % _LOG_EVERY == 0 or step == steps - 1:
                values = {name: round(loss.item(), 4) for name, loss in losses.items()}
                log.append({"step": step, **values})
                bar.set_postfix({name.removeprefix("loss_"): v for name, v in values.items()})
    return log


def _for_training(target: Target) -> dict[str, torch.Tensor]:
    return {"boxes": target["boxes"], "labels": target["labels"]}


def evaluate(
    model: torch.nn.Module, count: int = HELD_OUT, seed: int = HELD_OUT_SEED
) -> dict[str, Any]:
    """AP on held-out scenes, by pycocotools."""
    scenes = ShapeScenes(count, seed=seed)
    detections, targets = [], []
    with torch.no_grad():
        for index in tqdm(range(count), unit="scene", desc="evaluate"):
            image, target = scenes[index]
            detections += model([image])
            targets.append(target)
    return coco_evaluate(detections, targets, num_classes=len(THINGS))


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse, train, evaluate, save weights and log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--steps", type=int, default=_STEPS, help="optimiser steps (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of weights and sampling (default: 0)")
    parser.add_argument(
        "--out", type=Path, default=CHECKPOINTS, help="folder (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    started = time.monotonic()
    model, losses = train(options.steps, options.seed)
    minutes = (time.monotonic() - started) / 60
    metrics = evaluate(model)
    log = {
        "command": f"python -m detseg.train_detector --steps {options.steps} --seed {options.seed}",
        "scenes": {"train_seed": TRAIN_SEED, "held_out_seed": HELD_OUT_SEED, "held_out": HELD_OUT},
        "batch": _BATCH,
        "peak_learning_rate": _PEAK_RATE,
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "held_out_metrics": metrics,
        "minutes": round(minutes, 1),
        "losses": losses,
    }
    save_checkpoint(options.out, "detector", model.state_dict(), log)
    print(json.dumps(metrics, indent=1))


if __name__ == "__main__":
    main()
