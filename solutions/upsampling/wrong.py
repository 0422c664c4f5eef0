"""Wrong answers to the sheet `upsampling`, each named after the misconception behind it.

A hidden test that accepts one of these teaches it.
"""

import torch
from torch.nn import functional as F

# bed_of_nails


def _board(x, factor, row=0, column=0):
    """Values at one place of each cell."""
    B, C, H, W = x.shape
    board = x.new_zeros((B, C, H * factor, W * factor))
    board[:, :, row::factor, column::factor] = x
    return board


def bed_of_nails__in_the_middle_of_the_cell(x, factor):
    """Puts each value in the middle of its cell."""
    return _board(x, factor, factor // 2, factor // 2)


def bed_of_nails__at_the_bottom_right(x, factor):
    """Puts each value at the other corner of its cell."""
    return _board(x, factor, factor - 1, factor - 1)


def bed_of_nails__copies(x, factor):
    """Fills the cells: that is the nearest neighbour."""
    return x.repeat_interleave(factor, 2).repeat_interleave(factor, 3)


def bed_of_nails__no_zeros_behind_the_last(x, factor):
    """Ends with the last value, like a transposed convolution with one weight."""
    height, width = (x.shape[2] - 1) * factor + 1, (x.shape[3] - 1) * factor + 1
    return _board(x, factor)[:, :, :height, :width]


def bed_of_nails__always_doubles(x, factor):
    """Knows the lecture's example only."""
    return _board(x, 2)


def bed_of_nails__square_maps(x, factor):
    """Takes the height for the width."""
    B, C, H = x.shape[:3]
    board = x.new_zeros((B, C, H * factor, H * factor))
    board[:, :, ::factor, ::factor] = x
    return board


def bed_of_nails__is_always_float32(x, factor):
    """Makes the board without saying of which dtype."""
    B, C, H, W = x.shape
    board = torch.zeros((B, C, H * factor, W * factor))
    board[:, :, ::factor, ::factor] = x
    return board


def bed_of_nails__through_float32(x, factor):
    """Has the dtype and not the digits."""
    return _board(x.float(), factor).to(x.dtype)


def bed_of_nails__without_gradients(x, factor):
    """Works on the data alone."""
    return _board(x.detach(), factor)


def bed_of_nails__keeps_the_nails_in_x(x, factor):
    """Changes what it is given: negative values become 0."""
    board = _board(x, factor)
    with torch.no_grad():
        x.clamp_(min=0)
    return board


# nearest_upsample


def nearest_upsample__tiles_the_map(x, factor):
    """Repeats the whole map instead of its pixels."""
    return x.repeat(1, 1, factor, factor)


def nearest_upsample__copies_along_the_rows_only(x, factor):
    """Repeats pixels sideways and whole rows in blocks."""
    return x.repeat_interleave(factor, 3).repeat(1, 1, factor, 1)


def nearest_upsample__always_doubles(x, factor):
    """Knows the lecture's example only."""
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def nearest_upsample__rounds_the_place(x, factor):
    """Rounds i / factor to the nearest row, where it is rounded down."""
    rows = (torch.arange(x.shape[2] * factor) / factor).round().long().clamp(max=x.shape[2] - 1)
    columns = (torch.arange(x.shape[3] * factor) / factor).round().long()
    return x[:, :, rows][:, :, :, columns.clamp(max=x.shape[3] - 1)]


def nearest_upsample__swaps_height_and_width(x, factor):
    """Returns the transpose."""
    return x.mT.repeat_interleave(factor, 2).repeat_interleave(factor, 3)


def nearest_upsample__is_always_float32(x, factor):
    """Converts to float32."""
    return x.float().repeat_interleave(factor, 2).repeat_interleave(factor, 3)


def nearest_upsample__through_float32(x, factor):
    """Has the dtype and not the digits."""
    return x.float().repeat_interleave(factor, 2).repeat_interleave(factor, 3).to(x.dtype)


def nearest_upsample__without_gradients(x, factor):
    """Works on the data alone."""
    return x.detach().repeat_interleave(factor, 2).repeat_interleave(factor, 3)


def nearest_upsample__changes_x(x, factor):
    """Multiplies what it is given in place."""
    copies = x.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
    with torch.no_grad():
        x.mul_(0)
    return copies


# bilinear_upsample


def _mixed(x, rows, columns):
    """Values between the pixels, at places that are clamped."""
    return _mixed_rows(_mixed_rows(x, rows).mT, columns).mT


def _mixed_rows(x, places):
    places = places.to(x).clamp(0, x.shape[2] - 1)
    above = places.floor().long()
    below = (above + 1).clamp(max=x.shape[2] - 1)
    way = (places - above)[:, None]
    return x[:, :, above] * (1 - way) + x[:, :, below] * way


def _places(size, factor):
    return (torch.arange(size * factor, dtype=torch.float64) + 0.5) / factor - 0.5


def _bilinear(x, factor):
    return _mixed(x, _places(x.shape[2], factor), _places(x.shape[3], factor))


def bilinear_upsample__aligns_corners(x, factor):
    """The other rule: the centres of the corner pixels lie on one another."""
    rows = torch.linspace(0, x.shape[2] - 1, x.shape[2] * factor)
    return _mixed(x, rows, torch.linspace(0, x.shape[3] - 1, x.shape[3] * factor))


def bilinear_upsample__looks_at_i_over_factor(x, factor):
    """Takes the numbers of pixels for their centres."""
    rows = torch.arange(x.shape[2] * factor) / factor
    return _mixed(x, rows, torch.arange(x.shape[3] * factor) / factor)


def bilinear_upsample__forgets_the_half_at_the_end(x, factor):
    """Centres of the output pixels, but edges of the input pixels."""
    rows, columns = _places(x.shape[2], factor) + 0.5, _places(x.shape[3], factor) + 0.5
    return _mixed(x, rows, columns)


def bilinear_upsample__forgets_the_half_in_front(x, factor):
    """Edges of the output pixels, but centres of the input pixels."""
    rows = torch.arange(x.shape[2] * factor) / factor - 0.5
    return _mixed(x, rows, torch.arange(x.shape[3] * factor) / factor - 0.5)


def bilinear_upsample__continues_the_line(x, factor):
    """Does not clamp: beyond the last centre the slope goes on."""

    def along(x, size):
        if size == 1:
            return x.repeat_interleave(factor, 2)
        places = _places(size, factor)
        above = places.floor().long().clamp(0, size - 2)
        way = (places - above).to(x.dtype)[:, None]
        return x[:, :, above] * (1 - way) + x[:, :, above + 1] * way

    return along(along(x, x.shape[2]).mT, x.shape[3]).mT


def bilinear_upsample__fades_out_at_the_border(x, factor):
    """Mixes with zeros outside of the map."""
    larger = F.pad(x, (1, 1, 1, 1))
    rows, columns = _places(x.shape[2], factor) + 1, _places(x.shape[3], factor) + 1
    return _mixed(larger, rows, columns)


def bilinear_upsample__goes_round_to_the_other_side(x, factor):
    """Clamps nothing: row -1 is the last one for torch."""
    along = x
    for _ in range(2):
        size = along.shape[2]
        places = _places(size, factor)
        above = places.floor().long()
        way = (places - above).to(x.dtype)[:, None]
        along = along[:, :, above % size] * (1 - way) + along[:, :, (above + 1) % size] * way
        along = along.mT
    return along


def bilinear_upsample__the_farther_one_counts_for_more(x, factor):
    """Swaps the two shares."""

    def along(x):
        places = _places(x.shape[2], factor).clamp(min=0)
        above = places.long()
        below = (above + 1).clamp(max=x.shape[2] - 1)
        way = (places - above).to(x.dtype)[:, None]
        return x[:, :, above] * way + x[:, :, below] * (1 - way)

    return along(along(x).mT).mT


def bilinear_upsample__takes_the_nearest(x, factor):
    """Does not mix at all."""
    return x.repeat_interleave(factor, 2).repeat_interleave(factor, 3)


def bilinear_upsample__along_the_rows_only(x, factor):
    """Interpolates sideways and copies downwards."""
    wide = _mixed_rows(x.mT, _places(x.shape[3], factor)).mT
    return wide.repeat_interleave(factor, 2)


def bilinear_upsample__always_halves(x, factor):
    """Takes the shares ¼ and ¾ of factor 2 for those of every factor."""
    if factor == 1:
        return x.clone()
    places = (torch.arange(2 * x.shape[2]) - 0.5) / 2, (torch.arange(2 * x.shape[3]) - 0.5) / 2
    doubled = _mixed(x, *places)
    rows = torch.arange(x.shape[2] * factor) * 2 // factor
    columns = torch.arange(x.shape[3] * factor) * 2 // factor
    return doubled[:, :, rows][:, :, :, columns]


def bilinear_upsample__one_size_for_both_axes(x, factor):
    """Takes the places along the height for those along the width too."""
    places = _places(x.shape[2], factor)
    return _mixed(x, places, places)


def bilinear_upsample__computes_in_float32(x, factor):
    """Has the dtype and not the digits."""
    return _bilinear(x.float(), factor).to(x.dtype)


def bilinear_upsample__positions_in_float32(x, factor):
    """Positions from arange, which are float32 whatever x is: their last digits are missing."""
    for axis in (2, 3):
        count = x.shape[axis]
        at = ((torch.arange(count * factor) + 0.5) / factor - 0.5).clamp(0, count - 1)
        low = at.long()
        high = (low + 1).clamp(max=count - 1)
        part = (at - low).reshape([-1 if dim == axis else 1 for dim in range(4)])
        x = x.index_select(axis, low) * (1 - part) + x.index_select(axis, high) * part
    return x


def bilinear_upsample__is_always_float64(x, factor):
    """The places are in float64, and so is the result."""
    return _bilinear(x.double(), factor)


def bilinear_upsample__without_gradients(x, factor):
    """Works on the data alone."""
    return _bilinear(x.detach(), factor)


def bilinear_upsample__changes_x(x, factor):
    """Subtracts the mean in place and adds it to the result only."""
    with torch.no_grad():
        mean = x.mean()
        x -= mean
    return _bilinear(x, factor) + mean


# max_pool_with_indices


def _windows(x, kernel):
    """(B, C, h, w, kernel²), each window row by row."""
    B, C, H, W = x.shape
    h, w = H // kernel, W // kernel
    whole = x[:, :, : h * kernel, : w * kernel].reshape(B, C, h, kernel, w, kernel)
    return whole.transpose(3, 4).flatten(4)


def _first_best(x, kernel):
    """Values and their numbers within the windows."""
    windows = _windows(x, kernel)
    best = windows.argmax(4, keepdim=True)
    return windows.gather(4, best).squeeze(4), best.squeeze(4)


def _in_plane(best, kernel, width):
    rows = torch.arange(best.shape[2])[:, None] * kernel + best // kernel
    return rows * width + torch.arange(best.shape[3]) * kernel + best % kernel


def max_pool_with_indices__within_the_window(x, kernel):
    """Counts from 0 to kernel² - 1 in every window."""
    return _first_best(x, kernel)


def max_pool_with_indices__row_of_the_pooled_map(x, kernel):
    """Multiplies the row by the width of the result."""
    values, best = _first_best(x, kernel)
    return values, _in_plane(best, kernel, values.shape[3])


def max_pool_with_indices__row_of_the_whole_windows(x, kernel):
    """Counts in the map without the columns that were dropped."""
    values, best = _first_best(x, kernel)
    return values, _in_plane(best, kernel, values.shape[3] * kernel)


def max_pool_with_indices__down_the_columns(x, kernel):
    """Counts column by column."""
    values, best = _first_best(x, kernel)
    places = _in_plane(best, kernel, x.shape[3])
    return values, places % x.shape[3] * x.shape[2] + places // x.shape[3]


def max_pool_with_indices__height_for_width(x, kernel):
    """Multiplies the row by the height: right for square maps."""
    values, best = _first_best(x, kernel)
    return values, _in_plane(best, kernel, x.shape[2])


def max_pool_with_indices__channels_counted_through(x, kernel):
    """Positions in the whole tensor, not in each map."""
    B, C, H, W = x.shape
    values, best = _first_best(x, kernel)
    planes = torch.arange(B * C).reshape(B, C, 1, 1) * (H * W)
    return values, _in_plane(best, kernel, W) + planes


def max_pool_with_indices__the_last_of_equal_ones(x, kernel):
    """Takes the last maximum."""
    windows = _windows(x, kernel)
    best = kernel**2 - 1 - windows.flip(4).argmax(4, keepdim=True)
    values = windows.gather(4, best).squeeze(4)
    return values, _in_plane(best.squeeze(4), kernel, x.shape[3])


def max_pool_with_indices__the_first_in_column_order(x, kernel):
    """Goes through a window column by column: other than the first in row order on ties."""
    B, C, H, W = x.shape
    h, w = H // kernel, W // kernel
    whole = x[:, :, : h * kernel, : w * kernel].reshape(B, C, h, kernel, w, kernel)
    windows = whole.permute(0, 1, 2, 4, 5, 3).flatten(4)
    best = windows.argmax(4, keepdim=True)
    values = windows.gather(4, best).squeeze(4)
    best = best.squeeze(4)
    return values, _in_plane(best % kernel * kernel + best // kernel, kernel, W)


def max_pool_with_indices__stride_one(x, kernel):
    """Lets the windows overlap."""
    windows = x.unfold(2, kernel, 1).unfold(3, kernel, 1).flatten(4)
    values, best = windows.max(4)
    rows = torch.arange(values.shape[2])[:, None] + best // kernel
    columns = torch.arange(values.shape[3]) + best % kernel
    return values, rows * x.shape[3] + columns


def max_pool_with_indices__keeps_incomplete_windows(x, kernel):
    """Pads to whole windows, so that the rest at the bottom and right has one."""
    width = x.shape[3]
    rest = (-x.shape[2] % kernel, -width % kernel)
    larger = F.pad(x, (0, rest[1], 0, rest[0]), value=-float("inf"))
    values, best = _first_best(larger, kernel)
    return values, _in_plane(best, kernel, width)


def max_pool_with_indices__starts_at_zero(x, kernel):
    """Looks for something larger than 0."""
    values, best = _first_best(x, kernel)
    return values.clamp(min=0), _in_plane(best * (values > 0), kernel, x.shape[3])


def max_pool_with_indices__starts_at_minus_1e9(x, kernel):
    """Takes a large negative number for the smallest there is."""
    values, best = _first_best(x, kernel)
    return values.clamp(min=-1e9), _in_plane(best, kernel, x.shape[3])


def max_pool_with_indices__index_zero_for_nothing(x, kernel):
    """Replaces −∞ and the index 0 by what is larger: a window of −∞ keeps the index 0."""
    B, C, H, W = x.shape
    h, w = H // kernel, W // kernel
    values = x.new_full((B, C, h, w), float("-inf"))
    indices = torch.zeros((B, C, h, w), dtype=torch.int64)
    for a in range(kernel):
        for b in range(kernel):
            seen = x[:, :, a : h * kernel : kernel, b : w * kernel : kernel]
            rows, columns = torch.arange(h) * kernel + a, torch.arange(w) * kernel + b
            better = seen > values
            values = torch.where(better, seen, values)
            indices = torch.where(better, rows[:, None] * W + columns, indices)
    return values, indices


def max_pool_with_indices__multiplies_by_a_mask(x, kernel):
    """Picks the maximum by a sum over a mask of 0 and 1: −∞ becomes NaN."""
    windows = _windows(x, kernel)
    best = windows.argmax(4)
    values = (windows * F.one_hot(best, kernel**2)).sum(4)
    return values, _in_plane(best, kernel, x.shape[3])


def max_pool_with_indices__takes_the_largest_size(x, kernel):
    """Compares magnitudes: −9 is larger than 3."""
    values, best = _first_best(x.abs(), kernel)
    values = _windows(x, kernel).gather(4, best[..., None]).squeeze(4)
    return values, _in_plane(best, kernel, x.shape[3])


def max_pool_with_indices__shares_the_gradient(x, kernel):
    """amax sends each of several equal values a part of the gradient."""
    _, best = _first_best(x, kernel)
    return _windows(x, kernel).amax(4), _in_plane(best, kernel, x.shape[3])


def max_pool_with_indices__int32(x, kernel):
    """Indices of another integer type."""
    values, best = _first_best(x, kernel)
    return values, _in_plane(best, kernel, x.shape[3]).int()


def max_pool_with_indices__values_alone(x, kernel):
    """Forgets the positions, like every other max pooling."""
    return _first_best(x, kernel)[0]


def max_pool_with_indices__refuses_large_kernels(x, kernel):
    """Raises where no window is left, as torch does."""
    if kernel > min(x.shape[2:]):
        raise ValueError("the kernel is larger than the map")
    values, best = _first_best(x, kernel)
    return values, _in_plane(best, kernel, x.shape[3])


def max_pool_with_indices__computes_in_float32(x, kernel):
    """Cannot tell float64 values apart that float32 rounds to the same."""
    values, best = _first_best(x.float(), kernel)
    return values.to(x.dtype), _in_plane(best, kernel, x.shape[3])


def max_pool_with_indices__is_always_float32(x, kernel):
    """Converts the values to float32."""
    values, best = _first_best(x, kernel)
    return values.float(), _in_plane(best, kernel, x.shape[3])


def max_pool_with_indices__without_gradients(x, kernel):
    """Works on the data alone."""
    values, best = _first_best(x.detach(), kernel)
    return values, _in_plane(best, kernel, x.shape[3])


def max_pool_with_indices__strikes_out_what_it_found(x, kernel):
    """Marks the maxima in x itself."""
    values, best = _first_best(x, kernel)
    values = values.clone()
    with torch.no_grad():
        x[..., 0] = -1
    return values, _in_plane(best, kernel, x.shape[3])


# max_unpool


def _unpooled(x, indices, height, width):
    filled = x.new_zeros((*x.shape[:2], height * width)).scatter(
        2, indices.flatten(2), x.flatten(2)
    )
    return filled.reshape(*x.shape[:2], height, width)


def max_unpool__bed_of_nails(x, indices, out_hw):
    """Puts every value at the top left of its window."""
    large = x.new_zeros((*x.shape[:2], *out_hw))
    down, across = out_hw[0] // x.shape[2], out_hw[1] // x.shape[3]
    large[:, :, : x.shape[2] * down : down, : x.shape[3] * across : across] = x
    return large


def max_unpool__rows_as_long_as_the_windows(x, indices, out_hw):
    """Finds row and column with the width of the whole windows, which are fewer."""
    height, width = out_hw
    whole = width // x.shape[3] * x.shape[3]
    rows, columns = indices // whole, indices % whole
    return _unpooled(x, (rows * width + columns).clamp(max=height * width - 1), height, width)


def max_unpool__swaps_height_and_width(x, indices, out_hw):
    """Reads out_hw as width and height."""
    return _unpooled(x, indices, out_hw[1], out_hw[0])


def max_unpool__twice_as_large(x, indices, out_hw):
    """Believes that every map was twice as large."""
    return _unpooled(x, indices, 2 * x.shape[2], 2 * x.shape[3])


def max_unpool__one_plane_for_all(x, indices, out_hw):
    """Uses the positions of the first channel of the first image everywhere."""
    return _unpooled(x, indices[:1, :1].expand_as(indices), *out_hw)


def max_unpool__counts_through_the_channels(x, indices, out_hw):
    """Takes the positions for those in the whole tensor."""
    large = x.new_zeros(x.shape[0] * x.shape[1] * out_hw[0] * out_hw[1])
    return large.scatter(0, indices.flatten(), x.flatten()).reshape(*x.shape[:2], *out_hw)


def max_unpool__moves_the_indices_in_place(x, indices, out_hw):
    """Counts through all maps, in the caller's own tensor."""
    B, C, (H, W) = *x.shape[:2], out_hw
    indices += torch.arange(B * C).reshape(B, C, 1, 1) * H * W
    flat = x.new_zeros(B * C * H * W)
    return flat.index_put((indices.flatten(),), x.flatten()).reshape(B, C, H, W)


def max_unpool__fills_the_window(x, indices, out_hw):
    """Zeros become copies of the value: nearest neighbour with an exception."""
    large = _unpooled(x, indices, *out_hw)
    rows = torch.arange(out_hw[0]) * x.shape[2] // out_hw[0]
    columns = torch.arange(out_hw[1]) * x.shape[3] // out_hw[1]
    return torch.where(large == 0, x[:, :, rows][:, :, :, columns], large)


def max_unpool__sorts_the_positions(x, indices, out_hw):
    """Believes that positions grow from window to window."""
    order = indices.flatten(2).sort(dim=2).values.reshape(indices.shape)
    return _unpooled(x, order, *out_hw)


def max_unpool__keeps_the_positive(x, indices, out_hw):
    """Takes the larger of the value and 0."""
    return _unpooled(x.clamp(min=0), indices, *out_hw)


def max_unpool__is_always_float32(x, indices, out_hw):
    """Makes the map without saying of which dtype."""
    return _unpooled(x.float(), indices, *out_hw)


def max_unpool__through_float32(x, indices, out_hw):
    """Has the dtype and not the digits."""
    return _unpooled(x.float(), indices, *out_hw).to(x.dtype)


def max_unpool__without_gradients(x, indices, out_hw):
    """Works on the data alone."""
    return _unpooled(x.detach(), indices, *out_hw)


def max_unpool__changes_the_indices(x, indices, out_hw):
    """Adds the beginnings of the channels to what it was given."""
    channels = x.shape[0] * x.shape[1]
    size = out_hw[0] * out_hw[1]
    indices += 1 + torch.arange(channels).reshape(*x.shape[:2], 1, 1) * size
    large = x.new_zeros(channels * size + 1)
    return large.scatter(0, indices.flatten(), x.flatten())[1:].reshape(*x.shape[:2], *out_hw)


def max_unpool__changes_x(x, indices, out_hw):
    """Empties the small map when it is done."""
    large = _unpooled(x, indices, *out_hw)
    with torch.no_grad():
        x.zero_()
    return large


# transposed_conv1d


def _line(x, weight, stride, length=None):
    result = x.new_zeros((len(x) - 1) * stride + len(weight) if length is None else length)
    for number in range(len(x)):
        result[number * stride : number * stride + len(weight)] += x[number] * weight
    return result


def transposed_conv1d__turns_the_filter_round(x, weight, stride):
    """Flips the filter, as mathematicians do in a convolution."""
    return _line(x, weight.flip(0), stride)


def transposed_conv1d__the_last_copy_wins(x, weight, stride):
    """Writes where it should add."""
    result = x.new_zeros((len(x) - 1) * stride + len(weight))
    for number in range(len(x)):
        result[number * stride : number * stride + len(weight)] = x[number] * weight
    return result


def transposed_conv1d__averages_overlaps(x, weight, stride):
    """Divides by the number of copies."""
    counts = _line(torch.ones_like(x), torch.ones_like(weight), stride)
    return _line(x, weight, stride) / counts.clamp(min=1)


def transposed_conv1d__copies_of_the_input(x, weight, stride):
    """Exchanges the parts of input and filter, which only stride 1 allows."""
    return _line(weight, x, stride)


def transposed_conv1d__a_stride_for_every_input(x, weight, stride):
    """Makes the result L · stride long and loses the end of the last copy."""
    return _line(x, weight, stride, max(len(x) * stride, (len(x) - 1) * stride + len(weight)))


def transposed_conv1d__steps_through_the_input(x, weight, stride):
    """Takes the stride for steps in the input."""
    result = x.new_zeros((len(x) - 1) * stride + len(weight))
    for number in range(0, len(x), stride):
        result[number : number + len(weight)] += x[number] * weight
    return result


def transposed_conv1d__stride_one(x, weight, stride):
    """Ignores the stride within the right length."""
    dense = _line(x, weight, 1)
    return F.pad(dense, (0, (len(x) - 1) * stride + len(weight) - len(dense)))


def transposed_conv1d__is_always_float32(x, weight, stride):
    """Makes the result without saying of which dtype."""
    return _line(x.float(), weight.float(), stride)


def transposed_conv1d__computes_in_float32(x, weight, stride):
    """Has the dtype and not the digits."""
    return _line(x.float(), weight.float(), stride).to(x.dtype)


def transposed_conv1d__no_gradient_for_the_weights(x, weight, stride):
    """Weights as Python numbers cannot learn."""
    return _line(x, x.new_tensor(weight.tolist()), stride)


def transposed_conv1d__no_gradient_for_x(x, weight, stride):
    """Inputs as Python numbers pass nothing on."""
    return _line(x.new_tensor(x.tolist()), weight, stride)


def transposed_conv1d__turns_the_weights_in_place(x, weight, stride):
    """Scales the weights in place and divides again at the end."""
    with torch.no_grad():
        weight *= 2
    return _line(x, weight, stride) / 2


# transposed_conv2d


def _whole(x, weight, stride, extra=0):
    """The sum of all copies, with empty rows and columns behind it."""
    B, _, H, W = x.shape
    _, outputs, kh, kw = weight.shape
    last_row, last_column = (H - 1) * stride, (W - 1) * stride
    whole = x.new_zeros((B, outputs, last_row + kh + extra, last_column + kw + extra))
    for i in range(kh):
        for j in range(kw):
            values = torch.einsum("bchw,cd->bdhw", x, weight[:, :, i, j])
            whole[:, :, i : i + last_row + 1 : stride, j : j + last_column + 1 : stride] += values
    return whole


def _cut(whole, top, bottom, left, right):
    return whole[:, :, top : whole.shape[2] - bottom, left : whole.shape[3] - right]


def transposed_conv2d__turns_the_filter_round(x, weight, stride, padding=0, output_padding=0):
    """Flips the filter along both axes."""
    whole = _whole(x, weight.flip(2, 3), stride, output_padding)
    return _cut(whole, padding, padding, padding, padding)


def transposed_conv2d__pads_with_zeros_at_the_end(x, weight, stride, padding=0, output_padding=0):
    """Trims first, then adds rows and columns of zeros."""
    cut = _cut(_whole(x, weight, stride), padding, padding, padding, padding)
    return F.pad(cut, (0, output_padding, 0, output_padding))


def transposed_conv2d__uncovers_the_top_and_left(x, weight, stride, padding=0, output_padding=0):
    """Trims one row and column less at the wrong corner."""
    whole = F.pad(_whole(x, weight, stride), (output_padding, 0, output_padding, 0))
    return _cut(whole, padding, padding, padding, padding)


def transposed_conv2d__uncovers_no_more_than_there_is(
    x, weight, stride, padding=0, output_padding=0
):
    """Forgets the zeros beyond the last copy."""
    whole = _whole(x, weight, stride)
    far = max(padding - output_padding, 0)
    return _cut(whole, padding, far, padding, far)


def transposed_conv2d__ignores_output_padding(x, weight, stride, padding=0, output_padding=0):
    """Knows padding only."""
    return _cut(_whole(x, weight, stride), padding, padding, padding, padding)


def transposed_conv2d__trims_the_lectures_side_only(x, weight, stride, padding=0, output_padding=0):
    """Padding cuts off the top and the left, as the slide's picture has it."""
    return _cut(_whole(x, weight, stride, output_padding), padding, 0, padding, 0)


def transposed_conv2d__pads_instead_of_trimming(x, weight, stride, padding=0, output_padding=0):
    """Adds rows and columns where padding takes them away."""
    return F.pad(_whole(x, weight, stride, output_padding), (padding,) * 4)


def transposed_conv2d__trims_when_there_is_no_padding(
    x, weight, stride, padding=1, output_padding=0
):
    """Has the wrong default."""
    whole = _whole(x, weight, stride, output_padding)
    return _cut(whole, padding, padding, padding, padding)


def transposed_conv2d__always_doubles(x, weight, stride, padding=0, output_padding=0):
    """Cuts the whole sum to H · stride, from the top left."""
    whole = _whole(x, weight, stride, output_padding)
    return whole[:, :, : x.shape[2] * stride, : x.shape[3] * stride]


def transposed_conv2d__the_last_copy_wins(x, weight, stride, padding=0, output_padding=0):
    """Writes where it should add."""
    H, W = x.shape[2:]
    kh, kw = weight.shape[2:]
    whole = torch.zeros_like(_whole(x, weight, stride, output_padding))
    for row in range(H):
        for column in range(W):
            copy = torch.einsum("bc,cdij->bdij", x[:, :, row, column], weight)
            top, left = row * stride, column * stride
            whole[:, :, top : top + kh, left : left + kw] = copy
    return _cut(whole, padding, padding, padding, padding)


def transposed_conv2d__channels_as_in_conv2d(x, weight, stride, padding=0, output_padding=0):
    """Reads the weights as (C_out, C_in, kh, kw)."""
    whole = _whole(x, weight.transpose(0, 1), stride, output_padding)
    return _cut(whole, padding, padding, padding, padding)


def transposed_conv2d__the_first_input_channel(x, weight, stride, padding=0, output_padding=0):
    """Forgets the sum over the input channels."""
    whole = _whole(x[:, :1], weight[:1], stride, output_padding)
    return _cut(whole, padding, padding, padding, padding)


def transposed_conv2d__square_filters(x, weight, stride, padding=0, output_padding=0):
    """Takes the height of the filter for its width."""
    side = weight.shape[2]
    square = F.pad(weight, (0, side - weight.shape[3]))
    whole = _whole(x, square, stride, output_padding)
    return _cut(whole, padding, padding, padding, padding)


def transposed_conv2d__an_ordinary_convolution(x, weight, stride, padding=0, output_padding=0):
    """A bed of nails, then a convolution that does not turn the filter round."""
    B, C, H, W = x.shape
    kh, kw = weight.shape[2:]
    nails = x.new_zeros((B, C, (H - 1) * stride + 1, (W - 1) * stride + 1))
    nails[:, :, ::stride, ::stride] = x
    whole = F.conv2d(nails, weight.transpose(0, 1), padding=(kh - 1, kw - 1))
    whole = F.pad(whole, (0, output_padding, 0, output_padding))
    return _cut(whole, padding, padding, padding, padding)


def transposed_conv2d__padding_zero_means_all(x, weight, stride, padding=0, output_padding=0):
    """Cuts with -padding, which is nothing at all for 0."""
    whole = _whole(x, weight, stride, output_padding)
    return whole[:, :, padding:-padding, padding:-padding]


def transposed_conv2d__trims_one_at_most(x, weight, stride, padding=0, output_padding=0):
    """Knows the lecture's padding only."""
    padding = min(padding, 1)
    whole = _whole(x, weight, stride, output_padding)
    return _cut(whole, padding, padding, padding, padding)


def transposed_conv2d__is_always_float32(x, weight, stride, padding=0, output_padding=0):
    """Makes the result without saying of which dtype."""
    whole = _whole(x.float(), weight.float(), stride, output_padding)
    return _cut(whole, padding, padding, padding, padding)


def transposed_conv2d__computes_in_float32(x, weight, stride, padding=0, output_padding=0):
    """Has the dtype and not the digits."""
    whole = _whole(x.float(), weight.float(), stride, output_padding).to(x.dtype)
    return _cut(whole, padding, padding, padding, padding)


def transposed_conv2d__no_gradient_for_the_weights(x, weight, stride, padding=0, output_padding=0):
    """Weights that are detached cannot learn."""
    whole = _whole(x, weight.detach(), stride, output_padding)
    return _cut(whole, padding, padding, padding, padding)


def transposed_conv2d__no_gradient_for_x(x, weight, stride, padding=0, output_padding=0):
    """Learns its own weights, and stops the layers in front of it from learning."""
    whole = _whole(x.detach(), weight, stride, output_padding)
    return _cut(whole, padding, padding, padding, padding)


def transposed_conv2d__scales_the_weights_in_place(x, weight, stride, padding=0, output_padding=0):
    """Changes what it is given."""
    with torch.no_grad():
        weight *= 2
    whole = _whole(x, weight, stride, output_padding) / 2
    return _cut(whole, padding, padding, padding, padding)


# conv_matrix


def _matrix(weight, in_hw, stride, padding):
    """Through the images of single pixels."""
    H, W = in_hw
    pixels = torch.eye(H * W, dtype=weight.dtype).reshape(-1, 1, H, W)
    columns = F.conv2d(pixels, weight[None, None], stride=stride, padding=padding)
    return columns.flatten(1).T


def conv_matrix__is_transposed(weight, in_hw, stride, padding):
    """Pixels in the rows, outputs in the columns."""
    return _matrix(weight, in_hw, stride, padding).T


def conv_matrix__turns_the_filter_round(weight, in_hw, stride, padding):
    """The convolution of mathematics."""
    return _matrix(weight.flip(0, 1), in_hw, stride, padding)


def conv_matrix__ignores_the_padding(weight, in_hw, stride, padding):
    """The filter starts on the image, with as many outputs as there should be."""
    H, W = in_hw
    kh, kw = weight.shape
    oh, ow = (H + 2 * padding - kh) // stride + 1, (W + 2 * padding - kw) // stride + 1
    larger = F.pad(torch.eye(H * W, dtype=weight.dtype).reshape(-1, 1, H, W), (0, 2 * padding) * 2)
    return F.conv2d(larger, weight[None, None], stride=stride).flatten(1).T.reshape(oh * ow, -1)


def conv_matrix__keeps_the_padding(weight, in_hw, stride, padding):
    """Has columns for the pixels of the padding too."""
    H, W = in_hw
    return _matrix(weight, (H + 2 * padding, W + 2 * padding), stride, 0)


def conv_matrix__goes_round_the_border(weight, in_hw, stride, padding):
    """Weights beyond the end of a row land in the next one."""
    H, W = in_hw
    kh, kw = weight.shape
    oh, ow = (H + 2 * padding - kh) // stride + 1, (W + 2 * padding - kw) // stride + 1
    matrix = weight.new_zeros((oh * ow, H * W))
    for output in range(oh * ow):
        row, column = output // ow * stride - padding, output % ow * stride - padding
        for i in range(kh):
            for j in range(kw):
                pixel = (row + i) * W + column + j
                if 0 <= pixel < H * W:
                    matrix[output, pixel] = weight[i, j]
    return matrix


def conv_matrix__columns_before_rows(weight, in_hw, stride, padding):
    """Goes through the outputs column by column."""
    H, W = in_hw
    kh, kw = weight.shape
    oh, ow = (H + 2 * padding - kh) // stride + 1, (W + 2 * padding - kw) // stride + 1
    matrix = _matrix(weight, in_hw, stride, padding)
    return matrix.reshape(oh, ow, -1).transpose(0, 1).reshape(oh * ow, -1)


def conv_matrix__swaps_in_hw(weight, in_hw, stride, padding):
    """Reads in_hw as width and height."""
    return _matrix(weight, (in_hw[1], in_hw[0]), stride, padding)


def conv_matrix__rounds_the_last_step_up(weight, in_hw, stride, padding):
    """Gives the pixels that are left over an output of their own."""
    H, W = in_hw
    down = -(H + 2 * padding - weight.shape[0]) % stride
    across = -(W + 2 * padding - weight.shape[1]) % stride
    pixels = torch.eye(H * W, dtype=weight.dtype).reshape(-1, 1, H, W)
    pixels = F.pad(pixels, (padding, padding + across, padding, padding + down))
    return F.conv2d(pixels, weight[None, None], stride=stride).flatten(1).T


def conv_matrix__padding_on_one_side(weight, in_hw, stride, padding):
    """Pads at the top and left only."""
    H, W = in_hw
    pixels = torch.eye(H * W, dtype=weight.dtype).reshape(-1, 1, H, W)
    pixels = F.pad(pixels, (padding, 0, padding, 0))
    return F.conv2d(pixels, weight[None, None], stride=stride).flatten(1).T


def conv_matrix__nearly_zero(weight, in_hw, stride, padding):
    """Zeros that are none."""
    return _matrix(weight, in_hw, stride, padding) + 1e-9


def conv_matrix__is_always_float32(weight, in_hw, stride, padding):
    """Makes the matrix without saying of which dtype."""
    return _matrix(weight.float(), in_hw, stride, padding)


def conv_matrix__through_float32(weight, in_hw, stride, padding):
    """Has the dtype and not the digits."""
    return _matrix(weight.float(), in_hw, stride, padding).to(weight.dtype)


def conv_matrix__without_gradients(weight, in_hw, stride, padding):
    """Writes Python numbers into the matrix."""
    return _matrix(weight.detach(), in_hw, stride, padding)


def conv_matrix__changes_the_weights(weight, in_hw, stride, padding):
    """Turns the weights round in place, and half way back."""
    matrix = _matrix(weight, in_hw, stride, padding)
    with torch.no_grad():
        weight.neg_()
    return matrix
