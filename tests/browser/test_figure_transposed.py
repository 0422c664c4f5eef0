"""The figure of a transposed convolution: as right as torch, stepped, clicked, used by keyboard."""

from __future__ import annotations

import itertools
import re

import pytest
import torch
from figures import Figure
from fitting import assert_fits
from torch.nn import functional as F

pytestmark = pytest.mark.browser
NAME = "transposed"


def torch_says(input_, weights, stride: int, padding: int = 0, output_padding: int = 0):
    """(n, n) and (k, k) → the output."""
    shaped = (
        torch.as_tensor(table, dtype=torch.float64)[None, None] for table in (input_, weights)
    )
    return F.conv_transpose2d(*shaped, None, stride, padding, output_padding)[0, 0]


def state(figure: Figure) -> dict[str, int]:
    """What the controls say."""
    sliders = [int(one.input_value()) for one in figure.root.locator("input[type=range]").all()]
    checked = figure.root.locator("input[type=radio]:checked")
    n, kernel = (int(checked.nth(index).input_value()) for index in range(2))
    step = re.match(r"stamp (\d+)", figure.root.locator(".figure-step").inner_text())
    names = ("stride", "padding", "output_padding")
    counting = checked.nth(2).input_value() == "counts"
    stamps = int(step[1]) if step else 0
    return dict(zip(names, sliders, strict=True)) | {
        "n": n,
        "k": kernel,
        "stamps": stamps,
        "counting": counting,
    }


def choose(figure: Figure, label: str, option: str) -> None:
    group = figure.root.get_by_role("group", name=label, exact=True)
    group.get_by_label(option, exact=True).check(force=True)


def press_output(figure: Figure, number: int) -> None:
    output = figure.root.get_by_role("group", name="The output, with the part that is kept")
    output.locator(".numbers-press").nth(number).click(force=True)


def assert_numbers_are_right(figure: Figure) -> None:
    """The table is torch's output, after so many stamps, with what is trimmed around it."""
    now = state(figure)
    input_, weights = (torch.arange(1.0, s * s + 1).reshape(s, s) for s in (now["n"], now["k"]))
    if now["counting"]:
        input_, weights = torch.ones_like(input_), torch.ones_like(weights)
    input_ = input_ * (torch.arange(now["n"] ** 2).reshape(input_.shape) < now["stamps"])
    sizes = now["stride"], now["padding"], now["output_padding"]
    kept = torch_says(input_, weights, *sizes)
    output = figure.root.get_by_role("group", name="The output, with the part that is kept")
    texts = output.locator(".numbers-text").all_text_contents()
    side = round(len(texts) ** 0.5)
    shown = torch.tensor([float(text) for text in texts]).reshape(side, side)
    whole = torch_says(input_, weights, now["stride"])
    assert torch.equal(shown[: len(whole), : len(whole)].double(), whole)
    start = now["padding"]
    inner = shown[start : start + len(kept), start : start + len(kept)].double()
    assert torch.equal(inner, kept)
    assert side == max(len(whole), start + len(kept))
    assert figure.number("size") == len(kept)
    formula = r"\((\d+) - 1\) · (\d+) \+ (\d+) - 2 · (\d+) \+ (\d+) ="
    n, stride, k, padding, out = map(int, re.search(formula, figure.said("size")).groups())
    assert (n, stride, k, padding, out) == (now["n"], now["stride"], now["k"], *sizes[1:])
    terms = figure.said("sum").partition(": ")[2].rpartition(" = ")[0]
    if terms != "no stamp":
        products = [[int(part) for part in term.split(" · ")] for term in terms.split(" + ")]
        assert sum(a * b for a, b in products) == figure.number("sum")
    place = re.search(r"row (\d+), column (\d+) of the output", figure.said("sum"))
    if place:
        assert kept[int(place[1]), int(place[2])] == figure.number("sum")


def test_same_numbers_and_sizes_as_torch(figure: Figure) -> None:
    generator = torch.Generator().manual_seed(0)
    rows, sizes, expected = [], [], []
    for n, kernel, stride, padding in itertools.product(
        (1, 2, 3), (1, 2, 3, 4), (1, 2, 3, 4), range(4)
    ):
        for output_padding in range(min(stride, 4)):
            size = (n - 1) * stride + kernel - 2 * padding + output_padding
            input_, weights = (
                torch.randn(side, side, generator=generator, dtype=torch.float64)
                for side in (n, kernel)
            )
            try:
                wanted = torch_says(input_, weights, stride, padding, output_padding)
            except RuntimeError:  # nothing would be left
                assert size < 1
                continue
            rows.append([input_.tolist(), weights.tolist(), stride, padding, output_padding])
            sizes.append([n, kernel, stride, padding, output_padding])
            expected.append(wanted)
    assert len(rows) > 300
    for seen, wanted in zip(figure.calls("transposed", rows), expected, strict=True):
        torch.testing.assert_close(
            torch.tensor(seen, dtype=torch.float64), wanted, atol=1e-6, rtol=0
        )
    assert figure.calls("outputSize", sizes) == [len(wanted) for wanted in expected]


def test_it_starts_with_the_lecture_s_case(figure: Figure) -> None:
    expected = {"stride": 2, "padding": 1, "output_padding": 1, "n": 2, "k": 3}
    assert state(figure) == expected | {"stamps": 4, "counting": False}
    assert figure.said("sum").endswith("9 · 1 + 7 · 2 + 3 · 3 + 1 · 4 = 36")
    assert_numbers_are_right(figure)


def test_stamp_by_stamp(figure: Figure) -> None:
    for stamps in (3, 2, 1, 0):
        figure.press("Back")
        assert state(figure)["stamps"] == stamps
        assert_numbers_are_right(figure)
    figure.press("Next")
    assert "stamp 1 of 4: rows 0 to 2, columns 0 to 2" in figure.said("stamp")
    source = figure.root.get_by_role("group", name="The input, the weights and the stamp")
    source.locator(".numbers-press").nth(2).click()
    assert "stamp 3 of 4: rows 2 to 4, columns 0 to 2" in figure.said("stamp")
    assert_numbers_are_right(figure)


def test_all_controls(figure: Figure) -> None:
    choose(figure, "input", "3 × 3")
    for k, stride, padding, output_padding in (
        (4, 2, 1, 0),
        (1, 3, 0, 2),
        (2, 3, 1, 2),
        (4, 1, 2, 0),
    ):
        choose(figure, "weights", f"{k} × {k}")
        figure.slide("stride", stride)
        figure.root.get_by_label("output padding").fill(str(output_padding))
        figure.root.locator("input[type=range]").nth(1).fill(str(padding))
        now = state(figure)
        assert [now[name] for name in ("k", "stride", "padding", "output_padding")] == [
            k, stride, padding, output_padding,
        ]  # fmt: skip
        press_output(figure, 7)
        assert_numbers_are_right(figure)
    choose(figure, "show", "stamps a pixel")
    assert_numbers_are_right(figure)


def test_what_torch_refuses_is_mended(figure: Figure) -> None:
    figure.slide("stride", 1)  # output padding must be smaller
    assert state(figure)["output_padding"] == 0
    choose(figure, "weights", "1 × 1")  # 2 × 2, and one trimmed on each side: nothing left
    assert state(figure)["padding"] == 0
    assert_numbers_are_right(figure)


def test_by_keyboard(figure: Figure) -> None:
    figure.root.get_by_role("application").focus()
    for key, place in (("Right", "row 1, column 2"), ("Down", "row 2, column 2")):
        figure.page.keyboard.press(f"Arrow{key}")
        assert f"{place} of the output" in figure.said("sum")
    for _ in range(6):
        figure.page.keyboard.press("ArrowLeft")
    assert "a pixel that is trimmed" in figure.said("sum")
    assert_numbers_are_right(figure)
    figure.root.locator("input[type=range]").first.focus()
    figure.page.keyboard.press("ArrowRight")
    assert state(figure)["stride"] == 3
    assert_numbers_are_right(figure)


def test_on_a_phone(phone: Figure) -> None:
    assert_fits(phone)
    choose(phone, "input", "3 × 3")
    choose(phone, "weights", "4 × 4")
    phone.slide("stride", 3)
    phone.root.locator("input[type=range]").nth(1).fill("0")
    phone.root.get_by_label("output padding").fill("2")
    assert phone.number("size") == 12
    assert_fits(phone)
    press_output(phone, 40)
    assert_numbers_are_right(phone)
