"""The little network of the chapters on sliding windows: does a patch of 25 × 25 show a face?"""

import torch
from torch import nn

from detseg.checkpoints import CHECKPOINTS, load_weights


def face_classifier() -> nn.Sequential:
    """The network, untrained.

    No layer pads and every size comes out even, so that it can be slid over a larger image: its
    last linear layers see volumes of 32 × 4 × 4 and 64 numbers.

    Returns:
        (N, 1, 25, 25) float32, grey, in [0, 1] → (N, 1) logits; above 0 means "rather a face".

    Example:
        >>> face_classifier()(torch.zeros(2, 1, 25, 25)).shape
        torch.Size([2, 1])
    """
    return nn.Sequential(
        nn.Conv2d(1, 16, 4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(512, 64),
        nn.ReLU(),
        nn.Linear(64, 1),
    )


def load_face_classifier(
    device: torch.device | str = "cpu", *, convolutional: bool = False
) -> nn.Sequential:
    """The network as the chapter on sliding windows trains it.

    Args:
        device: where to put it.
        convolutional: with convolutions in place of its linear layers: (N, 1, H, W) →
            (N, 1, H', W'), one logit for each window of 25 × 25, at a stride of 4 pixels.

    Returns:
        As `face_classifier`, in evaluation mode.

    Raises:
        DataError: the checkpoint is missing or damaged.

    Example:
        >>> load_face_classifier(convolutional=True)(torch.zeros(1, 1, 25, 33)).shape
        torch.Size([1, 1, 1, 3])
    """
    if convolutional:
        layers = list(face_classifier())[:6]
        network = nn.Sequential(*layers, nn.Conv2d(32, 64, 4), nn.ReLU(), nn.Conv2d(64, 1, 1))
        load_weights(network, CHECKPOINTS / "face-classifier-convolutional.safetensors")
    else:
        network = face_classifier()
        load_weights(network, CHECKPOINTS / "face-classifier.safetensors")
    return network.to(device).eval()
