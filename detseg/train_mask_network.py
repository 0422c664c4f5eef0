"""Train the Mask R-CNN of `data/checkpoints/`: `python -m detseg.train_mask_network`.

It starts from the trained detector, `detector.safetensors`, and goes on to train all of it, with
the two new heads.
"""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torchvision.models.detection import FasterRCNN
from tqdm import tqdm

from detseg.detector import WEIGHTS as DETECTOR_WEIGHTS
from detseg.detector import load_detector
from detseg.evaluate import KEYPOINT_SIGMAS, coco_evaluate
from detseg.mask_network import WEIGHTS, add_heads
from detseg.scenes import THINGS, ShapeScenes
from detseg.training import arguments_for_training, fit, make_repeatable, save_rounded

# Every scene is seen once. The seeds keep training and held-out scenes apart.
TRAIN_SEED = 40_000
HELD_OUT_SEED = 90_000
HELD_OUT = 100

_STEPS = 1200
_BATCH = 8
_PEAK_RATES = {"known": 1e-3, "new": 4e-3}  # of what the detector brings, of what is added


def train(steps: int, seed: int) -> tuple[FasterRCNN, dict[str, Any]]:
    """Train for a fixed number of steps, so that a run can be repeated; return model and log."""
    make_repeatable(seed)
    detector = load_detector("cpu")
    known = list(detector.parameters())
    model = add_heads(detector).train()
    new = [weight for weight in model.parameters() if all(weight is not old for old in known)]
    run = fit(
        model,
        ShapeScenes(steps * _BATCH, seed=TRAIN_SEED),
        batch=_BATCH,
        parts=[(known, _PEAK_RATES["known"]), (new, _PEAK_RATES["new"])],
        keys=("boxes", "labels", "masks", "keypoints"),
    )
    return model.eval(), run


def evaluate(model: FasterRCNN) -> dict[str, dict[str, Any]]:
    """AP of boxes, masks and keypoints on held-out scenes, by pycocotools."""
    found, targets = [], []
    with torch.no_grad():
        for image, target in tqdm(
            ShapeScenes(HELD_OUT, HELD_OUT_SEED), unit="scene", desc="evaluate"
        ):
            (result,) = model([image])
            found.append(result | {"masks": result["masks"][:, 0] >= 0.5})
            targets.append(target)
    judged_by: dict[str, dict[str, Any]] = {
        "boxes": {},
        "masks": {"masks": True},
        "keypoints": {"keypoint_sigmas": KEYPOINT_SIGMAS},
    }
    return {
        name: coco_evaluate(found, targets, len(THINGS), **options)
        for name, options in judged_by.items()
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse, train, evaluate, save weights and log."""
    options = arguments_for_training(__doc__, _STEPS).parse_args(arguments)
    steps, seed = options.steps, options.seed
    model, run = train(steps, seed)
    settings = {
        "command": f"python -m detseg.train_mask_network --steps {steps} --seed {seed}",
        "starts_from": DETECTOR_WEIGHTS.name,
        "scenes": {"train_seed": TRAIN_SEED, "held_out_seed": HELD_OUT_SEED, "held_out": HELD_OUT},
        "steps": steps,
        "batch": _BATCH,
        "peak_learning_rates": _PEAK_RATES,
    }
    weights = options.out / WEIGHTS.name
    metrics = save_rounded(model, weights, settings, run, partial(evaluate, model))
    print(json.dumps(metrics, indent=1))


if __name__ == "__main__":
    main()
