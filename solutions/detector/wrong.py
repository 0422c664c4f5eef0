"""Wrong answers, each named after what somebody might believe.

Most change one step of what `_careful` does, which is the reference in other words.
"""

import time

import torch
from safetensors.torch import load_file
from torch import nn


def build_model__trained():
    """Gives the network that was trained, so that nothing is left to train."""
    model = Detector()
    model.load_state_dict(load_file("detector.safetensors"))
    return model


def build_model__always_the_same():
    """Fixes the random numbers, so that results can be repeated."""
    torch.manual_seed(0)
    return Detector()


def build_model__without_limit():
    """Keeps a second network for a rainy day: more than 10 MB."""
    model = Detector()
    model.spare = nn.Linear(2000, 2000)
    return model


def build_model__without_masks():
    """Finds boxes; the mask head is to come later."""
    model = Detector()
    del model.masks
    return model


def build_model__of_another_width():
    """Has been made narrower since it was trained."""
    model = Detector()
    model.mask_low, model.mask_high = nn.Conv2d(48, 24, 1), nn.Conv2d(96, 24, 1)
    model.masks = nn.Sequential(nn.Conv2d(24, 4, 1))
    return model


def build_model__without_normalisation():
    """Has the weights of batch normalisation, and does not use them."""
    model = Detector()
    for block in (*model.low, *model.high):
        block.forward = lambda features, block=block: block[2](block[0](features))
    return model


def _careful(model, images):
    model.eval()
    with torch.no_grad():
        return [_found_in(model, image) for image in images]


def predict__width_and_height(model, images):
    """COCO's files have x, y, width and height, so this has."""
    found = _careful(model, images)
    for result in found:
        result["boxes"][:, 2:] -= result["boxes"][:, :2]
    return found


def predict__labels_from_zero(model, images):
    """Counts the classes of things from 0."""
    return [result | {"labels": result["labels"] - 1} for result in _careful(model, images)]


def predict__soft_masks(model, images):
    """Leaves the threshold of a mask to whoever uses it."""
    return [result | {"masks": result["masks"].float()} for result in _careful(model, images)]


def predict__boxes_for_masks(model, images):
    """A thing fills its box."""
    found = _careful(model, images)
    for result in found:
        result["masks"].fill_(False)
        for mask, (x1, y1, x2, y2) in zip(result["masks"], result["boxes"].int(), strict=True):
            mask[y1:y2, x1:x2] = True
    return found


def predict__masks_of_the_other_axis(model, images):
    """Takes x for the row."""
    return [
        result | {"masks": result["masks"].flip(1).transpose(1, 2).reshape(result["masks"].shape)}
        for result in _careful(model, images)
    ]


def predict__ignores_the_class(model, images):
    """Takes everything for a disk."""
    return [
        result | {"labels": torch.ones_like(result["labels"])} for result in _careful(model, images)
    ]


def predict__everything(model, images):
    """The more the better: repeats what it found."""
    return [
        {key: value.repeat(40, *[1] * (value.dim() - 1)) for key, value in result.items()}
        for result in _careful(model, [*images])
    ]


def predict__in_training_mode(model, images):
    """Does not ask in which mode the model is: batch normalisation uses the image's own."""
    with torch.no_grad():
        return [_found_in(model, image) for image in images]


def predict__all_alike(model, images):
    """Makes one batch, so all images must have one size."""
    return _careful(model, torch.stack(images))


def predict__brightens_the_images(model, images):
    """Normalises the contrast in place."""
    for image in images:
        image -= image.amin()
        image /= image.amax()
    return _careful(model, images)


def predict__takes_its_time(model, images):
    """Slower than five images a second."""
    time.sleep(0.3 * len(images))
    return _careful(model, images)


def train__nothing(model, scenes, seconds, device):
    """Believes that a model is trained by looking at it."""
    return model.to(device)


def train__gives_nothing_back(model, scenes, seconds, device):
    """Trains in place and forgets to return."""
    _steps(model, scenes, seconds, device)


def train__upwards(model, scenes, seconds, device):
    """Follows the gradient, uphill."""
    return _steps(model, scenes, seconds, device, sign=-1)


def train__without_a_step(model, scenes, seconds, device):
    """Computes gradients and never uses them."""
    return _steps(model, scenes, seconds, device, rate=0.0)


def train__a_thousandth(model, scenes, seconds, device):
    """Takes seconds for milliseconds."""
    return _steps(model, scenes, seconds / 1000, device)


def train__another_network(model, scenes, seconds, device):
    """Trains a copy and returns the original."""
    _steps(build_model(), scenes, seconds, device)
    return model


def _steps(model, scenes, seconds, device, sign=1, rate=2e-3):
    model.to(device).train()
    optimizer = torch.optim.Adam(model.parameters(), rate)
    generator, end = torch.Generator(device).manual_seed(0), time.monotonic() + seconds
    while time.monotonic() < end:
        images, targets = _batch(scenes, range(len(scenes)), device, mirrored=False)
        losses = _losses(model, images, targets, generator)
        optimizer.zero_grad()
        (sign * sum(losses.values())).backward()
        optimizer.step()
    return model
