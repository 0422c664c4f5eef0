"""Make the face classifier of `data/checkpoints/` by running the chapter that trains it.

`make checkpoints` runs this after `book/sliding-windows.md` has changed, so that the chapter after
it continues with the very network of that page.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import jupytext
import matplotlib
import torch
from safetensors.torch import save_file
from tqdm import tqdm

from detseg.checkpoints import CHECKPOINTS, save_checkpoint

PAGE = Path(__file__).with_name("sliding-windows.md")


def run_page(page: Path) -> dict[str, Any]:
    """Execute the code cells of a page, without pictures; returns its names."""
    matplotlib.use("agg")
    notebook = jupytext.read(page, fmt="md:myst")
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, source in enumerate(tqdm(cells, desc=page.stem, unit="cell"), start=1):
        exec(compile(source, f"{page.name}, code cell {number}", "exec"), names)
    return names


def as_convolutions(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights of the network without its `Flatten`: 32 × 4 × 4, then 64 numbers go in.

    Here and not in `detseg`, which students have: they write the conversion themselves.
    """
    shapes = {"7": ("6", (64, 32, 4, 4)), "9": ("8", (1, 64, 1, 1))}
    converted = {}
    for name, values in weights.items():
        layer, kind = name.split(".")
        place, shape = shapes.get(layer, (layer, values.shape))
        converted[f"{place}.{kind}"] = values.reshape(shape) if kind == "weight" else values
    return converted


def main(arguments: list[str] | None = None) -> None:
    """Run the page, save weights and log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, default=CHECKPOINTS, help="folder (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    names = run_page(PAGE)
    weights = {key: value.cpu() for key, value in names["classifier"].state_dict().items()}
    columns = (
        "round",
        "alarms_on_other_photographs",
        "alarms_on_the_astronaut",
        "rank_of_the_face",
    )
    log = {
        "command": "python book/face_checkpoint.py",
        "parameters": sum(value.numel() for value in weights.values()),
        "iou_with_the_face": round(names["overlap"], 3),
        "rounds": [dict(zip(columns, row, strict=True)) for row in names["history"]],
    }
    save_checkpoint(options.out, "face-classifier", weights, log)
    save_file(as_convolutions(weights), options.out / "face-classifier-convolutional.safetensors")
    print(json.dumps(log["rounds"], indent=1))


if __name__ == "__main__":
    main()
