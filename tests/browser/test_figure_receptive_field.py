"""The figure of a receptive field: as right as gradients of torch, edited, dragged, by keyboard."""

from __future__ import annotations

import re

import pytest
import torch
from figures import Figure
from fitting import assert_fits
from torch import nn

pytestmark = pytest.mark.browser
NAME = "receptive-field"
Chain = list[list[int]]


def gradients(chain: Chain, output: int = 0) -> list[torch.Tensor]:
    """Of one output with respect to the input and to every layer, all weights being 1: 1-D each."""
    size = 2 + sum(dilation * (kernel - 1) for kernel, _, dilation in chain)
    for kernel, stride, dilation in reversed(chain):
        size = max(size, (size + 2) * stride + dilation * (kernel - 1) + 1)
    maps = [torch.zeros(1, 1, min(size, 60_000), dtype=torch.float64, requires_grad=True)]
    for kernel, stride, dilation in chain:
        layer = nn.Conv1d(1, 1, kernel, stride, dilation=dilation, bias=False).double()
        nn.init.ones_(layer.weight)
        maps.append(layer(maps[-1]))
        maps[-1].retain_grad()
    maps[-1][0, 0, output].backward()
    return [one.grad[0, 0] for one in maps]


def field_of(chain: Chain) -> dict[str, int]:
    """Size and jump, from the pixels that get a gradient."""
    first, second = (gradients(chain, output)[0].nonzero()[:, 0] for output in (0, 1))
    return {"size": int(first[-1] - first[0]) + 1, "jump": int(second[0] - first[0])}


def random_chains(number: int) -> list[Chain]:
    generator = torch.Generator().manual_seed(1)

    def layer() -> list[int]:
        return [int(torch.randint(1, most + 1, (), generator=generator)) for most in (7, 3, 4)]

    counts = torch.randint(0, 4, (number,), generator=generator).tolist()
    return [[layer() for _ in range(count)] for count in counts]


def state(figure: Figure) -> tuple[Chain, int]:
    """The layers in the controls, and the one whose output is followed."""
    layers = figure.root.locator(".receptive-field-layer").all()
    chain = [[int(one.input_value()) for one in layer.locator("input").all()] for layer in layers]
    said = re.search(r"layer (\d+)", figure.root.locator(".figure-step").inner_text())
    return chain, int(said[1]) if said else 0


def assert_numbers_are_right(figure: Figure) -> None:
    chain, depth = state(figure)
    followed = chain[:depth]
    expected = field_of(followed)
    assert figure.number("size") == expected["size"]
    assert int(re.match(r"jump (\d+)", figure.said("seen"))[1]) == expected["jump"]
    counts = [int((one != 0).sum()) for one in gradients(followed)]
    texts = figure.root.get_by_role("group", name="What one output sees").locator("text")
    shown = [
        int(text.split()[0])
        for text in texts.all_text_contents()
        if text[0].isdigit() and re.search("pixel|value|output", text)
    ]
    assert shown == counts
    gaps = re.search(r"only (\d+) of the (\d+)", figure.said("seen"))
    if gaps:
        assert [int(one) for one in gaps.groups()] == [counts[0], expected["size"]]
    else:
        assert counts[0] == expected["size"]
    for index, output in enumerate(
        figure.root.locator(".receptive-field-layer output").all_text_contents()
    ):
        after, before = field_of(chain[: index + 1]), field_of(chain[:index])
        assert (
            output
            == f"adds {after['size'] - before['size']} → {after['size']}, jump {after['jump']}"
        )


def set_layer(figure: Figure, number: int, name: str, value: int) -> None:
    layer = figure.root.get_by_role("group", name=f"layer {number}", exact=True)
    layer.get_by_label(name, exact=True).fill(str(value))
    layer.get_by_label(name, exact=True).blur()


def test_same_numbers_as_gradients(figure: Figure) -> None:
    chains = random_chains(200)
    rows = [[chain] for chain in chains]
    assert figure.calls("receptiveField", rows) == [field_of(chain) for chain in chains]
    seen, centres = figure.calls("seen", rows), figure.calls("centres", rows)
    for chain, places, starts in zip(chains, seen, centres, strict=True):
        wanted = [one.nonzero()[:, 0].tolist() for one in gradients(chain)]
        assert places == wanted
        for depth in range(len(chain) + 1):  # the mean of what value 0 of a layer sees
            weights = gradients(chain[:depth])[0]
            middle = (weights * (torch.arange(len(weights)) + 0.5)).sum() / weights.sum()
            assert starts[depth] == pytest.approx(middle.item(), abs=1e-6)


def test_runs(figure: Figure) -> None:
    table = [[[]], [[3]], [[0, 1, 2]], [[0, 2, 3, 7]]]
    assert figure.calls("runs", table) == [[], [[3, 4]], [[0, 3]], [[0, 1], [2, 4], [7, 8]]]


def test_layers_are_changed_added_and_removed(figure: Figure) -> None:
    assert figure.number("size") == 18
    assert_numbers_are_right(figure)
    set_layer(figure, 4, "kernel", 3)
    set_layer(figure, 5, "dilation", 9)  # mended to 4
    assert state(figure)[0][3:] == [[3, 2, 1], [3, 1, 4]]
    assert_numbers_are_right(figure)
    figure.press("Add a pooling")
    figure.press("Add a convolution")
    figure.root.get_by_role("button", name="Remove layer 1", exact=True).click()
    assert len(state(figure)[0]) == 6
    assert_numbers_are_right(figure)
    for _ in range(3):
        figure.press("Add a convolution")
    assert len(state(figure)[0]) == 8
    assert_numbers_are_right(figure)


def test_layer_by_layer_and_presets(figure: Figure) -> None:
    for depth in range(4, -1, -1):
        figure.press("Back")
        assert state(figure)[1] == depth
        assert_numbers_are_right(figure)
    for preset in ("convolutions alone", "dilation 1, 2, 4", "dilation 2, 2, 2", "with pooling"):
        figure.press(preset)
        assert_numbers_are_right(figure)


def test_the_field_on_the_scene(figure: Figure) -> None:
    square = figure.root.locator(".receptive-field-square")
    handle = figure.root.get_by_role("application")
    before = [float(square.get_attribute(key)) for key in ("x", "y", "width", "height")]
    assert before[2:] == [18, 18]
    figure.drag(handle, -30, -20)
    after = [float(square.get_attribute(key)) for key in ("x", "y", "width", "height")]
    assert after == [before[0] - 30, before[1] - 20, 18, 18]
    figure.press("dilation 2, 2, 2")
    holes = figure.root.locator(".receptive-field-cover").get_attribute("d").count("M") - 1
    pixels = gradients(state(figure)[0])[0].count_nonzero().item()
    assert holes == pixels**2  # each pixel on its own, since dilation leaves gaps
    figure.drag(handle, 300, 0)
    assert "sticks out" in figure.said("scene")


def test_by_keyboard(figure: Figure) -> None:
    handle = figure.root.get_by_role("application")
    handle.focus()
    place = handle.get_attribute("aria-label")
    figure.page.keyboard.press("ArrowLeft")
    figure.page.keyboard.press("ArrowUp")
    old, new = (
        [int(one) for one in re.findall(r"\d+", text)]
        for text in (place, handle.get_attribute("aria-label"))
    )
    assert new == [old[0] - 1, old[1] - 1]
    kernel = figure.root.get_by_label("kernel").first
    kernel.focus()
    figure.page.keyboard.press("ArrowUp")
    figure.page.keyboard.press("Tab")
    assert state(figure)[0][0][0] == 4
    assert_numbers_are_right(figure)
    last = figure.root.get_by_role("button", name="Remove layer 5", exact=True)
    last.focus()
    for left in range(4, -1, -1):  # the focus goes on to the next button
        figure.page.keyboard.press("Enter")
        assert len(state(figure)[0]) == left
    figure.page.keyboard.press("Enter")
    assert state(figure)[0] == [[3, 1, 1]]
    assert_numbers_are_right(figure)


def test_on_a_phone(phone: Figure) -> None:
    assert_fits(phone)
    for _ in range(3):
        phone.press("Add a convolution")
    for number in range(1, 9):
        set_layer(phone, number, "kernel", 7)
        set_layer(phone, number, "stride", 3)
    assert_fits(phone)
    assert phone.number("size") == 1 + 6 * sum(3**k for k in range(8))
    phone.press("dilation 1, 2, 4")
    assert_numbers_are_right(phone)
    phone.drag(phone.root.get_by_role("application"), -10, 5)
    assert_fits(phone)
