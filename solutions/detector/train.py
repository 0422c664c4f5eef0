"""Train the sheet's reference and keep its weights: `python solutions/detector/train.py`.

The weights and a log of the run are written beside this file. Run it on an otherwise idle machine:
training stops by the clock.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

import detseg
from autograder import answers
from autograder.sheets import load_sheet
from detseg.checkpoints import save_checkpoint

_FOLDER = Path(__file__).resolve().parent

# Apart from each other, and from the scenes by which a submission is judged.
_TRAIN_SEED, _HELD_OUT_SEED = 1, 4242


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, measure, save weights and log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="default: %(default)s")
    parser.add_argument("--scenes", type=int, default=4000, help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=_FOLDER, help="folder (default: beside this)")
    options = parser.parse_args(arguments)
    names = answers.reference_names(load_sheet("detector"))
    torch.manual_seed(0)
    device = detseg.device()
    scenes = detseg.ShapeScenes(options.scenes, seed=_TRAIN_SEED)
    model = names["train"](names["build_model"](), scenes, options.seconds, device)
    held_out = detseg.ShapeScenes(150, seed=_HELD_OUT_SEED)
    boxes, masks, _ = names["average_precisions"](names["predict"], model, held_out)
    log = {
        "command": f"python solutions/detector/train.py --seconds {options.seconds:g}",
        "scenes": {"train_seed": _TRAIN_SEED, "number": options.scenes},
        "device": str(device),
        "threads": torch.get_num_threads(),
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "ap50_of_boxes_on_held_out_scenes": round(boxes, 3),
        "ap50_of_masks_on_held_out_scenes": round(masks, 3),
    }
    weights = {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_checkpoint(options.out, "detector", weights, log)
    print(log)


if __name__ == "__main__":
    main()
