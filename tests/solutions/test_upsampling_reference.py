"""The reference of the sheet `upsampling`: the lecture's figures, torch's operators, one law."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F


@pytest.fixture
def sheet(reference):
    return reference("upsampling")


def image(rows):
    """One image with one channel: (1, 1, H, W)."""
    return torch.tensor(rows, dtype=torch.float32)[None, None]


def grid(text):
    """The figure's numbers, row by row as the slide prints them."""
    return [[float(number) for number in line.split()] for line in text.strip().splitlines()]


SMALL = image([[1, 2], [3, 4]])
POOLED = grid("""
    1 2 6 3
    3 5 2 1
    1 2 2 1
    7 3 4 8
""")


# The lecture's figures.


def test_bed_of_nails_of_the_figure(sheet):
    assert sheet["bed_of_nails"](SMALL, 2)[0, 0].tolist() == grid("""
        1 0 2 0
        0 0 0 0
        3 0 4 0
        0 0 0 0
    """)


def test_nearest_neighbour_of_the_figure(sheet):
    assert sheet["nearest_upsample"](SMALL, 2)[0, 0].tolist() == grid("""
        1 1 2 2
        1 1 2 2
        3 3 4 4
        3 3 4 4
    """)


def test_bilinear_interpolation_of_the_figure(sheet):
    assert sheet["bilinear_upsample"](SMALL, 2)[0, 0].tolist() == grid("""
        1.00 1.25 1.75 2.00
        1.50 1.75 2.25 2.50
        2.50 2.75 3.25 3.50
        3.00 3.25 3.75 4.00
    """)


def test_bicubic_interpolation_of_the_figure_is_torchs():
    """The sheet does not ask for it; the table of conventions says how it is meant."""
    cubic = F.interpolate(SMALL, scale_factor=2, mode="bicubic", align_corners=False)[0, 0]
    expected = torch.tensor(
        grid("""
        0.68 1.02 1.56 1.89
        1.35 1.68 2.23 2.56
        2.44 2.77 3.32 3.65
        3.11 3.44 3.98 4.32
    """)
    )
    torch.testing.assert_close(cubic, expected, rtol=0, atol=0.00501)


def test_max_pooling_of_the_figure(sheet):
    values, indices = sheet["max_pool_with_indices"](image(POOLED), 2)
    assert values[0, 0].tolist() == [[5, 6], [7, 8]]
    assert indices[0, 0].tolist() == [[5, 2], [12, 15]]


def test_max_unpooling_of_the_figure(sheet):
    _, indices = sheet["max_pool_with_indices"](image(POOLED), 2)
    assert sheet["max_unpool"](SMALL, indices, (4, 4))[0, 0].tolist() == grid("""
        0 0 2 0
        0 1 0 0
        0 0 0 0
        3 0 0 4
    """)


@pytest.mark.parametrize(("a", "b"), [(2.0, 5.0), (-3.0, 7.0)])
def test_the_example_on_a_line(sheet, a, b):
    x, y, z = 11.0, 13.0, 17.0
    line = sheet["transposed_conv1d"](torch.tensor([a, b]), torch.tensor([x, y, z]), 2)
    assert line.tolist() == [a * x, a * y, a * z + b * x, b * y, b * z]


WEIGHT = torch.arange(1.0, 10).reshape(1, 1, 3, 3)


def test_the_lectures_convolution_leads_from_4_x_4_to_2_x_2(sheet):
    matrix = sheet["conv_matrix"](WEIGHT[0, 0], (4, 4), 2, 1)
    assert matrix.shape == (4, 16)
    pixels = image(POOLED)
    expected = F.conv2d(pixels, WEIGHT, stride=2, padding=1)
    assert expected.shape[2:] == (2, 2)
    assert torch.equal(matrix @ pixels.flatten(), expected.flatten())


def test_the_whole_is_5_x_5_and_the_lecture_trims_the_top_and_left(sheet):
    whole = sheet["transposed_conv2d"](SMALL, WEIGHT, 2)
    assert whole[0, 0].tolist() == grid("""
         1  2  5  4  6
         4  5 14 10 12
        10 14 36 24 30
        12 15 34 20 24
        21 24 55 32 36
    """)
    trimmed = sheet["transposed_conv2d"](SMALL, WEIGHT, 2, padding=1, output_padding=1)
    assert trimmed.shape == (1, 1, 4, 4)
    assert torch.equal(trimmed, whole[:, :, 1:, 1:])


def test_the_transposed_matrix_is_the_transposed_convolution_and_no_inverse(sheet):
    matrix = sheet["conv_matrix"](WEIGHT[0, 0], (4, 4), 2, 1)
    trimmed = sheet["transposed_conv2d"](SMALL, WEIGHT, 2, padding=1, output_padding=1)
    assert torch.equal(matrix.T @ SMALL.flatten(), trimmed.flatten())
    assert torch.linalg.matrix_rank(matrix.T @ matrix) == 4  # of 16: most of an image is lost


# The numbers that the sheet's text states besides.


def test_the_lines_of_the_trimming_table(sheet):
    def line(padding, output_padding):
        wide = F.pad(torch.tensor([[[[1.0, 10, 100]]]]), (0, 0, padding, padding))
        x = torch.tensor([[[[2.0, 5]]]])
        return sheet["transposed_conv2d"](x, wide, 2, padding, output_padding)[0, 0, 0].tolist()

    assert line(0, 0) == [2, 20, 205, 50, 500]
    assert line(1, 0) == [20, 205, 50]
    assert line(1, 1) == [20, 205, 50, 500]
    assert line(0, 1) == [2, 20, 205, 50, 500, 0]


def test_rules_are_transposed_convolutions_with_chosen_weights(sheet):
    x = torch.randn((1, 1, 6, 5), generator=torch.Generator().manual_seed(0))
    tent = torch.tensor([0.25, 0.75, 0.75, 0.25])
    for rule, weight, trimming in [
        ("bed_of_nails", torch.ones(1, 1), {"output_padding": 1}),
        ("nearest_upsample", torch.ones(2, 2), {}),
        ("bilinear_upsample", tent[:, None] * tent, {"padding": 1}),
    ]:
        by_rule = sheet[rule](x, 2)
        by_weights = sheet["transposed_conv2d"](x, weight[None, None], 2, **trimming)
        assert by_rule.shape == by_weights.shape
        torch.testing.assert_close(by_rule[:, :, 1:-1, 1:-1], by_weights[:, :, 1:-1, 1:-1])
        assert torch.allclose(by_rule, by_weights) == (rule != "bilinear_upsample")


@pytest.mark.parametrize(("side", "counts"), [(3, {1, 2, 4}), (4, {4})])
def test_how_often_inner_pixels_are_written(sheet, side, counts):
    written = sheet["transposed_conv2d"](torch.ones(1, 1, 6, 6), torch.ones(1, 1, side, side), 2)
    assert set(written[0, 0, 2:-2, 2:-2].flatten().tolist()) == counts


# torch's operators.


def gradients(result, *inputs):
    weights = torch.linspace(-1, 2, result.numel(), dtype=result.dtype).reshape(result.shape)
    return torch.autograd.grad((result * weights).sum(), inputs)


@pytest.mark.parametrize("factor", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("size_hw", [(3, 5), (6, 2), (1, 5), (4, 1), (1, 1)])
@pytest.mark.parametrize(
    ("rule", "mode"), [("nearest_upsample", "nearest"), ("bilinear_upsample", "bilinear")]
)
def test_interpolation_is_that_of_torch(sheet, rule, mode, size_hw, factor):
    x = torch.randn((2, 3, *size_hw), generator=torch.Generator().manual_seed(1)).requires_grad_()
    expected = F.interpolate(x, scale_factor=factor, mode=mode)
    result = sheet[rule](x, factor)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(gradients(result, x), gradients(expected, x), rtol=0, atol=1e-4)


@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("size_hw", [(6, 4), (5, 7), (4, 11), (12, 12)])
@pytest.mark.parametrize("kind", ["random", "ties", "minus infinity"])
def test_max_pooling_and_unpooling_are_those_of_torch(sheet, kind, size_hw, kernel):
    generator = torch.Generator().manual_seed(2)
    x = torch.randn((2, 3, *size_hw), generator=generator)
    if kind == "ties":
        x = x.round()
    if kind == "minus infinity":
        x[x < 0.8] = -torch.inf
    x.requires_grad_()
    expected, places = F.max_pool2d(x, kernel, return_indices=True)
    values, indices = sheet["max_pool_with_indices"](x, kernel)
    assert torch.equal(values, expected)
    assert torch.equal(indices, places)
    assert torch.equal(gradients(values, x)[0], gradients(expected, x)[0])
    small = torch.randn(places.shape, generator=generator, requires_grad=True)
    expected = F.max_unpool2d(small, places, kernel, output_size=size_hw)
    large = sheet["max_unpool"](small, places, size_hw)
    assert torch.equal(large, expected)
    assert torch.equal(gradients(large, small)[0], gradients(expected, small)[0])


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("length", [1, 2, 3, 5])
@pytest.mark.parametrize("inputs", [1, 2, 6])
def test_transposed_convolution_on_a_line_is_that_of_torch(sheet, inputs, length, stride):
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(inputs, generator=generator, requires_grad=True)
    weight = torch.randn(length, generator=generator, requires_grad=True)
    expected = F.conv_transpose1d(x[None, None], weight[None, None], stride=stride)[0, 0]
    line = sheet["transposed_conv1d"](x, weight, stride)
    torch.testing.assert_close(line, expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(
        gradients(line, x, weight), gradients(expected, x, weight), rtol=1e-5, atol=1e-4
    )


KERNELS = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (1, 4), (3, 2), (2, 5)]
# torch asks for an output padding below the stride.
STEPS = [
    (stride, output_padding)
    for stride in range(1, 5)
    for output_padding in range(4)
    if output_padding < stride
]


@pytest.mark.parametrize("padding", range(4))
@pytest.mark.parametrize(("stride", "output_padding"), STEPS)
@pytest.mark.parametrize(("kh", "kw"), KERNELS)
def test_transposed_convolution_is_that_of_torch(sheet, kh, kw, stride, output_padding, padding):
    generator = torch.Generator().manual_seed(4)
    weight = torch.randn((2, 3, kh, kw), generator=generator, requires_grad=True)
    compared = 0
    for height, width in [(1, 2), (3, 2), (4, 7)]:
        sizes = [(height - 1) * stride + kh, (width - 1) * stride + kw]
        if min(sizes) - 2 * padding + output_padding < 1:
            continue
        x = torch.randn((2, 2, height, width), generator=generator, requires_grad=True)
        arguments = x, weight, stride, padding, output_padding
        result = sheet["transposed_conv2d"](*arguments)
        expected = F.conv_transpose2d(x, weight, None, *arguments[2:])
        torch.testing.assert_close(result, expected, rtol=0, atol=1e-5)
        torch.testing.assert_close(
            gradients(result, x, weight), gradients(expected, x, weight), rtol=1e-5, atol=1e-4
        )
        compared += 1
    assert compared or (stride == 1 and padding > 1)


# The law of the transpose: ⟨conv2d(y, w), x⟩ = ⟨y, transposed_conv2d(x, w)⟩.

SIDE = st.integers(1, 6)
KERNEL = st.integers(1, 5)


@settings(deadline=None, derandomize=True)
@given(SIDE, SIDE, KERNEL, KERNEL, st.integers(1, 4), st.integers(0, 3), st.integers(0))
def test_the_law_of_the_transpose(reference, height, width, kh, kw, stride, padding, seed):
    """A convolution from any size, and its transpose back to the very same size.

    The output padding is what is left of the input after the convolution's last whole step; the
    reference takes one number for both axes, so both leave the same.
    """
    generator = torch.Generator().manual_seed(seed % 2**32)
    rest = seed % stride
    high = (height - 1) * stride + kh + rest - 2 * padding
    wide = (width - 1) * stride + kw + rest - 2 * padding
    if high < 1 or wide < 1:
        return
    functions = reference("upsampling")
    y = torch.randn((2, 3, high, wide), generator=generator, dtype=torch.float64)
    weight = torch.randn((2, 3, kh, kw), generator=generator, dtype=torch.float64)
    down = F.conv2d(y, weight, stride=stride, padding=padding)
    assert down.shape == (2, 2, height, width)
    x = torch.randn(down.shape, generator=generator, dtype=torch.float64)
    up = functions["transposed_conv2d"](x, weight, stride, padding, rest)
    assert up.shape == y.shape
    torch.testing.assert_close((down * x).sum(), (y * up).sum())

    # The same with matrices, for one pair of channels.
    matrix = functions["conv_matrix"](weight[0, 0], (high, wide), stride, padding)
    one = F.conv2d(y[:1, :1], weight[:1, :1], stride=stride, padding=padding)
    torch.testing.assert_close(matrix @ y[0, 0].flatten(), one.flatten())
    back = functions["transposed_conv2d"](x[:1, :1], weight[:1, :1], stride, padding, rest)
    torch.testing.assert_close(matrix.T @ x[0, 0].flatten(), back.flatten())
