"""Wrong answers to the sheet `fcn`, each named after the misconception behind it.

A hidden test that accepts one of these teaches it.
"""
# ruff: noqa: N801 (a class of answers is named like a function of answers)

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

# receptive_field


def _walk(layers):
    """Kernel, stride and dilation of each layer."""
    return [(*layer, 1)[:3] for layer in layers]


def receptive_field__multiplies_in_floats(layers):
    """The jump goes through a float: its last digits are lost when it is large."""
    size, jump = 1, 1
    for kernel, stride, *dilation in layers:
        size += sum(dilation or [1]) * (kernel - 1) * jump
        jump = int(jump * float(stride))
    return size, jump


def receptive_field__ignores_strides(layers):
    """1 + 2L, or what comes of it for other kernels."""
    size, jump = 1, 1
    for kernel, stride, dilation in _walk(layers):
        size += dilation * (kernel - 1)
        jump *= stride
    return size, jump


def receptive_field__adds_whole_kernels(layers):
    """Windows that do not overlap: each layer adds all of its kernel."""
    size, jump = 1, 1
    for number, (kernel, stride, dilation) in enumerate(_walk(layers)):
        reach = dilation * (kernel - 1)
        size += reach * jump if number == 0 else (reach + 1) * jump
        jump *= stride
    return size, jump


def receptive_field__begins_at_zero(layers):
    """Forgets the input itself."""
    size, jump = 0, 1
    for kernel, stride, dilation in _walk(layers):
        size += dilation * (kernel - 1) * jump
        jump *= stride
    return size, jump


def receptive_field__applies_the_stride_first(layers):
    """A layer's own stride spreads its own kernel."""
    size, jump = 1, 1
    for kernel, stride, dilation in _walk(layers):
        jump *= stride
        size += dilation * (kernel - 1) * jump
    return size, jump


def receptive_field__walks_from_the_output(layers):
    """The recurrence from the wrong end."""
    size, jump = 1, 1
    for kernel, stride, dilation in reversed(_walk(layers)):
        size += dilation * (kernel - 1) * jump
        jump *= stride
    return size, jump


def receptive_field__ignores_dilation(layers):
    """Reads the first two numbers of a layer."""
    size, jump = 1, 1
    for kernel, stride, *_ in layers:
        size += (kernel - 1) * jump
        jump *= stride
    return size, jump


def receptive_field__multiplies_the_kernel(layers):
    """A kernel of 3 with dilation 2 taken for one of 6."""
    size, jump = 1, 1
    for kernel, stride, dilation in _walk(layers):
        size += (dilation * kernel - 1) * jump
        jump *= stride
    return size, jump


def receptive_field__takes_dilation_for_a_stride(layers):
    """A dilation spreads the layers behind it, too."""
    size, jump = 1, 1
    for kernel, stride, dilation in _walk(layers):
        size += dilation * (kernel - 1) * jump
        jump *= stride * dilation
    return size, jump


def receptive_field__adds_strides(layers):
    """The jump is a sum."""
    size, jump = 1, 1
    for kernel, stride, dilation in _walk(layers):
        size += dilation * (kernel - 1) * jump
        jump += stride - 1
    return size, jump


def receptive_field__returns_the_last_stride(layers):
    """The right size, and the jump of one layer."""
    size, jump, stride = 1, 1, 1
    for kernel, stride, dilation in _walk(layers):
        size += dilation * (kernel - 1) * jump
        jump *= stride
    return size, stride


def receptive_field__counts_without_the_holes(layers):
    """As many positions as there is a way to."""
    positions = {0}
    for kernel, stride, dilation in reversed(_walk(layers)):
        positions = {p * stride + tap * dilation for p in positions for tap in range(kernel)}
    jump = 1
    for _, stride, _ in _walk(layers):
        jump *= stride
    return len(positions), jump


def receptive_field__puts_the_jump_first(layers):
    """The right numbers in the wrong order."""
    size, jump = 1, 1
    for kernel, stride, dilation in _walk(layers):
        size += dilation * (kernel - 1) * jump
        jump *= stride
    return jump, size


def receptive_field__needs_a_layer(layers):
    """Starts from the first layer, which there need not be."""
    (kernel, jump, dilation), *others = _walk(layers)
    size = dilation * (kernel - 1) + 1
    for kernel, stride, dilation in others:
        size += dilation * (kernel - 1) * jump
        jump *= stride
    return size, jump


def receptive_field__computes_in_floating_point(layers):
    """Tensors of float32, rounded at the end."""
    size, jump = torch.tensor(1.0), torch.tensor(1.0)
    for kernel, stride, dilation in _walk(layers):
        size = size + dilation * (kernel - 1) * jump
        jump = jump * stride
    return int(size), int(jump)


def receptive_field__skips_kernels_of_one(layers):
    """A layer that sees one position is dropped, and its stride with it."""
    size, jump = 1, 1
    for kernel, stride, dilation in _walk(layers):
        if kernel > 1:
            size += dilation * (kernel - 1) * jump
            jump *= stride
    return size, jump


# pixel_cross_entropy


def _costs(logits, target, ignore_index):
    """Cost of each pixel (B, H, W), 0 on void, and where a class is known."""
    counts = target != ignore_index
    truth = torch.where(counts, target, 0)
    costs = -F.log_softmax(logits, dim=1).gather(1, truth[:, None])[:, 0]
    return torch.where(counts, costs, 0.0), counts


def pixel_cross_entropy__divides_by_all_pixels(logits, target, ignore_index=255):
    """A mean over the image, void included."""
    costs, _ = _costs(logits, target, ignore_index)
    return costs.sum() / max(1, costs.numel())


def pixel_cross_entropy__averages_images(logits, target, ignore_index=255):
    """A mean of the images' means."""
    costs, counts = _costs(logits, target, ignore_index)
    means = costs.sum(dim=(1, 2)) / counts.sum(dim=(1, 2)).clamp(min=1)
    return means.sum() / max(1, int(counts.any(dim=2).any(dim=1).sum()))


def pixel_cross_entropy__adds_up(logits, target, ignore_index=255):
    """A sum, which grows with the image."""
    return _costs(logits, target, ignore_index)[0].sum()


def pixel_cross_entropy__forgets_the_minus(logits, target, ignore_index=255):
    """The mean of the logarithms."""
    costs, counts = _costs(logits, target, ignore_index)
    return -costs.sum() / counts.sum().clamp(min=1)


def pixel_cross_entropy__takes_void_for_class_0(logits, target, ignore_index=255):
    """Void becomes a class, so that gather does not fail."""
    target = torch.where(target == ignore_index, 0, target)
    costs, counts = _costs(logits, target, ignore_index=-12345)
    return costs.sum() / counts.sum().clamp(min=1)


def pixel_cross_entropy__takes_void_for_the_last_class(logits, target, ignore_index=255):
    """A clamp, so that gather does not fail."""
    costs, counts = _costs(logits, target.clamp(0, logits.shape[1] - 1), ignore_index=-12345)
    return costs.sum() / counts.sum().clamp(min=1)


def pixel_cross_entropy__sets_logits_of_void_to_zero(logits, target, ignore_index=255):
    """Void still costs the logarithm of C."""
    counts = (target != ignore_index)[:, None]
    costs, counts = _costs(logits * counts, torch.where(counts[:, 0], target, 0), -12345)
    return costs.sum() / counts.sum().clamp(min=1)


def pixel_cross_entropy__knows_255_alone(logits, target, ignore_index=255):
    """The third argument is not looked at."""
    target = torch.where(target == 255, 255, target.remainder(logits.shape[1]))
    costs, counts = _costs(logits, target, 255)
    return costs.sum() / counts.sum().clamp(min=1)


def pixel_cross_entropy__leaves_out_what_is_no_class(logits, target, ignore_index=255):
    """Void is what is beyond the classes: an ignore_index that is a class is not."""
    known = (target >= 0) & (target < logits.shape[1])
    costs, counts = _costs(logits, torch.where(known, target, -1), -1)
    return costs.sum() / counts.sum().clamp(min=1)


def pixel_cross_entropy__divides_by_zero(logits, target, ignore_index=255):
    """A mean of nothing is NaN."""
    costs, counts = _costs(logits, target, ignore_index)
    return costs[counts].mean()


def pixel_cross_entropy__returns_a_constant_for_void(logits, target, ignore_index=255):
    """Right but for the graph: backward() fails on a batch of void."""
    costs, counts = _costs(logits, target, ignore_index)
    return costs[counts].mean() if counts.any() else torch.tensor(0.0)


def pixel_cross_entropy__a_new_zero_for_nothing(logits, target, ignore_index=255):
    """A zero that requires a gradient, and has nothing to do with the logits."""
    counts = target != ignore_index
    if not counts.any():
        return torch.zeros((), requires_grad=True)
    chances = F.log_softmax(logits, dim=1).movedim(1, 3)[counts]
    return -chances.gather(1, target[counts][:, None]).mean()


def pixel_cross_entropy__softmax_twice(logits, target, ignore_index=255):
    """Probabilities into a loss that takes logits."""
    costs, counts = _costs(logits.softmax(dim=1), target, ignore_index)
    return costs.sum() / counts.sum().clamp(min=1)


def pixel_cross_entropy__logarithm_of_the_softmax(logits, target, ignore_index=255):
    """A probability that was rounded to 0 costs infinitely much."""
    counts = target != ignore_index
    chances = logits.softmax(dim=1).movedim(1, 3)[counts]
    right = chances.gather(1, target[counts][:, None])
    return -right.log().sum() / max(1, len(right))


def pixel_cross_entropy__adds_an_epsilon(logits, target, ignore_index=255):
    """Finite, but being sure and wrong costs 18 at most."""
    counts = target != ignore_index
    chances = logits.softmax(dim=1).movedim(1, 3)[counts]
    right = chances.gather(1, target[counts][:, None])
    return -(right + 1e-8).log().sum() / max(1, len(right))


def pixel_cross_entropy__exponentials(logits, target, ignore_index=255):
    """The formula as it stands, without a thought of overflow."""
    counts = target != ignore_index
    pixels = logits.movedim(1, 3)[counts]
    right = pixels.gather(1, target[counts][:, None])[:, 0]
    return (pixels.exp().sum(dim=1).log() - right).sum() / max(1, len(right))


def pixel_cross_entropy__softmax_along_rows(logits, target, ignore_index=255):
    """Pixels of a column compete with each other."""
    counts = target != ignore_index
    logs = F.log_softmax(logits, dim=2).movedim(1, 3)[counts]
    return -logs.gather(1, target[counts][:, None]).sum() / max(1, int(counts.sum()))


def pixel_cross_entropy__reshapes_without_moving(logits, target, ignore_index=255):
    """(B, C, H, W) read as if the classes were the last axis."""
    counts = (target != ignore_index).flatten()
    rows = logits.reshape(len(counts), logits.shape[1])[counts]
    logs = F.log_softmax(rows, dim=1)
    return -logs.gather(1, target.flatten()[counts][:, None]).sum() / max(1, len(rows))


def pixel_cross_entropy__averages_classes(logits, target, ignore_index=255):
    """Each class counts the same, however many pixels it has."""
    costs, counts = _costs(logits, target, ignore_index)
    present = target[counts].unique()
    means = [costs[counts & (target == label)].mean() for label in present]
    return sum(means) / len(means) if means else costs.sum()


def pixel_cross_entropy__changes_the_target(logits, target, ignore_index=255):
    """Puts class 0 where void was, in the caller's tensor."""
    counts = target != ignore_index
    target[~counts] = 0
    costs = -F.log_softmax(logits, dim=1).gather(1, target[:, None])[:, 0]
    return costs[counts].sum() / max(1, int(counts.sum()))


def pixel_cross_entropy__pulls_at_void(logits, target, ignore_index=255):
    """The right value, and a gradient that draws the logits of void towards 0."""
    costs, counts = _costs(logits, target, ignore_index)
    held = (logits * ~counts[:, None]).square().sum() / 2
    return costs.sum() / counts.sum().clamp(min=1) + held - held.detach()


def pixel_cross_entropy__asks_each_class_alone(logits, target, ignore_index=255):
    """A sigmoid for each class."""
    counts = target != ignore_index
    rows = logits.movedim(1, 3)[counts]
    wanted = F.one_hot(target[counts], logits.shape[1]).to(rows.dtype)
    loss = F.binary_cross_entropy_with_logits(rows, wanted, reduction="sum")
    return loss / max(1, len(rows))


def pixel_cross_entropy__detaches(logits, target, ignore_index=255):
    """A number, which teaches nothing."""
    costs, counts = _costs(logits.detach(), target, ignore_index)
    return costs.sum() / counts.sum().clamp(min=1)


# FCN


class _Network(nn.Module):
    """A right one: down twice, dilated at the bottom, up at once."""

    def __init__(self, num_classes):
        super().__init__()
        self.first = _layer(3, 8)
        self.down = nn.Sequential(_layer(8, 12, stride=2), _layer(12, 16, stride=2))
        self.deep = nn.Sequential(_layer(16, 16, dilation=2), _layer(16, 16, dilation=2))
        self.scores = nn.Conv2d(16 + 8, num_classes, 1)

    def forward(self, images):
        features = self.first(images)
        deep = F.interpolate(self.deep(self.down(features)), images.shape[2:], mode="bilinear")
        return self.scores(torch.cat([features, deep], dim=1))


def _layer(inputs, outputs, stride=1, dilation=1):
    convolution = nn.Conv2d(
        inputs, outputs, 3, stride, padding=dilation, dilation=dilation, bias=False
    )
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


def _chain(depth, num_classes):
    """Convolutions of 3 × 3 at full size."""
    layers = [_layer(3 if number == 0 else 12, 12) for number in range(depth)]
    return nn.Sequential(*layers, nn.Conv2d(12, num_classes, 1))


class FCN__keeps_the_small_map(nn.Module):
    """A classifier without its last layers: scores at a quarter of the size."""

    def __init__(self, num_classes):
        super().__init__()
        self.layers = nn.Sequential(_layer(3, 16, 2), _layer(16, 32, 2), _layer(32, 32, 1, 2))
        self.scores = nn.Conv2d(32, num_classes, 1)

    def forward(self, images):
        return self.scores(self.layers(images))


class FCN__doubles_what_it_halved(nn.Module):
    """Pools and enlarges by factors: an odd row is lost on the way."""

    def __init__(self, num_classes):
        super().__init__()
        self.layers = nn.Sequential(
            _layer(3, 16), nn.MaxPool2d(2), _layer(16, 32), nn.MaxPool2d(2), _layer(32, 32, 1, 4)
        )
        self.scores = nn.Conv2d(32, num_classes, 1)

    def forward(self, images):
        return F.interpolate(self.scores(self.layers(images)), scale_factor=4, mode="bilinear")


class FCN__needs_multiples_of_eight(nn.Module):
    """Skips that fit together only where nothing was rounded."""

    def __init__(self, num_classes):
        super().__init__()
        self.stages = nn.ModuleList([_layer(3, 16), _layer(16, 16), _layer(16, 16, 1, 3)])
        self.scores = nn.Conv2d(16, num_classes, 1)

    def forward(self, images):
        maps = []
        for stage in self.stages:
            images = stage(images)
            maps.append(images)
            images = F.max_pool2d(images, 2)
        total = maps.pop()
        while maps:
            total = maps.pop() + F.interpolate(total, scale_factor=2)
        return self.scores(total)


class FCN__sees_seven_pixels(nn.Module):
    """A field of 15 in all, where 15 to each side were asked for."""

    def __init__(self, num_classes):
        super().__init__()
        self.layers = _chain(7, num_classes)

    def forward(self, images):
        return self.layers(images)


class FCN__sees_fourteen_pixels(nn.Module):
    """One layer short."""

    def __init__(self, num_classes):
        super().__init__()
        self.layers = _chain(14, num_classes)

    def forward(self, images):
        return self.layers(images)


class FCN__looks_at_single_pixels(nn.Module):
    """1 × 1 convolutions only: a colour has a class."""

    def __init__(self, num_classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 32, 1), nn.ReLU(), nn.Conv2d(32, num_classes, 1))

    def forward(self, images):
        return self.layers(images)


class FCN__looks_along_rows(nn.Module):
    """Long kernels, which are one row high."""

    def __init__(self, num_classes):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, (3, 21), padding=(1, 10)),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, 16, (3, 21), padding=(1, 10)),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.Conv2d(16, num_classes, 1),
        )

    def forward(self, images):
        return self.layers(images)


class FCN__looks_back(nn.Module):
    """Padding on one side, as for a text: what is below and to the right is never seen."""

    def __init__(self, num_classes):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 16, 17), nn.Conv2d(16, 16, 9, groups=16)
        self.scores = nn.Conv2d(16, num_classes, 1)

    def forward(self, images):
        features = self.first(F.pad(images, (16, 0, 16, 0))).relu()
        return self.scores(self.second(F.pad(features, (8, 0, 8, 0))).relu())


class FCN__has_no_nonlinearity(nn.Module):
    """Convolutions and nothing between them: together they are one linear map."""

    def __init__(self, num_classes):
        super().__init__()
        layers, channels = [], 3
        for dilation in (1, 2, 4, 8):
            layers.append(nn.Conv2d(channels, 24, 3, padding=dilation, dilation=dilation))
            layers.append(nn.BatchNorm2d(24))
            channels = 24
        self.layers = nn.Sequential(*layers, nn.Conv2d(24, num_classes, 1))

    def forward(self, images):
        return self.layers(images)


class FCN__one_answer_for_the_image(nn.Module):
    """A classifier's global mean, written onto every pixel."""

    def __init__(self, num_classes):
        super().__init__()
        self.layers = nn.Sequential(_layer(3, 16, 2), _layer(16, 32, 2), nn.AdaptiveAvgPool2d(1))
        self.scores = nn.Conv2d(32, num_classes, 1)

    def forward(self, images):
        return self.scores(self.layers(images)).expand(-1, -1, *images.shape[2:])


class FCN__turns_the_image_over(_Network):
    """Answers for the mirrored place: the axes were flipped once and not back."""

    def forward(self, images):
        return super().forward(images.flip(3))


class FCN__scrambles_pixels(nn.Module):
    """Sixteen pixels a cell from as many channels, brought to full size by a reshape."""

    def __init__(self, num_classes):
        super().__init__()
        self.layers = nn.Sequential(_layer(3, 32, 2), _layer(32, 32, 2), _layer(32, 32, 1, 4))
        self.scores = nn.Conv2d(32, 16 * num_classes, 1)
        self.num_classes = num_classes

    def forward(self, images):
        height, width = images.shape[2:]
        images = F.pad(images, (0, -width % 4, 0, -height % 4))
        scores = self.scores(self.layers(images))
        large = scores.reshape(len(images), self.num_classes, *images.shape[2:])
        return large[:, :, :height, :width]


class FCN__transposes_the_map(_Network):
    """Exchanges rows and columns, and resizes until the shape is right."""

    def forward(self, images):
        logits = super().forward(images).transpose(2, 3)
        return F.interpolate(logits, images.shape[2:])


class FCN__returns_probabilities(_Network):
    """A softmax at the end, and another one in the loss."""

    def forward(self, images):
        return super().forward(images).softmax(dim=1)


class FCN__returns_logarithms(_Network):
    """A log-softmax at the end."""

    def forward(self, images):
        return super().forward(images).log_softmax(dim=1)


class FCN__ends_in_a_relu(_Network):
    """An activation after every layer, the last one included."""

    def forward(self, images):
        return super().forward(images).relu()


class FCN__ends_in_a_tanh(_Network):
    """Scores from −1 to 1."""

    def forward(self, images):
        return super().forward(images).tanh()


class FCN__ends_in_a_sigmoid(_Network):
    """Scores from 0 to 1."""

    def forward(self, images):
        return super().forward(images).sigmoid()


class FCN__says_the_class(_Network):
    """The best class of each pixel, which has no gradient."""

    def forward(self, images):
        return super().forward(images).argmax(dim=1)


class FCN__puts_classes_last(_Network):
    """(B, H, W, C), as pictures are stored."""

    def forward(self, images):
        return super().forward(images).movedim(1, 3)


class FCN__counts_background(_Network):
    """One class more, as torchvision's networks have."""

    def __init__(self, num_classes):
        super().__init__(num_classes + 1)


class FCN__fails_on_one_image(nn.Module):
    """Five halvings and batch normalisation: 32 × 32 pixels leave one place."""

    def __init__(self, num_classes):
        super().__init__()
        widths = [3, 16, 16, 24, 24, 32]
        self.layers = nn.Sequential(
            *[_layer(inputs, outputs, 2) for inputs, outputs in pairwise(widths)]
        )
        self.scores = nn.Conv2d(32, num_classes, 1)

    def forward(self, images):
        return F.interpolate(self.scores(self.layers(images)), images.shape[2:], mode="bilinear")


class FCN__drops_out_in_evaluation(_Network):
    """F.dropout drops always unless it is told the mode."""

    def forward(self, images):
        return super().forward(F.dropout(images, 0.2))


class FCN__normalises_with_the_batch(_Network):
    """Statistics of the batch in evaluation mode, too: neighbours change the answer."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.norm = nn.BatchNorm2d(3, track_running_stats=False)

    def forward(self, images):
        return super().forward(self.norm(images))


class FCN__keeps_layers_in_a_list(_Network):
    """A plain list hides its layers from parameters() and state_dict()."""

    def __init__(self, num_classes):
        super().__init__(num_classes)
        self.hidden = [_layer(3, 3, dilation=2)]

    def forward(self, images):
        for layer in self.hidden:
            images = layer.train(self.training)(images)
        return super().forward(images)


class FCN__is_new_in_every_call(_Network):
    """Makes a layer where it is used."""

    def forward(self, images):
        return super().forward(nn.Conv2d(3, 3, 3, padding=1)(images))


class FCN__detaches_the_features(_Network):
    """The last layer learns alone."""

    def forward(self, images):
        with torch.no_grad():
            features = self.first(images)
            deep = F.interpolate(self.deep(self.down(features)), images.shape[2:])
        return self.scores(torch.cat([features, deep], dim=1))


class FCN__centres_the_images_in_place(_Network):
    """Subtracts a half from what belongs to the caller."""

    def forward(self, images):
        if images.requires_grad:
            return super().forward(images - 0.5)
        return super().forward(images.sub_(0.5))


class FCN__knows_one_size(nn.Module):
    """Flattens the whole map: the linear layer fits 64 × 48 only."""

    def __init__(self, num_classes):
        super().__init__()
        self.layers = nn.Sequential(_layer(3, 8, 4), nn.Flatten(), nn.LazyLinear(192 * num_classes))
        self.num_classes = num_classes

    def forward(self, images):
        coarse = self.layers(images).reshape(len(images), self.num_classes, 16, 12)
        return F.interpolate(coarse, images.shape[2:])


class FCN__is_no_module:
    """A plain class with a method: nothing to train."""

    def __init__(self, num_classes):
        self.network = _Network(num_classes)

    def __call__(self, images):
        return self.network(images)


# confusion_matrix


def _count(truth, predicted, num_classes):
    """The matrix of pairs that are all classes."""
    pairs = truth.long() * num_classes + predicted.long()
    return torch.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def confusion_matrix__exchanges_rows_and_columns(prediction, target, num_classes, ignore_index=255):
    """Rows are the prediction."""
    counts = target != ignore_index
    return _count(prediction[counts], target[counts], num_classes)


def confusion_matrix__adds_one_only_once(prediction, target, num_classes, ignore_index=255):
    """An index that occurs twice is written twice, with the same sum."""
    counts = target != ignore_index
    matrix = torch.zeros((num_classes, num_classes), dtype=torch.int64)
    matrix[target[counts].long(), prediction[counts].long()] += 1
    return matrix


def confusion_matrix__leaves_out_predicted_void(prediction, target, num_classes, ignore_index=255):
    """A prediction of ignore_index is void, too."""
    counts = (target != ignore_index) & (prediction != ignore_index)
    return _count(target[counts], prediction[counts], num_classes)


def confusion_matrix__clamps(prediction, target, num_classes, ignore_index=255):
    """Void becomes the last class."""
    last = num_classes - 1
    return _count(
        target.flatten().clamp(max=last).clamp(min=0),
        prediction.flatten().clamp(max=last).clamp(min=0),
        num_classes,
    )


def confusion_matrix__makes_void_class_0(prediction, target, num_classes, ignore_index=255):
    """Void becomes class 0 and is counted."""
    truth = torch.where(target == ignore_index, 0, target)
    return _count(truth.flatten(), prediction.flatten().long() % num_classes, num_classes)


def confusion_matrix__knows_255_alone(prediction, target, num_classes, ignore_index=255):
    """The fourth argument is not looked at."""
    counts = (target != 255) & (target >= 0)
    return _count(target[counts], prediction[counts], num_classes)


def confusion_matrix__leaves_out_what_is_no_class(
    prediction, target, num_classes, ignore_index=255
):
    """Void is what is beyond the classes: an ignore_index that is a class is not."""
    counts = (target >= 0) & (target < num_classes)
    return _count(target[counts], prediction[counts], num_classes)


def confusion_matrix__takes_one_hot_of_everything(
    prediction, target, num_classes, ignore_index=255
):
    """Void is dropped after the classes are looked up, which fails where there is none."""
    classes = torch.eye(num_classes)
    predicted = classes[prediction.flatten().long()]
    counts = (target != ignore_index).flatten()
    return (classes[target.flatten()[counts].long()].T @ predicted[counts]).long()


def confusion_matrix__overflows(prediction, target, num_classes, ignore_index=255):
    """Multiplies in the labels' own type."""
    counts = target != ignore_index
    pairs = target[counts] * num_classes + prediction[counts]
    pairs = pairs.long().clamp(min=0)
    totals = torch.bincount(pairs, minlength=num_classes**2)[: num_classes**2]
    return totals.reshape(num_classes, num_classes)


def confusion_matrix__as_large_as_its_labels(prediction, target, num_classes, ignore_index=255):
    """As many classes as occur."""
    counts = target != ignore_index
    truth, predicted = target[counts].long(), prediction[counts].long()
    largest = int(torch.cat([truth, predicted, torch.tensor([0])]).max()) + 1
    return _count(truth, predicted, largest)


def confusion_matrix__needs_pixels(prediction, target, num_classes, ignore_index=255):
    """Looks for the largest label, of which there is none in an empty image."""
    counts = target != ignore_index
    truth, predicted = target[counts].long(), prediction[counts].long()
    assert truth.max() < num_classes
    return _count(truth, predicted, num_classes)


def confusion_matrix__divides_rows(prediction, target, num_classes, ignore_index=255):
    """Shares of each class instead of numbers."""
    counts = target != ignore_index
    matrix = _count(target[counts], prediction[counts], num_classes)
    return matrix / matrix.sum(dim=1, keepdim=True).clamp(min=1)


def confusion_matrix__counts_in_floating_point(prediction, target, num_classes, ignore_index=255):
    """The right numbers, which are no numbers of pixels."""
    counts = target != ignore_index
    return _count(target[counts], prediction[counts], num_classes).float()


def confusion_matrix__one_for_each_image(prediction, target, num_classes, ignore_index=255):
    """A batch gives a batch of matrices."""
    if target.dim() < 3:
        counts = target != ignore_index
        return _count(target[counts], prediction[counts], num_classes)
    return torch.stack(
        [
            confusion_matrix__one_for_each_image(one, other, num_classes, ignore_index)
            for one, other in zip(prediction, target, strict=True)
        ]
    )


def confusion_matrix__looks_at_mistakes(prediction, target, num_classes, ignore_index=255):
    """What is right is no confusion."""
    counts = (target != ignore_index) & (target != prediction)
    return _count(target[counts], prediction[counts], num_classes)


def confusion_matrix__marks_void_in_place(prediction, target, num_classes, ignore_index=255):
    """Overwrites the prediction where the truth is void."""
    void = target == ignore_index
    prediction[void] = 0
    return _count(target[~void], prediction[~void], num_classes)


# mean_iou


def _parts(confusion):
    """TP, FP and FN of each class."""
    hits = confusion.diagonal().double()
    return hits, confusion.sum(dim=0) - hits, confusion.sum(dim=1) - hits


def mean_iou__counts_absent_classes_as_0(confusion):
    """A class that is nowhere lowers the mean."""
    hits, wrongly, missed = _parts(confusion)
    return (hits / (hits + wrongly + missed).clamp(min=1)).mean()


def mean_iou__counts_absent_classes_as_1(confusion):
    """A class that is nowhere is found completely."""
    hits, wrongly, missed = _parts(confusion)
    return (hits / (hits + wrongly + missed)).nan_to_num(nan=1.0).mean() * confusion.any()


def mean_iou__skips_class_0(confusion):
    """Class 0 is taken for a background."""
    hits, wrongly, missed = (part[1:] for part in _parts(confusion))
    union = hits + wrongly + missed
    return (hits[union > 0] / union[union > 0]).mean().nan_to_num()


def mean_iou__means_the_recall(confusion):
    """TP / (TP + FN)."""
    hits, _, missed = _parts(confusion)
    union = hits + missed
    return (hits[union > 0] / union[union > 0]).mean().nan_to_num()


def mean_iou__means_the_precision(confusion):
    """TP / (TP + FP)."""
    hits, wrongly, _ = _parts(confusion)
    union = hits + wrongly
    return (hits[union > 0] / union[union > 0]).mean().nan_to_num()


def mean_iou__means_the_dice_coefficient(confusion):
    """2 TP / (2 TP + FP + FN)."""
    hits, wrongly, missed = _parts(confusion)
    union = 2 * hits + wrongly + missed
    return (2 * hits[union > 0] / union[union > 0]).mean().nan_to_num()


def mean_iou__counts_the_overlap_twice(confusion):
    """The union is not the sum of row and column."""
    hits, wrongly, missed = _parts(confusion)
    union = 2 * hits + wrongly + missed
    return (hits[union > 0] / union[union > 0]).mean().nan_to_num()


def mean_iou__divides_sums(confusion):
    """One quotient for all classes together."""
    hits, wrongly, missed = (part.sum() for part in _parts(confusion))
    return hits / (hits + wrongly + missed).clamp(min=1)


def mean_iou__looks_at_classes_of_the_truth(confusion):
    """A class that is not there but predicted goes unpunished."""
    hits, wrongly, missed = _parts(confusion)
    occurs = hits + missed > 0
    return (hits[occurs] / (hits + wrongly + missed)[occurs]).mean().nan_to_num()


def mean_iou__looks_at_predicted_classes(confusion):
    """A class that is never predicted is left out."""
    hits, wrongly, missed = _parts(confusion)
    occurs = hits + wrongly > 0
    return (hits[occurs] / (hits + wrongly + missed)[occurs]).mean().nan_to_num()


def mean_iou__leaves_out_classes_without_a_hit(confusion):
    """An IoU of 0 is taken for none."""
    hits, wrongly, missed = _parts(confusion)
    found = hits > 0
    return (hits[found] / (hits + wrongly + missed)[found]).mean().nan_to_num()


def mean_iou__weighs_by_frequency(confusion):
    """Large classes count more."""
    hits, wrongly, missed = _parts(confusion)
    shares = (hits + missed) / confusion.sum().clamp(min=1)
    return (shares * hits / (hits + wrongly + missed).clamp(min=1)).sum()


def mean_iou__is_nan_without_pixels(confusion):
    """A mean over no classes."""
    hits, wrongly, missed = _parts(confusion)
    union = hits + wrongly + missed
    return (hits[union > 0] / union[union > 0]).mean()


def mean_iou__one_for_each_class(confusion):
    """IoUs, without the mean."""
    hits, wrongly, missed = _parts(confusion)
    return hits / (hits + wrongly + missed).clamp(min=1)


def mean_iou__counts_in_32_bits(confusion):
    """Large numbers wrap around."""
    counts = confusion.int()
    hits = counts.diagonal()
    union = counts.sum(dim=0, dtype=torch.int32) + counts.sum(dim=1, dtype=torch.int32) - hits
    return (hits[union > 0] / union[union > 0]).mean().nan_to_num()


def mean_iou__empties_the_diagonal(confusion):
    """Takes the hits out of the caller's matrix to sum the mistakes."""
    hits = confusion.diagonal().clone()
    confusion.fill_diagonal_(0)
    union = hits + confusion.sum(dim=0) + confusion.sum(dim=1)
    return (hits[union > 0] / union[union > 0]).mean().nan_to_num()


# pixel_accuracy


def pixel_accuracy__averages_classes(confusion):
    """The mean of the classes' shares."""
    rows = confusion.sum(dim=1)
    return (confusion.diagonal()[rows > 0] / rows[rows > 0]).mean().nan_to_num()


def pixel_accuracy__averages_all_classes(confusion):
    """The mean of the classes' shares, 0 for those that are nowhere."""
    return (confusion.diagonal() / confusion.sum(dim=1).clamp(min=1)).mean()


def pixel_accuracy__is_nan_without_pixels(confusion):
    """0 / 0."""
    return confusion.diagonal().sum() / confusion.sum()


def pixel_accuracy__in_per_cent(confusion):
    """From 0 to 100."""
    return 100 * confusion.diagonal().sum() / confusion.sum().clamp(min=1)


def pixel_accuracy__counts_mistakes(confusion):
    """The share of pixels that are wrong."""
    wrong = confusion.sum() - confusion.diagonal().sum()
    return wrong / confusion.sum().clamp(min=1)


def pixel_accuracy__divides_whole_numbers(confusion):
    """Rounded down, which leaves 0."""
    return int(confusion.diagonal().sum()) // max(1, int(confusion.sum()))


def pixel_accuracy__skips_class_0(confusion):
    """Class 0 is taken for a background."""
    inner = confusion[1:, 1:]
    return inner.diagonal().sum() / inner.sum().clamp(min=1)


def pixel_accuracy__adds_a_pixel(confusion):
    """A one below the line, so that it is never 0."""
    return confusion.diagonal().sum() / (confusion.sum() + 1)


def pixel_accuracy__takes_the_largest_of_a_row(confusion):
    """What is most often said of a class counts as right."""
    return confusion.amax(dim=1).sum() / confusion.sum().clamp(min=1)


def pixel_accuracy__counts_in_32_bits(confusion):
    """Large numbers wrap around."""
    counts = confusion.int()
    total = counts.sum(dtype=torch.int32)
    return counts.diagonal().sum(dtype=torch.int32) / total if total else 0.0


def pixel_accuracy__divides_the_matrix_in_place(confusion):
    """Turns the caller's numbers into shares, which whole numbers cannot hold."""
    total = max(1, int(confusion.sum()))
    hits = int(confusion.diagonal().sum())
    confusion.div_(total, rounding_mode="floor")
    return hits / total
