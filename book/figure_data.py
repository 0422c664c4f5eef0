"""Write what the interactive figures show of the course's scenes, photographs and networks.

`make pictures` runs it. Each figure with data has a module `_scripts/figures/NAME-data.js` that
exports them, so that a figure needs no request.
"""

import json
from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F
from torchvision import ops
from torchvision.transforms.v2.functional import to_pil_image

import detseg
from detseg import scenes
from detseg.dice import Dice
from detseg.landscape import landscape
from detseg.mask_network import load_mask_network

FOLDER = Path(__file__).resolve().parent / "_scripts" / "figures"
CPU = torch.device("cpu")
SCENES = detseg.ShapeScenes(n=60, seed=77)  # of most pages
PERSON = 4


def anchors() -> dict[str, Any]:
    """The scene of the page on Faster R-CNN, and its true boxes."""
    image, truth = SCENES[11]
    return {
        "picture": _data_url(to_pil_image(image).quantize(128)),
        "size_hw": list(image.shape[1:]),
        "boxes": truth["boxes"].int().tolist(),
        "names": [detseg.THINGS[label] for label in truth["labels"].tolist()],
    }


def four_tasks() -> dict[str, Any]:
    """The first scene of the page on tasks, taken apart into a background and things.

    Stacked again at their first places, the parts give the masks of the scene to the pixel.
    """
    made, number = detseg.ShapeScenes(n=1000, seed=7, size_hw=(96, 128), things=(3, 4)), 615
    dice = Dice(made.seed, number)  # rolled in the order in which the scene itself is made
    background, stuff = landscape(dice, *made.size_hw)
    placed = scenes._place_things(dice, made.size_hw, made.things)
    background = background + scenes._noise(dice, made.size_hw)
    return {
        "height": made.size_hw[0],
        "width": made.size_hw[1],
        "names": scenes.THINGS | scenes.STUFF,
        "stuff": _runs(stuff),
        "background": _data_url(_picture(background)),
        "things": [_thing(one) for one in placed],
    }


def _thing(placed: Any) -> dict[str, Any]:
    """A thing that can be moved: its picture, as transparent as it is soft, its mask and place."""
    cover = placed.patch.cover
    rows, columns = (np.flatnonzero((cover > 0).any(axis=axis)) for axis in (1, 0))
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    mask, cover = placed.patch.mask[part], cover[part]
    return {
        "label": placed.patch.label,
        "x": placed.top_left[1] + int(columns[0]),
        "y": placed.top_left[0] + int(rows[0]),
        "width": mask.shape[1],
        "height": mask.shape[0],
        "mask": _runs(mask),
        "picture": _data_url(
            _picture(np.concatenate([placed.patch.paint[:, *part], cover[None] * 255 // 256]))
        ),
    }


def panoptic() -> dict[str, Any]:
    """What the network with masks finds in a scene of the page on Mask R-CNN, and the truth.

    The page trains a head for stuff. Here the semantic map is the best that a head on cells of
    4 × 4 pixels can say: the class with the largest share of a cell, enlarged as on the page.
    """
    image, truth = SCENES[2]
    with torch.no_grad():
        (found,) = load_mask_network(CPU)([image])
    sure = found["scores"] >= 0.5
    shares = F.avg_pool2d(F.one_hot(truth["semantic"], 8).movedim(2, 0)[None].float(), 4)
    semantic = F.interpolate(shares, scale_factor=4, mode="bilinear")[0].argmax(dim=0)
    return {
        "size": list(semantic.shape),
        "semantic": _runs(semantic),
        "instances": [
            {"label": int(label), "score": round(float(score), 2), "mask": _runs(mask[0] >= 0.5)}
            for label, score, mask in zip(
                found["labels"][sure], found["scores"][sure], found["masks"][sure], strict=True
            )
        ],
        "truth": {"classes": _runs(truth["semantic"]), "instances": _runs(truth["panoptic"])},
    }


def proposals() -> dict[str, Any]:
    """The photograph of the page on R-CNN, the boxes drawn by hand, and those of the search."""
    photo = detseg.photo("astronaut")
    found = detseg.selective_search(photo, scales=(100, 200, 400))
    small = to_pil_image(photo).resize((256, 256), Image.Resampling.LANCZOS)
    return {
        "side": photo.shape[-1],
        "names": ["head", "helmet", "shuttle", "badge"],
        "truths": [
            [150, 14, 302, 185],
            [282, 342, 500, 512],
            [352, 0, 462, 265],
            [130, 345, 210, 424],
        ],
        "searched": found[: 9 * 12**2].int().tolist(),  # as many as the page's grid has
        "picture": _data_url(small.quantize(48)),
    }


def receptive_field() -> dict[str, Any]:
    """The scene of the page on fully convolutional networks, and the middle of a person in it."""
    image, truth = SCENES[55]
    x1, y1, x2, y2 = truth["boxes"][truth["labels"] == PERSON][0].tolist()
    return {
        "side": image.shape[-1],
        "scene": _data_url(to_pil_image(image).quantize(48)),
        "start": [round((x1 + x2) / 2), round((y1 + y2) / 2)],
    }


def roi() -> dict[str, Any]:
    """The box of the page on Fast R-CNN, and the channel of the detector that tells most of it."""
    image, truth = SCENES[11]
    stride, box = 8, truth["boxes"][truth["labels"] == PERSON]
    with torch.no_grad():
        maps = detseg.load_detector(CPU).backbone(image[None])
    maps = maps / maps.amax(dim=(2, 3), keepdim=True).clamp(min=1e-6)
    inside = ops.roi_align(maps, [box], 8, 1 / stride, aligned=True)[0]
    channel = maps[0, int(inside.std(dim=(1, 2)).argmax())]
    return {
        "stride": stride,
        "box": box[0].int().tolist(),
        "map": (100 * channel).round().int().tolist(),  # hundredths of its largest value
    }


FIGURES: dict[str, Callable[[], dict[str, Any]]] = {
    "anchors": anchors,
    "four-tasks": four_tasks,
    "panoptic": panoptic,
    "proposals": proposals,
    "receptive-field": receptive_field,
    "roi": roi,
}


def module_of(name: str) -> Path:
    """The module that has the data of a figure."""
    return FOLDER / f"{name}-data.js"


def main() -> None:
    """Write all modules."""
    for name, make in FIGURES.items():
        text = json.dumps(make(), separators=(",", ":"))
        module_of(name).write_text(
            f"// Made by book/figure_data.py.\nexport default {text};\n", encoding="utf-8"
        )


def _runs(numbers: Any) -> list[int]:
    """Whole numbers in rows as value, length, value, length …"""
    flat = np.asarray(numbers).astype(int).ravel()
    starts = np.flatnonzero(np.diff(flat, prepend=-1))
    lengths = np.diff(np.append(starts, flat.size))
    return np.stack([flat[starts], lengths], axis=1).ravel().tolist()


def _picture(channels: np.ndarray) -> Image.Image:
    """Channels first, from 0 to 255, as a picture."""
    return Image.fromarray(channels.transpose(1, 2, 0).clip(0, 255).astype(np.uint8))


def _data_url(picture: Image.Image) -> str:
    """A PNG that travels inside of a page."""
    stream = BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(stream.getvalue()).decode()}"


if __name__ == "__main__":
    main()
