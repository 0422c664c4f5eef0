"""Train the detector of `data/checkpoints/`: `python -m detseg.train_detector`."""

import json
from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.data import Dataset
from torchvision.transforms.v2 import functional as tvf
from tqdm import tqdm

from detseg.checkpoints import save_checkpoint
from detseg.detector import WEIGHTS, build_detector
from detseg.evaluate import coco_evaluate
from detseg.scenes import THINGS, ShapeScenes, Target, flip_horizontal
from detseg.training import arguments_for_training, fit, make_repeatable

# Every scene is seen once. The seeds keep training and held-out scenes apart.
TRAIN_SEED = 20_000
HELD_OUT_SEED = 90_000
HELD_OUT = 200

_STEPS = 2400
_BATCH = 16
_PEAK_RATE = 4e-3


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


def train(steps: int, seed: int) -> tuple[torch.nn.Module, dict[str, Any]]:
    """Train for a fixed number of steps, so that a run can be repeated; return model and log."""
    make_repeatable(seed)
    model = build_detector()
    scenes = _Augmented(ShapeScenes(steps * _BATCH, seed=TRAIN_SEED))
    run = fit(model, scenes, batch=_BATCH, parts=[(list(model.parameters()), _PEAK_RATE)])
    return model.eval(), run


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
    options = arguments_for_training(__doc__, _STEPS).parse_args(arguments)
    model, run = train(options.steps, options.seed)
    metrics = evaluate(model)
    log = {
        "command": f"python -m detseg.train_detector --steps {options.steps} --seed {options.seed}",
        "scenes": {"train_seed": TRAIN_SEED, "held_out_seed": HELD_OUT_SEED, "held_out": HELD_OUT},
        "batch": _BATCH,
        "peak_learning_rate": _PEAK_RATE,
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "held_out_metrics": metrics,
        "minutes": round(run["seconds"] / 60, 1),
        "losses": run["losses"],
    }
    save_checkpoint(options.out, WEIGHTS.stem, model.state_dict(), log)
    print(json.dumps(metrics, indent=1))


if __name__ == "__main__":
    main()
