"""Right answers to the sheet `upsampling`, written in other ways than the reference.

A hidden test that rejects one of these punishes understanding.
"""

import torch
from torch.nn import functional as F


def bed_of_nails__pixel_shuffle(x, factor):
    """Zeros as further channels, which pixel_shuffle lays out in the cell."""
    B, C, H, W = x.shape
    channels = torch.cat([x[:, :, None], x.new_zeros((B, C, factor**2 - 1, H, W))], dim=2)
    return F.pixel_shuffle(channels.flatten(1, 2), factor)


def bed_of_nails__kronecker_product(x, factor):
    """Every pixel times a cell with a single 1."""
    nail = torch.zeros((1, 1, factor, factor), dtype=x.dtype)
    nail[..., 0, 0] = 1
    return torch.kron(x, nail)


def bed_of_nails__pads_and_reshapes(x, factor):
    """A new axis behind each row and each column, filled up with zeros."""
    B, C, H, W = x.shape
    cells = F.pad(x.reshape(B, C, H, 1, W, 1), (0, factor - 1, 0, 0, 0, factor - 1))
    return cells.reshape(B, C, H * factor, W * factor)


def bed_of_nails__pixel_by_pixel(x, factor):
    """Loops over rows and columns."""
    B, C, H, W = x.shape
    board = torch.zeros(B, C, H * factor, W * factor, dtype=x.dtype)
    for i in range(H):
        for j in range(W):
            board[:, :, i * factor, j * factor] = x[:, :, i, j]
    return board


def nearest_upsample__by_index(x, factor):
    """Row i // factor, column j // factor."""
    rows = torch.arange(x.shape[2] * factor) // factor
    columns = torch.arange(x.shape[3] * factor) // factor
    return x[:, :, rows[:, None], columns]


def nearest_upsample__expands(x, factor):
    """New axes of length factor, without a copy until the reshape."""
    B, C, H, W = x.shape
    cells = x[:, :, :, None, :, None].expand(B, C, H, factor, W, factor)
    return cells.reshape(B, C, H * factor, W * factor)


def nearest_upsample__kronecker_product(x, factor):
    """Every pixel times a cell of ones."""
    return torch.kron(x, torch.ones((1, 1, factor, factor), dtype=x.dtype))


def nearest_upsample__builds_on_bed_of_nails(x, factor):
    """Nails, shifted to every place of the cell and added up."""
    nails = bed_of_nails(x, factor)  # noqa: F821
    return sum(nails.roll((i, j), dims=(2, 3)) for i in range(factor) for j in range(factor))


def bilinear_upsample__by_matrices(x, factor):
    """One matrix for the rows and one for the columns, with tents as their rows."""

    def tents(size):
        places = (torch.arange(size * factor, dtype=x.dtype) + 0.5) / factor - 0.5
        places = places.clamp(0, size - 1)
        return (1 - (places[:, None] - torch.arange(size)).abs()).clamp(min=0)

    return tents(x.shape[2]) @ x @ tents(x.shape[3]).T


def bilinear_upsample__four_neighbours(x, factor):
    """Both axes at once, from the four pixels around each place."""
    H, W = x.shape[2:]
    y = ((torch.arange(H * factor, dtype=x.dtype) + 0.5) / factor - 0.5).clamp(0, H - 1)
    x_ = ((torch.arange(W * factor, dtype=x.dtype) + 0.5) / factor - 0.5).clamp(0, W - 1)
    top, left = y.floor().long(), x_.floor().long()
    bottom, right = (top + 1).clamp(max=H - 1), (left + 1).clamp(max=W - 1)
    a, b = (y - top)[:, None], x_ - left
    result = x[:, :, top][..., left] * ((1 - a) * (1 - b))
    result = result + x[:, :, top][..., right] * ((1 - a) * b)
    result = result + x[:, :, bottom][..., left] * (a * (1 - b))
    return result + x[:, :, bottom][..., right] * (a * b)


def bilinear_upsample__in_python_numbers(x, factor):
    """Places one by one, the rows first, lerp between them."""

    def along(x, axis):
        lines = x.unbind(axis)
        result = []
        for i in range(len(lines) * factor):
            place = min(max((i + 0.5) / factor - 0.5, 0), len(lines) - 1)
            k = int(place)
            following = lines[min(k + 1, len(lines) - 1)]
            result.append(torch.lerp(lines[k], following, place - k))
        return torch.stack(result, axis)

    return along(along(x, 3), 2)


def bilinear_upsample__adds_up_tents(x, factor):
    """The border repeated, a tent for every pixel, F.fold to add them up, the border cut off."""
    B, C, H, W = x.shape
    larger = F.pad(x, (1, 1, 1, 1), mode="replicate").reshape(B * C, 1, -1)
    side = 2 * factor - factor % 2
    ramp = 1 - (torch.arange(side, dtype=x.dtype) - (side - 1) / 2).abs() / factor
    tents = (ramp[:, None] * ramp).reshape(1, -1, 1) * larger
    size = factor * (H + 2), factor * (W + 2)
    spread = F.fold(tents, size, side, stride=factor, padding=factor // 2)
    return spread.reshape(B, C, *size)[:, :, factor:-factor, factor:-factor]


def bilinear_upsample__places_by_linspace(x, factor):
    """The places from the first to the last in equal steps, in the dtype of x."""

    def along(x):
        rows = x.shape[2]
        half = 0.5 / factor
        places = torch.linspace(half - 0.5, rows - 0.5 - half, rows * factor, dtype=x.dtype)
        places = places.clamp(0, rows - 1)
        low, high = places.floor().long(), places.ceil().long()
        way = (places - low)[:, None]
        return x[:, :, low] + (x[:, :, high] - x[:, :, low]) * way

    return along(along(x).transpose(2, 3)).transpose(2, 3)


def max_pool_with_indices__unfolds(x, kernel):
    """F.unfold for the windows, another unfold of the positions."""
    B, C, H, W = x.shape
    h, w = H // kernel, W // kernel
    windows = x.unfold(2, kernel, kernel) if h else x.new_zeros((B, C, 0, W, kernel))
    if not h or not w:
        return x.new_zeros((B, C, h, w)), torch.zeros((B, C, h, w), dtype=torch.int64)
    windows = windows.unfold(3, kernel, kernel).reshape(B, C, h, w, -1)
    places = torch.arange(H * W).reshape(H, W).unfold(0, kernel, kernel).unfold(1, kernel, kernel)
    values, best = windows.max(dim=4)
    places = places.reshape(h, w, -1).expand(B, C, h, w, kernel**2)
    return values, places.gather(4, best[..., None]).squeeze(4)


def max_pool_with_indices__window_by_window(x, kernel):
    """Loops over the windows, and takes the values from x by their positions."""
    B, C, H, W = x.shape
    h, w = H // kernel, W // kernel
    indices = torch.zeros((B, C, h, w), dtype=torch.int64)
    for i in range(h):
        for j in range(w):
            top, left = i * kernel, j * kernel
            window = x[:, :, top : top + kernel, left : left + kernel].flatten(2)
            best = window.argmax(dim=2)
            indices[:, :, i, j] = (top + best // kernel) * W + left + best % kernel
    return x.flatten(2).gather(2, indices.flatten(2)).reshape(B, C, h, w), indices


def max_pool_with_indices__place_by_place(x, kernel):
    """Compares the k² places of all windows, one after the other; strictly larger wins."""
    B, C, H, W = x.shape
    h, w = H // kernel, W // kernel
    places = torch.arange(H * W).reshape(H, W)[: h * kernel, : w * kernel].expand(B, C, -1, -1)
    whole = x[:, :, : h * kernel, : w * kernel]
    values, indices = whole[:, :, ::kernel, ::kernel], places[:, :, ::kernel, ::kernel]
    for i in range(kernel):
        for j in range(kernel):
            here = whole[:, :, i::kernel, j::kernel]
            larger = here > values
            indices = torch.where(larger, places[:, :, i::kernel, j::kernel], indices)
            values = torch.where(larger, here, values)
    return values, indices


def max_pool_with_indices__pixel_unshuffle(x, kernel):
    """Windows become channels; the pair is a list."""
    H, W = x.shape[2:]
    h, w = H // kernel, W // kernel
    if h * w == 0:
        empty = x[:, :, :h, :w]
        return [empty, empty.long()]
    channels = F.pixel_unshuffle(x[:, :, : h * kernel, : w * kernel], kernel)
    values, best = channels.unflatten(1, (x.shape[1], kernel**2)).max(dim=2)
    i, j = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    indices = (i * kernel + best.div(kernel, rounding_mode="floor")) * W
    return [values, indices + j * kernel + best.remainder(kernel)]


def max_unpool__puts_by_row_and_column(x, indices, out_hw):
    """Four indices at once: image, channel, row, column."""
    B, C = x.shape[:2]
    large = torch.zeros((B, C, *out_hw), dtype=x.dtype)
    image = torch.arange(B).reshape(B, 1, 1, 1)
    channel = torch.arange(C).reshape(1, C, 1, 1)
    large[image, channel, indices // out_hw[1], indices % out_hw[1]] = x
    return large


def max_unpool__by_one_hot(x, indices, out_hw):
    """Each value times a map with a single 1, summed over the values."""
    maps = F.one_hot(indices.flatten(2), out_hw[0] * out_hw[1]).to(x.dtype)
    return torch.einsum("bcn,bcnp->bcp", x.flatten(2), maps).reshape(*x.shape[:2], *out_hw)


def max_unpool__plane_by_plane(x, indices, out_hw):
    """Loops over images and channels, index_add for each."""
    size = out_hw[0] * out_hw[1]
    planes = [
        torch.zeros(size, dtype=x.dtype).index_add(0, places.flatten(), values.flatten())
        for values, places in zip(x.flatten(0, 1), indices.flatten(0, 1), strict=True)
    ]
    return torch.stack(planes).reshape(*x.shape[:2], *out_hw)


def transposed_conv1d__weight_by_weight(x, weight, stride):
    """Loops over the filter instead of the inputs."""
    result = torch.zeros((len(x) - 1) * stride + len(weight), dtype=x.dtype)
    for k in range(len(weight)):
        result[k : k + (len(x) - 1) * stride + 1 : stride] += weight[k] * x
    return result


def transposed_conv1d__outputs_one_by_one(x, weight, stride):
    """Asks for each output which inputs reach it."""
    outputs = []
    for place in range((len(x) - 1) * stride + len(weight)):
        total = 0 * x[0] * weight[0]
        for number in range(len(x)):
            if 0 <= place - number * stride < len(weight):
                total = total + x[number] * weight[place - number * stride]
        outputs.append(total)
    return torch.stack(outputs)


def transposed_conv1d__nails_and_a_convolution(x, weight, stride):
    """A bed of nails, then an ordinary convolution with the filter turned round."""
    nails = x.new_zeros((len(x) - 1) * stride + 1)
    nails[::stride] = x
    turned = weight.flip(0)[None, None]
    return F.conv1d(nails[None, None], turned, padding=len(weight) - 1)[0, 0]


def transposed_conv1d__folds(x, weight, stride):
    """All copies, and F.fold to add them up."""
    copies = weight[:, None] * x  # [K, L]
    length = (len(x) - 1) * stride + len(weight)
    return F.fold(copies[None], (1, length), (1, len(weight)), stride=(1, stride)).flatten()


def transposed_conv1d__pads_every_copy(x, weight, stride):
    """A row for every copy, and the sum over the rows."""
    last = len(x) - 1
    rows = [F.pad(value * weight, (n * stride, (last - n) * stride)) for n, value in enumerate(x)]
    return torch.stack(rows).sum(dim=0)


def transposed_conv2d__pixel_by_pixel(x, weight, stride, padding=0, output_padding=0):
    """Loops over the input, one copy of all filters at a time, as the lecture has it."""
    B, _, H, W = x.shape
    _, outputs, kh, kw = weight.shape
    height, width = (H - 1) * stride + kh, (W - 1) * stride + kw
    whole = torch.zeros(B, outputs, height, width, dtype=x.dtype)
    for row in range(H):
        for column in range(W):
            copy = torch.tensordot(x[:, :, row, column], weight, dims=1)
            top, left = row * stride, column * stride
            whole[:, :, top : top + kh, left : left + kw] += copy
    larger = F.pad(whole, (0, output_padding, 0, output_padding))
    bottom, right = larger.shape[2] - padding, larger.shape[3] - padding
    return larger[:, :, padding:bottom, padding:right]


def transposed_conv2d__six_loops(x, weight, stride, padding=0, output_padding=0):
    """Every product by itself, added where it belongs if that is not cut off."""
    (B, channels, H, W), (_, out_channels, kh, kw) = x.shape, weight.shape
    oh = (H - 1) * stride + kh - 2 * padding + output_padding
    ow = (W - 1) * stride + kw - 2 * padding + output_padding
    out = x.new_zeros((B, out_channels, oh, ow))
    for i in range(H):
        for j in range(W):
            for a in range(kh):
                for b in range(kw):
                    row, column = i * stride + a - padding, j * stride + b - padding
                    if 0 <= row < oh and 0 <= column < ow:
                        for c in range(channels):
                            out[:, :, row, column] += x[:, c, i, j, None] * weight[c, :, a, b]
    return out


def transposed_conv2d__nails_and_a_convolution(x, weight, stride, padding=0, output_padding=0):
    """A bed of nails, then an ordinary convolution with the filters turned round."""
    kh, kw = weight.shape[2:]
    nails = bed_of_nails(x, stride)  # noqa: F821
    nails = nails[:, :, : nails.shape[2] - stride + 1, : nails.shape[3] - stride + 1]
    margin = (kw - 1, kw - 1 + output_padding, kh - 1, kh - 1 + output_padding)
    turned = weight.transpose(0, 1).flip(2, 3)
    whole = F.conv2d(F.pad(nails, margin), turned)
    return F.pad(whole, (-padding, -padding, -padding, -padding))


def transposed_conv2d__folds(x, weight, stride, padding=0, output_padding=0):
    """All copies as columns, and F.fold to add them up."""
    H, W = x.shape[2:]
    kh, kw = weight.shape[2:]
    copies = torch.einsum("bcn,ck->bkn", x.flatten(2), weight.flatten(1))
    size = (H - 1) * stride + kh, (W - 1) * stride + kw
    whole = F.fold(copies, size, (kh, kw), stride=stride)
    far = output_padding - padding
    return F.pad(whole, (-padding, far, -padding, far))


def transposed_conv2d__the_gradient_of_a_convolution(
    x, weight, stride, padding=0, output_padding=0
):
    """What autograd sends back through the convolution that leads the other way."""
    height = (x.shape[2] - 1) * stride - 2 * padding + weight.shape[2] + output_padding
    width = (x.shape[3] - 1) * stride - 2 * padding + weight.shape[3] + output_padding
    y = torch.zeros((len(x), weight.shape[1], height, width), dtype=x.dtype, requires_grad=True)
    forward = F.conv2d(y, weight, stride=stride, padding=padding)
    return torch.autograd.grad(forward, y, x, create_graph=True)[0]


def transposed_conv2d__axis_by_axis(x, weight, stride, padding=0, output_padding=0):
    """One matrix for rows and one for columns: which inputs reach which outputs."""

    def reach(size, kernel):
        """(outputs, inputs, kernel): 1 where this weight of this input falls on this output."""
        outputs = (size - 1) * stride - 2 * padding + kernel + output_padding
        place = torch.arange(outputs)[:, None] + padding - torch.arange(size) * stride
        return (place[:, :, None] == torch.arange(kernel)).to(x.dtype)

    rows, columns = reach(x.shape[2], weight.shape[2]), reach(x.shape[3], weight.shape[3])
    wide = torch.einsum("bchw,qwj,cdij->bdhqi", x, columns, weight)
    return torch.einsum("bdhqi,phi->bdpq", wide, rows)


def conv_matrix__images_of_single_pixels(weight, in_hw, stride, padding):
    """Column by column: what the convolution makes of an image with a single 1."""
    H, W = in_hw
    pixels = torch.eye(H * W, dtype=weight.dtype).reshape(H * W, 1, H, W)
    outputs = F.conv2d(pixels, weight[None, None], stride=stride, padding=padding)
    return outputs.flatten(1).T


def conv_matrix__weight_by_weight(weight, in_hw, stride, padding):
    """Entry by entry, with a test whether the weight is on the image."""
    (H, W), (kh, kw) = in_hw, weight.shape
    oh, ow = (H + 2 * padding - kh) // stride + 1, (W + 2 * padding - kw) // stride + 1
    matrix = torch.zeros(oh * ow, H * W, dtype=weight.dtype)
    for output in range(oh * ow):
        row, column = divmod(output, ow)
        for i in range(kh):
            for j in range(kw):
                y, x = row * stride + i - padding, column * stride + j - padding
                if 0 <= y < H and 0 <= x < W:
                    matrix[output, y * W + x] = weight[i, j]
    return matrix


def conv_matrix__two_selections(weight, in_hw, stride, padding):
    """Which row of the filter meets which row of the image, and the same for columns."""
    (H, W), (kh, kw) = in_hw, weight.shape

    def meets(size, kernel):
        """(outputs, pixels, kernel): 1 where this weight lies on this pixel."""
        outputs = torch.arange((size + 2 * padding - kernel) // stride + 1)
        place = torch.arange(size)[None, :, None] + padding - outputs[:, None, None] * stride
        return (place == torch.arange(kernel)).to(weight.dtype)

    matrix = torch.einsum("pyi,qxj,ij->pqyx", meets(H, kh), meets(W, kw), weight)
    return matrix.flatten(2).flatten(0, 1)


def conv_matrix__unfolds_the_pixels_numbers(weight, in_hw, stride, padding):
    """F.unfold of one-hot images gives the pixels that each output sees."""
    H, W = in_hw
    pixels = torch.eye(H * W, dtype=weight.dtype).reshape(1, H * W, H, W)
    seen = F.unfold(pixels, weight.shape, padding=padding, stride=stride)[0]
    seen = seen.reshape(H * W, weight.numel(), -1)  # [pixel, weight, output]
    return torch.einsum("pko,k->op", seen, weight.flatten())
