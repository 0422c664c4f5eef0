"""The reference of the sheet `fcn`: it agrees with what torch's layers see, with torch's
cross-entropy, with counting by hand, and with the numbers of the sheet's own text."""

import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from autograder.sheets import load_sheet
from detseg import ShapeScenes

SEEDS = range(8)


@pytest.fixture(scope="module")
def sheet(reference):
    return reference("fcn")


# The receptive field, measured.

CHAINS = [
    [],
    [(1, 1)],
    [(3, 1)] * 5,
    [(3, 1), (2, 2), (3, 2), (3, 1, 2)],
    [(7, 2), (3, 2), (3, 1), (3, 1), (3, 2), (3, 1)],
    [(3, 1, 1), (3, 1, 2), (3, 1, 4), (3, 1, 8)],
    [(2, 3), (4, 1, 2), (5, 2)],
    [(1, 2), (2, 1), (3, 3, 2)],
    [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1), (3, 2)],
]


def first_and_last(layers, position):
    """The first and the last input position with a gradient from an output position."""
    signal = torch.zeros((1, 1, 700), requires_grad=True)
    output = signal
    for kernel, stride, *dilation in layers:
        layer = nn.Conv1d(1, 1, kernel, stride, dilation=dilation[0] if dilation else 1)
        nn.init.ones_(layer.weight)
        output = layer(output)
    output[0, 0, position].backward()
    seen = torch.nonzero(signal.grad[0, 0])[:, 0].tolist()
    return seen[0], seen[-1]


@pytest.mark.parametrize("layers", CHAINS)
def test_the_receptive_field_is_where_convolutions_have_a_gradient(sheet, layers):
    size, jump = sheet["receptive_field"](layers)
    for position in (0, 1, 5):
        first, last = first_and_last(layers, position)
        assert last - first + 1 == size
        assert first == position * jump


def test_layers_that_skip_inputs_see_holes(sheet):
    """The size goes from the first to the last, as the contract says."""
    assert sheet["receptive_field"]([(1, 3), (2, 1)]) == (4, 3)
    assert first_and_last([(1, 3), (2, 1)], 0) == (0, 3)


# The loss.


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("ignore_index", [255, -1, 0, 3])
def test_the_loss_is_that_of_torch(sheet, seed, dtype, ignore_index):
    generator = torch.Generator().manual_seed(seed)
    shape = [(2, 5, 7, 4), (1, 4, 3, 9), (3, 6, 1, 2), (2, 4, 8, 8)][seed % 4]
    logits = (5 * torch.randn(shape, generator=generator)).to(dtype).requires_grad_()
    target = torch.randint(0, shape[1], (shape[0], *shape[2:]), generator=generator)
    target[torch.rand(target.shape, generator=generator) < 0.4] = ignore_index
    target[0, 0, 0] = 1  # a pixel that counts, so that torch's mean is none of nothing
    loss = sheet["pixel_cross_entropy"](logits, target, ignore_index)
    expected = F.cross_entropy(logits, target, ignore_index=ignore_index)
    assert loss.dtype == dtype
    torch.testing.assert_close(loss, expected)
    gradients = [torch.autograd.grad(x, logits)[0] for x in (loss, expected)]
    torch.testing.assert_close(*gradients)


def test_a_loss_over_nothing_is_0_where_torchs_is_nan(sheet):
    logits = torch.rand((2, 3, 4, 5), requires_grad=True)
    void = torch.full((2, 4, 5), 255)
    assert F.cross_entropy(logits, void, ignore_index=255).isnan()
    loss = sheet["pixel_cross_entropy"](logits, void)
    loss.backward()
    assert loss == 0
    assert not logits.grad.any()


# The network.


@pytest.mark.parametrize("size_hw", [(32, 32), (33, 47), (37, 50), (64, 96), (101, 35)])
@pytest.mark.parametrize("training", [True, False])
def test_logits_are_as_large_as_the_image(sheet, size_hw, training):
    network = sheet["FCN"](7).train(training)
    assert network(torch.rand(1, 3, *size_hw)).shape == (1, 7, *size_hw)


@pytest.mark.parametrize(("row", "column"), [(40, 44), (41, 46), (43, 49), (47, 51)])
def test_the_network_sees_far_enough_from_every_phase_of_its_strides(sheet, row, column):
    torch.manual_seed(0)
    network = sheet["FCN"](4).eval()
    images = torch.rand((6, 3, 88, 96), requires_grad=True)
    (network(images)[:, :, row, column] * torch.randn(6, 4)).sum().backward()
    rows, columns = torch.nonzero(images.grad.abs().amax(dim=(0, 1))).unbind(dim=1)
    reaches = row - rows.min(), rows.max() - row, column - columns.min(), columns.max() - column
    assert min(reaches) >= 15


def test_the_network_learns_two_scenes(sheet):
    torch.manual_seed(0)
    items = list(ShapeScenes(2, seed=4, size_hw=(32, 48)))
    images = torch.stack([image for image, _ in items])
    labels = torch.stack([about["semantic"] for _, about in items]) - 1
    network = sheet["FCN"](7)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(40):
        logits = network(images)
        loss = sheet["pixel_cross_entropy"](logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    confusion = sheet["confusion_matrix"](logits.argmax(dim=1), labels, 7)
    assert sheet["pixel_accuracy"](confusion) > 0.9
    assert sheet["mean_iou"](confusion) > 0.7


# The measures, counted one by one.


def label_maps(seed):
    """A prediction and a target with void; some classes occur in one of them only."""
    generator = torch.Generator().manual_seed(seed)
    num_classes = (3, 7, 20, 2)[seed % 4]
    shape = [(9, 13), (2, 6, 5), (40,), (3, 1, 4, 4)][seed // 2 % 4]
    target = torch.randint(0, max(1, num_classes - 1), shape, generator=generator)
    prediction = torch.randint(1, num_classes, shape, generator=generator)
    prediction = torch.where(torch.rand(shape, generator=generator) < 0.5, target, prediction)
    void = torch.rand(shape, generator=generator) < 0.2
    return prediction.masked_fill(void, -9), target.masked_fill(void, 255), num_classes


@pytest.mark.parametrize("seed", SEEDS)
def test_measures_are_those_of_sets_of_pixels(sheet, seed):
    prediction, target, num_classes = label_maps(seed)
    confusion = sheet["confusion_matrix"](prediction, target, num_classes)
    pairs = list(zip(target.flatten().tolist(), prediction.flatten().tolist(), strict=True))
    assert confusion.dtype == torch.int64
    for t in range(num_classes):
        for p in range(num_classes):
            assert confusion[t, p] == pairs.count((t, p))

    known = [(number, *pair) for number, pair in enumerate(pairs) if pair[0] != 255]
    overlaps = []
    for label in range(num_classes):
        truth = {number for number, t, _ in known if t == label}
        called = {number for number, _, p in known if p == label}
        if truth | called:
            overlaps.append(len(truth & called) / len(truth | called))
    right = sum(t == p for _, t, p in known) / len(known)
    assert float(sheet["mean_iou"](confusion)) == pytest.approx(sum(overlaps) / len(overlaps))
    assert float(sheet["pixel_accuracy"](confusion)) == pytest.approx(right)


def test_measures_of_nothing_are_0(sheet):
    nothing = torch.zeros((5, 5), dtype=torch.int64)
    assert sheet["mean_iou"](nothing) == 0
    assert sheet["pixel_accuracy"](nothing) == 0


# The text.


def text():
    return "\n\n".join(cell.source for cell in load_sheet("fcn").notebook.cells)


def rows_of_table(header):
    """The rows of the sheet's table whose header begins so, as lists of cells."""
    (table,) = re.findall(rf"^\| {re.escape(header)}.*\n\|[ -|]+\n((?:\|.*\n?)+)", text(), re.M)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()]


def value(sum_and_product):
    """`4 + 2 · 2 · 4 = 20` as 20, once the left side has been seen to be equal."""
    left, _, right = sum_and_product.partition("=")
    result = sum(
        torch.tensor([int(factor) for factor in term.split("·")]).prod().item()
        for term in left.split("+")
    )
    assert not right or result == int(right)
    return result


def test_the_first_table_of_the_text(sheet):
    rows = rows_of_table("layers | receptive field")
    for layers, field in rows[:-1]:
        count = 0 if layers == "none" else int(layers)
        assert sheet["receptive_field"]([(3, 1)] * count) == (int(field), 1)
    assert rows[-1] == ["L", "1 + 2L"]
    assert sheet["receptive_field"]([(3, 1)] * 32) == (65, 1)


def test_the_second_table_of_the_text(sheet):
    layers = []
    for name, size, jump in rows_of_table("layer: kernel, stride, dilation"):
        numbers = [int(number) for number in re.findall(r"\d+", name)]
        layers += [tuple(numbers)] if numbers else []
        assert sheet["receptive_field"](layers) == (value(size), value(jump))
    assert len(layers) == 4


def worked_out():
    """Truth, prediction and confusion matrix of the case by hand, as the text prints them."""
    rows = re.findall(r"^\| (\d[\d |]+)\|  ?\| ([\d |]+)\|$", text(), re.M)
    truth, prediction = (
        torch.tensor([[int(n) for n in row[side].split("|")] for row in rows]) for side in (0, 1)
    )
    matrix = [[int(n) for n in row[1:]] for row in rows_of_table("| predicted 0")]
    return truth, prediction, torch.tensor(matrix)


def test_the_case_by_hand(sheet):
    truth, prediction, matrix = worked_out()
    assert truth.shape == prediction.shape == (3, 4)
    assert torch.equal(sheet["confusion_matrix"](prediction, truth, 4), matrix)
    quotients = []
    for label, (name, tp, fp, fn, iou) in enumerate(rows_of_table("class | TP")):
        hits = int(matrix[label, label])
        assert (int(name), int(tp)) == (label, hits)
        assert (int(fp), int(fn)) == (matrix[:, label].sum() - hits, matrix[label].sum() - hits)
        if iou != "none":
            above, below = map(int, iou.split("/"))
            assert below == int(tp) + int(fp) + int(fn)
            quotients.append(above / below)
    mean = sum(quotients) / 3
    assert float(sheet["mean_iou"](matrix)) == pytest.approx(mean)
    assert f"≈ {mean:.3f}" in text()
    accuracy = float(sheet["pixel_accuracy"](matrix))
    assert f"8/11 ≈ {accuracy:.3f}" in text()


def test_the_model_answer_about_the_train(sheet):
    """Sky, gravel, rails, obstacles, in per cent of the pixels."""
    confusion = torch.diag(torch.tensor([40, 50, 9, 0]))
    confusion[3, 1] = 1
    assert float(sheet["pixel_accuracy"](confusion)) == pytest.approx(0.99)
    assert f"{float(sheet['mean_iou'](confusion)):.3f}" == "0.745"
    assert "≈ 0.745" in text()
