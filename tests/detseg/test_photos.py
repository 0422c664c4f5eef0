"""The photographs come out of the installed package, as tensors."""

import pytest
import torch
from skimage import data

import detseg
from detseg.errors import ArgumentError
from detseg.photos import PHOTOS

SIZES_HW = {
    "astronaut": (512, 512),
    "brick": (512, 512),
    "chelsea": (300, 451),
    "coffee": (400, 600),
    "coins": (303, 384),
    "grass": (512, 512),
    "gravel": (512, 512),
    "motorcycle": (500, 741),
    "rocket": (427, 640),
}


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photograph_is_a_float_image(name):
    image = detseg.photo(name)
    assert image.shape == (3, *SIZES_HW[name])
    assert image.dtype == torch.float32
    pixels = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
    stored = torch.from_numpy(pixels).float()  # (H, W, 3) or (H, W), 0 … 255
    first_channel = stored[..., 0] if stored.ndim == 3 else stored
    torch.testing.assert_close(image[0] * 255, first_channel)


def test_a_grey_photograph_has_three_equal_channels():
    coins = detseg.photo("coins")
    assert torch.equal(coins[0], coins[1])
    assert torch.equal(coins[0], coins[2])


def test_the_cat_is_reddish():
    red, _, blue = detseg.photo("chelsea").mean(dim=(1, 2)).tolist()
    assert red > blue, "channels are in the order R, G, B"


def test_an_unknown_photograph_is_named_with_those_there_are():
    with pytest.raises(ArgumentError, match=r"'dog'.*astronaut"):
        detseg.photo("dog")


def test_faces_come_first():
    images, labels = detseg.faces()
    assert images.shape == (200, 1, 25, 25)
    assert images.dtype == torch.float32
    assert 0 <= float(images.min()) < float(images.max()) <= 1
    assert labels.tolist() == [1] * 100 + [0] * 100
    # What looks like the mean face is a face: correlation with it tells the two halves apart.
    patches = images.flatten(1) - images.flatten(1).mean(dim=1, keepdim=True)
    likeness = torch.cosine_similarity(patches, patches[labels == 1].mean(dim=0))
    assert likeness[labels == 1].mean() > likeness[labels == 0].mean() + 0.3
