"""Right answers to the sheet `fc-to-conv`, written in other ways than the reference.

A hidden test that rejects one of these punishes understanding.
"""

import copy
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def conv_output_size__counts_starts(n, kernel, stride=1, padding=0):
    """A range holds exactly the positions where a window may begin."""
    return len(range(0, n + 2 * padding - kernel + 1, stride))


def conv_output_size__slides_a_window(n, kernel, stride=1, padding=0):
    """Moves the window until it sticks out."""
    positions, end = 0, kernel
    while end <= n + 2 * padding:
        positions, end = positions + 1, end + stride
    return positions


def conv_output_size__clamps_a_floored_division(n, kernel, stride=1, padding=0):
    """The printed formula; floor keeps what is negative negative."""
    return max(0, math.floor((n + 2 * padding - kernel) / stride) + 1)


def conv_output_size__asks_torch(n, kernel, stride=1, padding=0):
    """Lets max pooling over nothing but zeros tell its size."""
    if kernel > n + 2 * padding:
        return 0
    return F.conv1d(
        torch.zeros(1, 1, n), torch.ones(1, 1, kernel), stride=stride, padding=padding
    ).shape[-1]


def linear_to_conv__views_parameters(linear, in_channels, height, width):
    """New parameters from clones, put in the place of the random ones."""
    conv = nn.Conv2d(in_channels, linear.out_features, (height, width), bias=False)
    filters = linear.weight.detach().clone().view(-1, in_channels, height, width)
    conv.weight = nn.Parameter(filters)
    if linear.bias is not None:
        conv.bias = nn.Parameter(linear.bias.detach().clone())
    return conv


def linear_to_conv__loads_a_state(linear, in_channels, height, width):
    """The linear layer's own state, its weight unflattened."""
    state = dict(linear.state_dict())
    state["weight"] = state["weight"].unflatten(1, (in_channels, height, width))
    conv = nn.Conv2d(
        in_channels, linear.out_features, kernel_size=(height, width), bias="bias" in state
    )
    conv.to(linear.weight).load_state_dict(state)
    return conv


def linear_to_conv__one_weight_at_a_time(linear, in_channels, height, width):
    """Says for each weight which pixel of which channel it meets."""
    has_bias = linear.bias is not None
    conv = nn.Conv2d(in_channels, linear.out_features, (height, width), bias=has_bias)
    conv = conv.to(device=linear.weight.device, dtype=linear.weight.dtype)
    for channel in range(in_channels):
        for row in range(height):
            for column in range(width):
                position = (channel * height + row) * width + column
                conv.weight.data[:, channel, row, column] = linear.weight.data[:, position]
    if has_bias:
        conv.bias.data[:] = linear.bias.data
    return conv


def linear_to_conv__lazily(linear, in_channels, height, width):
    """A lazy layer that learns its channels from a first volume."""
    conv = nn.LazyConv2d(linear.out_features, (height, width), bias=linear.bias is not None)
    conv.to(linear.weight.dtype)(torch.zeros(1, in_channels, height, width).to(linear.weight))
    with torch.no_grad():
        conv.weight[:] = linear.weight.reshape(conv.weight.shape)
        if linear.bias is not None:
            conv.bias[:] = linear.bias
    return conv


def linear_to_conv1x1__views_parameters(linear):
    """Two more axes for a clone of the weight."""
    conv = nn.Conv2d(linear.in_features, linear.out_features, 1, bias=linear.bias is not None)
    conv.weight = nn.Parameter(linear.weight.detach().clone()[..., None, None])
    if linear.bias is not None:
        conv.bias = nn.Parameter(linear.bias.detach().clone())
    return conv


def linear_to_conv1x1__through_numpy(linear):
    """Weights by way of arrays."""
    has_bias = linear.bias is not None
    conv = nn.Conv2d(
        linear.in_features, linear.out_features, (1, 1), bias=has_bias, dtype=linear.weight.dtype
    )
    weight = np.expand_dims(linear.weight.detach().numpy(), (2, 3))
    conv.weight.data = torch.from_numpy(weight.copy())
    if has_bias:
        conv.bias.data = torch.from_numpy(linear.bias.detach().numpy().copy())
    return conv


def fully_convolutional__keeps_books_of_shapes(net, input_chw):
    """Never runs a layer: sizes by formula, and one flat list of layers as the result."""
    layers = []

    def pair(value):
        return value if isinstance(value, tuple) else (value, value)

    def walk(net, channels, height, width):
        for layer in net:
            if isinstance(layer, nn.Sequential):
                channels, height, width = walk(layer, channels, height, width)
            elif isinstance(layer, nn.Linear):
                layers.append(linear_to_conv(layer, channels, height, width))  # noqa: F821
                channels, height, width = layer.out_features, 1, 1
            elif not isinstance(layer, nn.Flatten):
                layers.append(copy.deepcopy(layer))
                if hasattr(layer, "kernel_size"):
                    kernels, strides = pair(layer.kernel_size), pair(layer.stride)
                    pads = pair(layer.padding)
                    height, width = (
                        (size + 2 * pad - kernel) // stride + 1
                        for size, kernel, stride, pad in zip(
                            (height, width), kernels, strides, pads, strict=True
                        )
                    )
                channels = getattr(layer, "out_channels", channels)
        return channels, height, width

    walk(net, *input_chw)
    return nn.Sequential(*layers).train(net.training)


def fully_convolutional__listens_with_hooks(net, input_chw):
    """One run of a copy, in which every Flatten notes the shape that it gets."""
    converted = copy.deepcopy(net)
    shapes = []

    def note(layer, inputs, output):
        shapes.append(inputs[0].shape[1:])

    for layer in converted.modules():
        if isinstance(layer, nn.Flatten):
            layer.register_forward_hook(note)
    with torch.no_grad():
        converted(torch.zeros(2, *input_chw))
    waiting = [shape for shape in shapes if len(shape) == 3]

    def exchange(block):
        for index, layer in enumerate(block):
            if isinstance(layer, nn.Sequential):
                exchange(layer)
            elif isinstance(layer, nn.Flatten):
                block[index] = nn.Identity()
            elif isinstance(layer, nn.Linear):
                shape = waiting.pop() if waiting else (layer.in_features, 1, 1)
                block[index] = linear_to_conv(layer, *shape)  # noqa: F821
                block[index].train(layer.training)

    exchange(converted)
    return converted


def fully_convolutional__cuts_windows_out_of_the_volume(net, input_chw):
    """The second method: `unfold` lays every window into the channels of one pixel."""

    class Windows(nn.Module):
        def __init__(self, height, width):
            super().__init__()
            self.height, self.width = height, width

        def forward(self, volume):
            rows = volume.shape[-2] - self.height + 1
            return F.unfold(volume, (self.height, self.width)).unflatten(2, (rows, -1))

    def converted(net, example):
        layers = []
        for layer in net:
            if isinstance(layer, nn.Sequential):
                new, example = converted(layer, example)
            else:
                new = copy.deepcopy(layer)
                if isinstance(layer, nn.Linear):
                    new = linear_to_conv1x1(layer)  # noqa: F821
                elif isinstance(layer, nn.Flatten):
                    new = Windows(*example.shape[-2:])
                example = new(example)
            layers.append(new)
        return nn.Sequential(*layers), example

    with torch.no_grad():
        result, _ = converted(net, torch.rand(3, *input_chw))
    return result.train(net.training)


def fully_convolutional__is_a_class(net, input_chw):
    """A module of its own with lists of layers before and behind the first linear layer."""

    class FullyConvolutional(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList()
            self.add(net, torch.zeros(1, *input_chw))
            self.training = net.training

        def add(self, layer, example):
            if isinstance(layer, nn.Sequential):
                for inner in layer:
                    example = self.add(inner, example)
                return example
            if isinstance(layer, nn.Flatten):
                return example
            new = copy.deepcopy(layer)
            if isinstance(layer, nn.Linear):
                new = linear_to_conv(layer, *example.shape[1:])  # noqa: F821
            self.layers.append(new)
            return new(example).detach()

        def forward(self, images):
            for layer in self.layers:
                images = layer(images)
            return images

    return FullyConvolutional()


def window_of_output__in_closed_form(row, col, layers):
    """Step and side of all layers together, from the input to the output."""
    step, side = 1, 1
    for kernel, stride in layers:
        side += (kernel - 1) * step
        step *= stride
    return [col * step, row * step, col * step + side, row * step + side]


def window_of_output__recursively(row, col, layers):
    """The window of the first pixel below the last layer, joined with that of the last."""
    if not layers:
        return col, row, col + 1, row + 1
    *before, (kernel, stride) = layers
    first = window_of_output__recursively(row * stride, col * stride, before)
    end_row, end_col = row * stride + kernel - 1, col * stride + kernel - 1
    last = window_of_output__recursively(end_row, end_col, before)
    return first[:2] + last[2:]


def window_of_output__follows_sets_of_pixels(row, col, layers):
    """Collects every row and every column that the output depends on."""

    def seen(position):
        positions = {position}
        for kernel, stride in layers[::-1]:
            positions = {p * stride + offset for p in positions for offset in range(kernel)}
        return min(positions), max(positions) + 1

    (x1, x2), (y1, y2) = seen(col), seen(row)
    return x1, y1, x2, y2


def conv_macs__multiplies_a_list(in_channels, out_channels, kernel_hw, out_hw):
    """The product of six numbers."""
    return math.prod([in_channels, out_channels, *kernel_hw, *out_hw])


def conv_macs__multiplies_matrices(in_channels, out_channels, kernel_hw, out_hw):
    """A matrix of filters times a matrix of windows."""
    window = in_channels * kernel_hw[0] * kernel_hw[1]
    filters, windows = (out_channels, window), (window, out_hw[0] * out_hw[1])
    return filters[0] * filters[1] * windows[1]


def conv_macs__asks_numpy(in_channels, out_channels, kernel_hw, out_hw):
    """An exact product in 64 bits."""
    factors = [in_channels, out_channels, *kernel_hw, *out_hw]
    return int(np.prod(factors, dtype=np.int64))
