"""The pages' cells on a device that is not the CPU: nothing of them may be left behind."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import jupytext
import pytest
import torch
import tqdm.auto
from fake_device import FakeDevice

import detseg

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

BOOK = Path(__file__).resolve().parents[2] / "book"

# By page: the steps of a training, and how many scenes of a data set there are to go through.
# A page's charts and examples need some; more would only take longer.
STEPS_AND_SCENES = {
    "detector": (10, 73),
    "faster-rcnn": (30, 60),
    "fcn": (50, 60),
    "mask-rcnn": (10, 60),
    "single-stage": (30, 40),
    "upsampling": (10, 60),
}

# By page: what it says, and what it is to do here, where a network has learnt nothing.
CHANGED = {
    "detector": {
        "\nSTEPS = 100\n": "\nSTEPS = 25\n",
        "POINT_STEPS = 500 * MORE": "POINT_STEPS = 10",
        "100 * MORE": "10",
        "(500, False": "(50, False",
    },
    "faster-rcnn": {
        "if score >= 0.5:": "if True:",
        "if iou[2, thing] >= 0.5:": "if True:",
        "return iou[0] >= 0.4 and": "return",
    },
    "fcn": {"STEPS, BATCH, CROP, WEIGHT = 1200 * MORE, 16": "STEPS, BATCH, CROP, WEIGHT = 130, 4"},
    "mask-rcnn": {"STEPS, BATCH = 150 * MORE, 6": "STEPS, BATCH = 12, 2"},
    "single-stage": {},
    "upsampling": {"STEPS, BATCH = 700, 8": "STEPS, BATCH = 6, 8", "= 16, 150": "= 16, 20"},
}


class WithoutAsserts(ast.NodeTransformer):
    """Leaves out what pages claim of their results: trained so shortly, none of it holds."""

    def visit_Assert(self, node: ast.Assert) -> ast.Pass:
        return ast.copy_location(ast.Pass(), node)


def few_scenes(most: int) -> type[detseg.ShapeScenes]:
    class FewScenes(detseg.ShapeScenes):
        """All scenes can be asked for, but only few are there to go through."""

        def __len__(self) -> int:
            return min(self.n, most)

        def __iter__(self) -> Iterator[tuple[torch.Tensor, dict]]:
            return (self[index] for index in range(len(self)))

    return FewScenes


def few_steps(most: int, longest: int) -> Callable:
    """A `trange` without a bar; one that is longer than any data set is a training."""

    def trange(*bounds: int, **_: object) -> range:
        steps = range(*bounds)
        return steps[:most] if len(steps) > longest else steps

    return trange


@pytest.fixture(autouse=True)
def _print_options_are_the_pages_own():
    yield
    torch.set_printoptions(profile="default")


@pytest.mark.parametrize("page", CHANGED)
def test_cells(page, monkeypatch):
    steps, scenes = STEPS_AND_SCENES[page]
    torch.manual_seed(0)
    monkeypatch.setattr(detseg, "device", lambda: torch.device("cuda"))
    monkeypatch.setattr(detseg, "ShapeScenes", few_scenes(scenes))
    monkeypatch.setattr(tqdm.auto, "trange", few_steps(steps, scenes))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    text = (BOOK / f"{page}.md").read_text("utf-8")
    for old, new in CHANGED[page].items():
        assert old in text
        text = text.replace(old, new)
    cells = jupytext.reads(text, fmt="md:myst").cells
    names = {"__name__": "__main__"}
    with FakeDevice() as device:
        for number, cell in enumerate(c for c in cells if c.cell_type == "code"):
            tree = WithoutAsserts().visit(ast.parse(cell.source))
            exec(compile(tree, f"<{page}, cell {number + 1}>", "exec"), names)
        assert device.used
