"""The face classifier of the pages, and the same one made of convolutions."""

import pytest
import torch

import detseg
from detseg import face_network
from detseg.errors import DataError


@pytest.fixture(scope="module")
def network():
    return detseg.load_face_classifier("cpu")


def test_it_knows_the_faces_it_was_trained_on(network):
    images, labels = detseg.faces()
    with torch.no_grad():
        said = network(images)[:, 0] > 0
    assert (said == (labels == 1)).float().mean() > 0.97


def test_made_of_convolutions_it_is_the_same_function(network):
    convolutional = detseg.load_face_classifier("cpu", convolutional=True)
    image = torch.rand(2, 1, 37, 29, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        found = convolutional(image)  # [2, 1, 4, 2]
        assert found.shape == (2, 1, 4, 2)
        for row in range(4):
            for column in range(2):
                window = image[:, :, 4 * row : 4 * row + 25, 4 * column : 4 * column + 25]
                torch.testing.assert_close(
                    found[:, :, row, column], network(window), atol=1e-4, rtol=1e-5
                )


def test_a_missing_checkpoint_says_what_makes_one(tmp_path, monkeypatch):
    monkeypatch.setattr(face_network, "CHECKPOINTS", tmp_path)
    with pytest.raises(DataError, match=r"face-classifier\.safetensors is missing"):
        detseg.load_face_classifier()
