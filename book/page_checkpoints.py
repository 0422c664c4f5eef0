"""Make the checkpoints of `data/checkpoints/` that pages train, by running those pages.

`make checkpoints` runs this after one of the pages has changed, so that the chapters after it
continue with the very network of that page.
"""

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jupytext
import matplotlib
import torch
from safetensors.torch import save_file
from tqdm import tqdm

from detseg.checkpoints import CHECKPOINTS, save_checkpoint

BOOK = Path(__file__).parent
Names = dict[str, Any]


def run_page(page: Path) -> Names:
    """Execute the code cells of a page, without pictures; returns its names."""
    matplotlib.use("agg")
    notebook = jupytext.read(page, fmt="md:myst")
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    names: Names = {"__name__": "__main__"}
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


def save_face_classifier(names: Names, folder: Path) -> None:
    """The network of "Sliding windows", with its linear layers and with convolutions."""
    columns = (
        "round",
        "alarms_on_other_photographs",
        "alarms_on_the_astronaut",
        "rank_of_the_face",
    )
    log = {
        "iou_with_the_face": round(names["overlap"], 3),
        "rounds": [dict(zip(columns, row, strict=True)) for row in names["history"]],
    }
    weights = _save(names["classifier"], "sliding-windows", folder, "face-classifier", log)
    save_file(as_convolutions(weights), folder / "face-classifier-convolutional.safetensors")


def save_region_network(page: str, names: Names, folder: Path) -> None:
    """The network of "Region proposals and R-CNN" or of "Fast R-CNN"; it is called as its page."""
    losses = torch.tensor(names["losses"])
    log = {
        "steps": len(losses),
        "class_loss_at_the_end": round(losses[-25:, 0].mean().item(), 3),
        "box_loss_at_the_end": round(losses[-25:, 1].mean().item(), 3),
        "ap50_on_held_out_scenes": round(names["result"]["ap50"], 3),
        "ap_on_held_out_scenes": round(names["result"]["ap"], 3),
    }
    _save(names["network"], page, folder, page, log)


# In the order in which they build on each other.
PAGES: dict[str, Callable[[Names, Path], None]] = {
    "sliding-windows": save_face_classifier,
    "rcnn": partial(save_region_network, "rcnn"),
    "fast-rcnn": partial(save_region_network, "fast-rcnn"),
}


def _save(
    network: torch.nn.Module, page: str, folder: Path, name: str, log: dict[str, Any]
) -> dict[str, torch.Tensor]:
    weights = {key: value.cpu().contiguous() for key, value in network.state_dict().items()}
    head = {
        "command": f"python book/page_checkpoints.py {page}",
        "parameters": sum(value.numel() for value in network.parameters()),
    }
    save_checkpoint(folder, name, weights, head | log)
    print(json.dumps(log, indent=1))
    return weights


def main(arguments: list[str] | None = None) -> None:
    """Run pages, save weights and logs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "pages",
        nargs="*",
        metavar="PAGE",
        help=f"{', '.join(PAGES)} (default: all of them, in this order)",
    )
    parser.add_argument(
        "--out", type=Path, default=CHECKPOINTS, help="folder (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.pages) - set(PAGES))
    if unknown:
        parser.error(
            f"no page with a checkpoint: {', '.join(unknown)}; there are {', '.join(PAGES)}"
        )
    for page, save in PAGES.items():
        if page in (options.pages or PAGES):
            save(run_page(BOOK / f"{page}.md"), options.out)


if __name__ == "__main__":
    main()
