"""Wrong answers to the sheet `fc-to-conv`, each named after the misconception behind it.

A hidden test that accepts one of these teaches it.
"""

import copy
import math

import torch
from torch import nn


def conv_output_size__pads_on_one_side(n, kernel, stride=1, padding=0):
    """Adds the padding once instead of on each side."""
    return max(0, (n + padding - kernel) // stride + 1)


def conv_output_size__counts_steps(n, kernel, stride=1, padding=0):
    """Counts the steps between positions: one too few."""
    return max(0, (n + 2 * padding - kernel) // stride)


def conv_output_size__rounds_up(n, kernel, stride=1, padding=0):
    """Lets the last window stick out."""
    return max(0, math.ceil((n + 2 * padding - kernel) / stride) + 1)


def conv_output_size__divides_the_input(n, kernel, stride=1, padding=0):
    """Believes that a layer divides the size by its stride, whatever the kernel."""
    return (n + 2 * padding) // stride if kernel <= n + 2 * padding else 0


def conv_output_size__steps_by_the_kernel(n, kernel, stride=1, padding=0):
    """Lays windows side by side, as pooling often does."""
    return (n + 2 * padding) // kernel


def conv_output_size__gets_negative(n, kernel, stride=1, padding=0):
    """Never asks whether the kernel fits."""
    return (n + 2 * padding - kernel) // stride + 1


def conv_output_size__truncates_towards_zero(n, kernel, stride=1, padding=0):
    """int() of a small negative quotient is 0: a kernel that does not fit gets a position."""
    return max(0, int((n + 2 * padding - kernel) / stride) + 1)


def conv_output_size__returns_a_float(n, kernel, stride=1, padding=0):
    """The formula as it is printed, with a rounded division that stays a float."""
    room = n + 2 * padding - kernel
    return room / stride - room % stride / stride + 1.0 if room >= 0 else 0.0


def conv_output_size__forgets_padding_when_comparing(n, kernel, stride=1, padding=0):
    """Asks whether the kernel fits into the input without its padding."""
    return (n + 2 * padding - kernel) // stride + 1 if kernel <= n else 0


def conv_output_size__returns_zero_for_an_exact_fit(n, kernel, stride=1, padding=0):
    """A kernel as large as the input has no room to move, hence no position."""
    room = n + 2 * padding - kernel
    return room // stride + 1 if room > 0 else 0


def _conv(weight, bias, **options):
    features, channels, *kernel = weight.shape
    conv = nn.Conv2d(channels, features, tuple(kernel), bias=bias is not None, **options)
    conv = conv.to(weight.dtype)
    with torch.no_grad():
        conv.weight.copy_(weight)
        if bias is not None:
            conv.bias.copy_(bias)
    return conv


def linear_to_conv__channels_last(linear, in_channels, height, width):
    """Unflattens as (H, W, C)."""
    weight = linear.weight.reshape(-1, height, width, in_channels).permute(0, 3, 1, 2)
    return _conv(weight, linear.bias)


def linear_to_conv__goes_down_the_columns(linear, in_channels, height, width):
    """Unflattens as (C, W, H) and turns it round: right for a height of 1 only."""
    weight = linear.weight.reshape(-1, in_channels, width, height).transpose(2, 3)
    return _conv(weight, linear.bias)


def linear_to_conv__swaps_height_and_width(linear, in_channels, height, width):
    """A filter of W x H: right for squares."""
    return _conv(linear.weight.reshape(-1, in_channels, width, height), linear.bias)


def linear_to_conv__flips_the_filters(linear, in_channels, height, width):
    """Turns the filters by 180 degrees, as a mathematician's convolution would need."""
    weight = linear.weight.reshape(-1, in_channels, height, width).flip(2, 3)
    return _conv(weight, linear.bias)


def linear_to_conv__shares_memory(linear, in_channels, height, width):
    """Makes the parameters from views of the linear layer's."""
    conv = nn.Conv2d(in_channels, linear.out_features, (height, width), bias=False)
    conv.weight = nn.Parameter(linear.weight.data.view(-1, in_channels, height, width))
    if linear.bias is not None:
        conv.bias = nn.Parameter(linear.bias.data.clone())
    return conv


def linear_to_conv__shares_the_bias(linear, in_channels, height, width):
    """Copies the weights, which have another shape, but takes the bias as it is."""
    conv = _conv(linear.weight.reshape(-1, in_channels, height, width), None)
    conv.bias = linear.bias
    return conv


def linear_to_conv__forgets_the_bias(linear, in_channels, height, width):
    """Weights only."""
    return _conv(linear.weight.reshape(-1, in_channels, height, width), None)


def linear_to_conv__keeps_a_random_bias(linear, in_channels, height, width):
    """The convolution has a bias, but the linear layer's is not copied into it."""
    conv = nn.Conv2d(in_channels, linear.out_features, (height, width))
    with torch.no_grad():
        conv.weight.copy_(linear.weight.reshape(conv.weight.shape))
    return conv.to(linear.weight.dtype)


def linear_to_conv__always_has_a_bias(linear, in_channels, height, width):
    """A zero bias where there was none."""
    bias = linear.bias if linear.bias is not None else torch.zeros(linear.out_features)
    return _conv(linear.weight.reshape(-1, in_channels, height, width), bias)


def linear_to_conv__needs_a_bias(linear, in_channels, height, width):
    """Copies a bias that need not be there."""
    conv = nn.Conv2d(in_channels, linear.out_features, (height, width))
    conv.weight.data = linear.weight.data.reshape(conv.weight.shape).clone()
    conv.bias.data = linear.bias.data.clone()
    return conv


def linear_to_conv__pads(linear, in_channels, height, width):
    """Keeps the size, so that the window may stick out."""
    weight = linear.weight.reshape(-1, in_channels, height, width)
    return _conv(weight, linear.bias, padding="same")


def linear_to_conv__steps_by_its_own_size(linear, in_channels, height, width):
    """Windows side by side: invisible until the volume is larger."""
    weight = linear.weight.reshape(-1, in_channels, height, width)
    return _conv(weight, linear.bias, stride=(height, width))


def linear_to_conv__forgets_the_weights(linear, in_channels, height, width):
    """The right shape, new random numbers."""
    return nn.Conv2d(
        in_channels, linear.out_features, (height, width), bias=linear.bias is not None
    )


def linear_to_conv__falls_back_to_float32(linear, in_channels, height, width):
    """Builds the layer in the default dtype."""
    conv = nn.Conv2d(
        in_channels, linear.out_features, (height, width), bias=linear.bias is not None
    )
    state = {"weight": linear.weight.reshape(conv.weight.shape)}
    if linear.bias is not None:
        state["bias"] = linear.bias
    conv.load_state_dict(state)
    return conv


def linear_to_conv__converts_after_copying(linear, in_channels, height, width):
    """Float64 in the end, but the digits were lost on the way."""
    conv = nn.Conv2d(
        in_channels, linear.out_features, (height, width), bias=linear.bias is not None
    )
    with torch.no_grad():
        conv.weight.copy_(linear.weight.reshape(conv.weight.shape))
        if linear.bias is not None:
            conv.bias.copy_(linear.bias)
    return conv.to(linear.weight.dtype)


def linear_to_conv__flattens_first(linear, in_channels, height, width):
    """The second method where the first is asked for: works on one size only."""
    weight = linear.weight[:, :, None, None]
    inputs = in_channels * height * width
    return nn.Sequential(nn.Flatten(), nn.Unflatten(1, (inputs, 1, 1)), _conv(weight, linear.bias))


def linear_to_conv1x1__swaps_the_channels(linear):
    """From out_features to in_features."""
    return _conv(linear.weight.T[:, :, None, None], None)


def linear_to_conv1x1__reshapes_instead_of_transposing(linear):
    """Takes the weight for (in_features, out_features) and reshapes it into place."""
    weight = linear.weight.reshape(linear.in_features, linear.out_features).T[:, :, None, None]
    return _conv(weight, linear.bias)


def linear_to_conv1x1__forgets_the_bias(linear):
    """Weights only."""
    return _conv(linear.weight[:, :, None, None], None)


def linear_to_conv1x1__always_has_a_bias(linear):
    """A zero bias where there was none."""
    bias = linear.bias if linear.bias is not None else torch.zeros(linear.out_features)
    return _conv(linear.weight[:, :, None, None], bias)


def linear_to_conv1x1__shares_memory(linear):
    """A view with two more axes is still the same memory."""
    conv = _conv(linear.weight[:, :, None, None], linear.bias)
    conv.weight.data = linear.weight.data[:, :, None, None]
    return conv


def linear_to_conv1x1__pads(linear):
    """Padding as for a kernel of 3: a frame of biases around the map."""
    return _conv(linear.weight[:, :, None, None], linear.bias, padding=1)


def linear_to_conv1x1__is_one_dimensional(linear):
    """A Conv1d: a vector has one axis."""
    conv = nn.Conv1d(linear.in_features, linear.out_features, 1, bias=linear.bias is not None)
    with torch.no_grad():
        conv.weight.copy_(linear.weight[:, :, None])
        if linear.bias is not None:
            conv.bias.copy_(linear.bias)
    return conv


def linear_to_conv1x1__works_channel_by_channel(linear):
    """Groups: each output sees one channel."""
    weight = linear.weight.diagonal()[:, None, None, None]
    return _conv(weight, linear.bias[: len(weight)], groups=len(weight))


def linear_to_conv1x1__falls_back_to_float32(linear):
    """Builds the layer in the default dtype."""
    bias = None if linear.bias is None else linear.bias.float()
    return _conv(linear.weight.float()[:, :, None, None], bias)


def linear_to_conv1x1__moves_axes_around_the_linear_layer(linear):
    """The same numbers from a linear layer with the channels last: no convolution."""

    class Pixelwise(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = copy.deepcopy(linear)
            self.weight, self.bias = self.linear.weight, self.linear.bias

        def forward(self, volume):
            return self.linear(volume.movedim(1, -1)).movedim(-1, 1)

    return Pixelwise()


def _size(layer, example):
    with torch.no_grad():
        return copy.deepcopy(layer).eval()(example)


def _convert(net, example, change):
    """`net` without Flatten; `change` makes the new layer from an old one and its input."""
    layers = []
    for layer in net:
        if isinstance(layer, nn.Flatten):
            continue
        if isinstance(layer, nn.Sequential):
            new, example = _convert(layer, example, change)
        else:
            new = change(layer, example)
            example = _size(new, example)
        layers.append(new)
    return nn.Sequential(*layers), example


def _plain(layer, example):
    if isinstance(layer, nn.Linear):
        return _conv(layer.weight.reshape(-1, *example.shape[1:]), layer.bias)
    return copy.deepcopy(layer)


def _good(net, input_chw, change=_plain):
    return _convert(net, torch.zeros((1, *input_chw)), change)[0].train(net.training)


def fully_convolutional__all_linear_layers_are_1x1(net, input_chw):
    """A kernel of 1 x 1 for every linear layer, with Flatten taken out: channels do not fit."""

    def change(layer, example):
        if isinstance(layer, nn.Linear):
            return _conv(layer.weight[:, :, None, None], layer.bias)
        return copy.deepcopy(layer)

    layers = [change(layer, None) for layer in net if not isinstance(layer, nn.Flatten)]
    return nn.Sequential(*layers).train(net.training)


def fully_convolutional__flattens_into_channels(net, input_chw):
    """The second method throughout: works at the nominal size, and nowhere else."""

    class IntoChannels(nn.Module):
        def forward(self, volume):
            return volume.reshape(len(volume), -1, 1, 1)

    def converted(net):
        layers = []
        for layer in net:
            if isinstance(layer, nn.Sequential):
                layers.append(converted(layer))
            elif isinstance(layer, nn.Flatten):
                layers.append(IntoChannels())
            elif isinstance(layer, nn.Linear):
                layers.append(_conv(layer.weight[:, :, None, None], layer.bias))
            else:
                layers.append(copy.deepcopy(layer))
        return nn.Sequential(*layers)

    return converted(net).train(net.training)


def _in_a_row(given, input_chw):
    example, layers = torch.zeros((1, *input_chw)), []
    for layer in given:
        layers.append(_plain(layer, example))
        example = _size(layers[-1], example)
    return nn.Sequential(*layers)


def fully_convolutional__looks_at_the_top_level_only(net, input_chw):
    """Never opens a Sequential within the Sequential."""
    layers = [layer for layer in net if not isinstance(layer, nn.Flatten)]
    return _in_a_row(layers, input_chw).train(net.training)


def fully_convolutional__takes_volumes_for_square(net, input_chw):
    """Height and width as the root of what in_features leaves for each channel."""

    def change(layer, example):
        if isinstance(layer, nn.Linear):
            side = math.isqrt(layer.in_features // example.shape[1])
            return _conv(layer.weight.reshape(-1, example.shape[1], side, side), layer.bias)
        return copy.deepcopy(layer)

    return _good(net, input_chw, change)


def fully_convolutional__unflattens_channels_last(net, input_chw):
    """Reads the flattened volume as (H, W, C)."""

    def change(layer, example):
        if isinstance(layer, nn.Linear):
            _, channels, height, width = example.shape
            weight = layer.weight.reshape(-1, height, width, channels).permute(0, 3, 1, 2)
            return _conv(weight, layer.bias)
        return copy.deepcopy(layer)

    return _good(net, input_chw, change)


def fully_convolutional__walks_over_all_modules(net, input_chw):
    """`modules()` goes through nested layers by itself, and through repeated ones once."""
    layers = [layer for layer in net.modules() if not isinstance(layer, nn.Sequential | nn.Flatten)]
    return _in_a_row(layers, input_chw).train(net.training)


def fully_convolutional__walks_over_children(net, input_chw):
    """`children()` names a layer that stands at two places once."""

    def converted(net, example):
        layers = []
        for layer in net.children():
            if isinstance(layer, nn.Sequential):
                new, example = converted(layer, example)
            elif isinstance(layer, nn.Flatten):
                continue
            else:
                new = _plain(layer, example)
                example = _size(new, example)
            layers.append(new)
        return nn.Sequential(*layers), example

    return converted(net, torch.zeros((1, *input_chw)))[0].train(net.training)


def fully_convolutional__shares_weights_of_linear_layers(net, input_chw):
    """A reshaped weight is a view: the same memory in another shape."""

    def change(layer, example):
        new = _plain(layer, example)
        if isinstance(layer, nn.Linear):
            new.weight.data = layer.weight.data.reshape(new.weight.shape)
        return new

    return _good(net, input_chw, change)


def fully_convolutional__pools_to_one_position(net, input_chw):
    """Makes sure of (B, out, 1, 1), for every size of image."""
    return nn.Sequential(_good(net, input_chw), nn.AdaptiveAvgPool2d(1)).train(net.training)


def fully_convolutional__resizes_images(net, input_chw):
    """Any size is accepted, since each image is brought to the nominal size first."""

    class Resized(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = _good(net, input_chw)

        def forward(self, images):
            return self.net(nn.functional.interpolate(images, size=tuple(input_chw[1:])))

    return Resized().train(net.training)


def fully_convolutional__steps_by_whole_filters(net, input_chw):
    """Windows side by side behind the volume."""

    def change(layer, example):
        if isinstance(layer, nn.Linear):
            weight = layer.weight.reshape(-1, *example.shape[1:])
            return _conv(weight, layer.bias, stride=tuple(example.shape[2:]))
        return copy.deepcopy(layer)

    return _good(net, input_chw, change)


def fully_convolutional__removes_padding(net, input_chw):
    """Padding disturbs the equality with crops, so it is taken out."""

    def change(layer, example):
        layer = _plain(layer, example)
        if isinstance(layer, nn.Conv2d):
            layer.padding = (0, 0)
        return layer

    return _good(net, input_chw, change)


def fully_convolutional__skips_activations(net, input_chw):
    """Converts what has weights, and pooling; the rest is lost."""

    def change(layer, example):
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.MaxPool2d | nn.AvgPool2d):
            return _plain(layer, example)
        return nn.Identity()

    return _good(net, input_chw, change)


def fully_convolutional__drops_dropout(net, input_chw):
    """Dropout does nothing when it matters, so it is left out."""

    def change(layer, example):
        return nn.Identity() if isinstance(layer, nn.Dropout) else _plain(layer, example)

    return _good(net, input_chw, change)


def fully_convolutional__forgets_the_weights(net, input_chw):
    """The right architecture, new random numbers."""

    def change(layer, example):
        new = _plain(layer, example)
        if isinstance(layer, nn.Linear):
            new.reset_parameters()
        return new

    return _good(net, input_chw, change)


def fully_convolutional__needs_biases(net, input_chw):
    """Copies biases that need not be there."""

    def change(layer, example):
        if isinstance(layer, nn.Linear):
            return _conv(layer.weight.reshape(-1, *example.shape[1:]), layer.bias.clone())
        return copy.deepcopy(layer)

    return _good(net, input_chw, change)


def fully_convolutional__stays_in_evaluation_mode(net, input_chw):
    """Sets the mode that it needs for itself, and keeps it."""
    return _good(net, input_chw).eval()


def fully_convolutional__goes_into_training_mode(net, input_chw):
    """A new Sequential is in training mode, and so are its layers."""
    return _good(net, input_chw).train()


def fully_convolutional__sets_only_its_own_mode(net, input_chw):
    """The mode is written on the outside; the layers have another."""
    converted = _good(net, input_chw).train()
    converted.training = net.training
    return converted


def fully_convolutional__leaves_the_network_in_evaluation_mode(net, input_chw):
    """Switches the given network's mode for a trial run and does not switch back."""
    converted = _good(net, input_chw)
    net.eval()(torch.zeros((1, *input_chw)))
    return converted


def fully_convolutional__puts_the_network_back_into_training_mode(net, input_chw):
    """Switches to evaluation and back to training, whatever the mode was."""
    converted = _good(net, input_chw)
    net.eval()(torch.zeros((1, *input_chw)))
    net.train()
    return converted


def fully_convolutional__converts_the_network_itself(net, input_chw):
    """Exchanges layers in place."""
    example = torch.zeros((1, *input_chw))

    def convert(net, example):
        for name, layer in list(net._modules.items()):
            if isinstance(layer, nn.Sequential):
                example = convert(layer, example)
                continue
            if isinstance(layer, nn.Flatten):
                net._modules[name] = nn.Identity()
            elif isinstance(layer, nn.Linear):
                net._modules[name] = _plain(layer, example)
            example = _size(net._modules[name], example)
        return example

    convert(net, example)
    return net


def fully_convolutional__shares_layers(net, input_chw):
    """Takes convolutions and the like over as they are, without a copy."""

    def change(layer, example):
        return _plain(layer, example) if isinstance(layer, nn.Linear) else layer

    return _good(net, input_chw, change)


def fully_convolutional__cuts_crops(net, input_chw):
    """Hides the old network and runs it on every window: the very cost that was to be saved."""

    class CropByCrop(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = [copy.deepcopy(net)]
            self.stride = 1
            for layer in net.modules():
                stride = getattr(layer, "stride", 1)
                self.stride *= stride[0] if isinstance(stride, tuple) else stride

        def train(self, mode=True):
            self.hidden[0].train(mode)
            return super().train(mode)

        def forward(self, images):
            _, height, width = input_chw
            rows = range(0, images.shape[2] - height + 1, self.stride)
            columns = range(0, images.shape[3] - width + 1, self.stride)
            answers = [
                self.hidden[0](images[:, :, y : y + height, x : x + width]).flatten(1)
                for y in rows
                for x in columns
            ]
            shape = (len(images), -1, len(rows), len(columns))
            return torch.stack(answers, dim=2).reshape(shape)

    return CropByCrop().train(net.training)


def fully_convolutional__wraps_the_network(net, input_chw):
    """The old network is still inside."""

    class OnePosition(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = copy.deepcopy(net)

        def forward(self, images):
            return self.net(images)[:, :, None, None]

    return OnePosition().train(net.training)


def window_of_output__puts_rows_first(row, col, layers):
    """(y1, x1, y2, x2)."""
    x1, y1, x2, y2 = _window(row, col, layers)
    return y1, x1, y2, x2


def window_of_output__ends_inclusively(row, col, layers):
    """The last pixel instead of its edge."""
    x1, y1, x2, y2 = _window(row, col, layers)
    return x1, y1, x2 - 1, y2 - 1


def window_of_output__gives_width_and_height(row, col, layers):
    """xywh."""
    x1, y1, x2, y2 = _window(row, col, layers)
    return x1, y1, x2 - x1, y2 - y1


def _window(row, col, layers):
    x1, y1, x2, y2 = col, row, col + 1, row + 1
    for kernel, stride in reversed(layers):
        x1, y1 = x1 * stride, y1 * stride
        x2, y2 = (x2 - 1) * stride + kernel, (y2 - 1) * stride + kernel
    return x1, y1, x2, y2


def window_of_output__goes_forwards(row, col, layers):
    """From the input to the output instead of back."""
    return _window(row, col, layers[::-1])


def window_of_output__ignores_strides_in_the_size(row, col, layers):
    """Kernels add up as if every stride were 1; only the step is right."""
    step, side = 1, 1
    for kernel, stride in layers:
        step, side = step * stride, side + kernel - 1
    return col * step, row * step, col * step + side, row * step + side


def window_of_output__multiplies_kernels(row, col, layers):
    """A kernel of 5 on a kernel of 2 sees 10."""
    step = math.prod(stride for _, stride in layers)
    side = math.prod(kernel for kernel, _ in layers)
    return col * step, row * step, col * step + side, row * step + side


def window_of_output__adds_strides(row, col, layers):
    """Steps of several layers added, not multiplied."""
    _, _, width, height = _window(0, 0, layers)
    step = 1 + sum(stride - 1 for _, stride in layers)
    return col * step, row * step, col * step + width, row * step + height


def window_of_output__steps_by_its_own_size(row, col, layers):
    """Windows of neighbouring outputs side by side."""
    _, _, width, height = _window(0, 0, layers)
    return col * width, row * height, (col + 1) * width, (row + 1) * height


def window_of_output__steps_by_one(row, col, layers):
    """The right size, and a stride of one pixel."""
    _, _, width, height = _window(0, 0, layers)
    return col, row, col + width, row + height


def window_of_output__looks_at_the_last_layer_only(row, col, layers):
    """The window in the layer before, not in the image."""
    return _window(row, col, layers[-1:])


def window_of_output__scales_the_kernel_by_its_own_stride(row, col, layers):
    """Grows by (kernel - 1) times the strides up to and with the layer's own."""
    step, side = 1, 1
    for kernel, stride in layers:
        step *= stride
        side += (kernel - 1) * step
    return col * step, row * step, col * step + side, row * step + side


def window_of_output__multiplies_the_end(row, col, layers):
    """The end of a window times the stride, plus the kernel: begins one step too far."""
    x1, y1, x2, y2 = col, row, col + 1, row + 1
    for kernel, stride in reversed(layers):
        x1, y1, x2, y2 = (
            x1 * stride,
            y1 * stride,
            x2 * stride + kernel - 1,
            y2 * stride + kernel - 1,
        )
    return x1, y1, x2, y2


def window_of_output__fails_without_layers(row, col, layers):
    """Begins with the last layer, which need not be there."""
    kernel, stride = layers[-1]
    start_x, start_y, side = col * stride, row * stride, kernel
    for kernel, stride in layers[-2::-1]:
        start_x, start_y, side = start_x * stride, start_y * stride, (side - 1) * stride + kernel
    return start_x, start_y, start_x + side, start_y + side


def window_of_output__returns_floats(row, col, layers):
    """Centres and half sides: right numbers, no ints."""
    x1, y1, x2, y2 = _window(row, col, layers)
    x, y, half_w, half_h = (x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / 2, (y2 - y1) / 2
    return x - half_w, y - half_h, x + half_w, y + half_h


def conv_macs__counts_additions_too(in_channels, out_channels, kernel_hw, out_hw):
    """Operations instead of multiply-adds: twice as many."""
    return 2 * in_channels * math.prod(kernel_hw) * out_channels * math.prod(out_hw)


def conv_macs__counts_the_bias(in_channels, out_channels, kernel_hw, out_hw):
    """One more for each output."""
    return (in_channels * math.prod(kernel_hw) + 1) * out_channels * math.prod(out_hw)


def conv_macs__counts_parameters(in_channels, out_channels, kernel_hw, out_hw):
    """The number of weights, wherever they are used."""
    return in_channels * math.prod(kernel_hw) * out_channels


def conv_macs__takes_filters_for_flat(in_channels, out_channels, kernel_hw, out_hw):
    """A filter has the kernel's height and width, but no depth."""
    return math.prod(kernel_hw) * out_channels * math.prod(out_hw)


def conv_macs__has_one_filter(in_channels, out_channels, kernel_hw, out_hw):
    """Forgets the output's channels."""
    return in_channels * math.prod(kernel_hw) * math.prod(out_hw)


def conv_macs__takes_kernels_for_square(in_channels, out_channels, kernel_hw, out_hw):
    """The kernel's height squared."""
    return in_channels * kernel_hw[0] ** 2 * out_channels * math.prod(out_hw)


def conv_macs__takes_outputs_for_square(in_channels, out_channels, kernel_hw, out_hw):
    """The output's width squared."""
    return in_channels * math.prod(kernel_hw) * out_channels * out_hw[1] ** 2


def conv_macs__overflows(in_channels, out_channels, kernel_hw, out_hw):
    """Counts in 32 bits."""
    factors = [in_channels, out_channels, *kernel_hw, *out_hw]
    return int(torch.tensor(factors).prod(dtype=torch.int32))


def conv_macs__counts_in_floats(in_channels, out_channels, kernel_hw, out_hw):
    """Gives a float, which an int was to be."""
    return float(in_channels * math.prod(kernel_hw) * out_channels * math.prod(out_hw))
