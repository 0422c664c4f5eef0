"""The data of the interactive figures are what `book/figure_data.py` makes.

Boxes, masks and names are equal. Pictures are compared by their pixels: PNG files differ with the
version of zlib. What a network says may differ in its last digits from machine to machine.
"""

from __future__ import annotations

import json
from base64 import b64decode
from functools import cache
from io import BytesIO
from typing import Any

import figure_data
import numpy as np
import pytest
from coursebook.interactive import figure_names
from PIL import Image

import detseg


@cache
def stored(name: str) -> Any:
    text = figure_data.module_of(name).read_text("utf-8")
    return json.loads(text.partition("export default ")[2].rstrip(";\n"))


@cache
def made(name: str) -> Any:
    return json.loads(json.dumps(figure_data.FIGURES[name]()))


def pixels(url: str) -> np.ndarray:
    picture = Image.open(BytesIO(b64decode(url.removeprefix("data:image/png;base64,"))))
    return np.asarray(picture.convert("RGBA"))


def assert_same(one: Any, other: Any) -> None:
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list) and one and isinstance(one[0], dict):
        for ours, theirs in zip(one, other, strict=True):
            assert_same(ours, theirs)
    elif isinstance(one, str) and one.startswith("data:image"):
        assert np.array_equal(pixels(one), pixels(other))
    else:
        assert one == other


def unpacked(runs: list[int]) -> np.ndarray:
    return np.repeat(runs[0::2], runs[1::2])


def test_every_module_with_data_is_made_and_used() -> None:
    modules = {path.name.removesuffix("-data.js") for path in figure_data.FOLDER.glob("*-data.js")}
    assert modules == figure_data.FIGURES.keys()
    assert modules <= set(figure_names(figure_data.FOLDER))


@pytest.mark.parametrize("name", ["anchors", "four-tasks", "proposals", "receptive-field"])
def test_data_are_what_the_program_makes(name: str) -> None:
    assert_same(stored(name), made(name))


def test_the_channel_is_the_network_s_but_for_a_hundredth() -> None:
    ours, theirs = stored("roi"), made("roi")
    assert np.abs(np.subtract(ours.pop("map"), theirs["map"])).max() <= 1
    assert ours.items() <= theirs.items()


def test_the_instances_are_the_network_s_but_for_some_pixels() -> None:
    ours, theirs = stored("panoptic"), made("panoptic")
    for key in ("size", "semantic", "truth"):
        assert ours[key] == theirs[key]
    for one, other in zip(ours["instances"], theirs["instances"], strict=True):
        assert one["label"] == other["label"]
        assert one["score"] == pytest.approx(other["score"], abs=0.011)
        mask, other_mask = unpacked(one["mask"]), unpacked(other["mask"])
        assert (mask != other_mask).sum() <= 0.01 * mask.sum()


def test_the_parts_of_the_four_tasks_are_the_scene_s() -> None:
    _, truth = detseg.ShapeScenes(n=1000, seed=7, size_hw=(96, 128), things=(3, 4))[615]
    data = made("four-tasks")
    owner = np.zeros((data["height"], data["width"]), dtype=int)
    for number, thing in enumerate(data["things"], start=1):
        mask = unpacked(thing["mask"]).reshape(thing["height"], thing["width"])
        rows = slice(thing["y"], thing["y"] + thing["height"])
        owner[rows, thing["x"] : thing["x"] + thing["width"]][mask > 0] = number
    assert np.array_equal(owner, truth["panoptic"])
