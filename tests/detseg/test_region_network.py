"""The network of the chapters on R-CNN and Fast R-CNN."""

import pytest
import torch
from torchvision.ops import roi_align

import detseg
from detseg import region_network
from detseg.errors import ArgumentError, DataError
from detseg.evaluate import coco_evaluate
from detseg.proposals import selective_search


def test_a_crop_and_a_cut_out_region_fit_the_same_head():
    network = detseg.RegionNetwork(num_classes=3).eval()
    features = network.backbone(torch.rand(1, 3, 96, 128))
    assert features.shape == (1, 96, 12, 16)
    regions = roi_align(features, [torch.tensor([[0.0, 0, 50, 70]])], region_network.CELLS, 1 / 8)
    for part in (regions, network.backbone(torch.rand(5, 3, 32, 32))):
        logits, deltas = network.head(part)
        assert logits.shape == (len(part), 4)
        assert deltas.shape == (len(part), 16)


def test_grey_of_the_middle_is_nothing_to_the_backbone():
    """What it pads with is a colour in the middle: an even image has even features."""
    network = detseg.RegionNetwork().eval()
    with torch.no_grad():
        features = network.backbone(torch.full((1, 3, 64, 64), region_network.MEAN))
    torch.testing.assert_close(features[..., 0, 0], features[..., 4, 4])


@pytest.mark.parametrize("name", ["rcnn", "fast-rcnn"])
def test_the_trained_networks_detect(name):
    network = detseg.load_region_network(name, "cpu")
    assert not network.training
    rules = detseg.region_rules()
    found, targets = [], []
    for image, target in detseg.ShapeScenes(n=12, seed=88):
        boxes = selective_search(image)[:200]
        with torch.no_grad():
            if name == "rcnn":
                features = network.backbone(
                    roi_align(image[None], [boxes], 32, 1.0, 1, aligned=True)
                )
            else:
                maps = network.backbone(image[None])
                features = roi_align(maps, [boxes], 4, 1 / 8, 2, aligned=True)
            logits, deltas = network.head(features)
        outputs = rules.postprocess_detections(logits, deltas, [boxes], [image.shape[1:]])
        keys = ("boxes", "scores", "labels")
        found.append({key: part[0] for key, part in zip(keys, outputs, strict=True)})
        targets.append(target)
    assert coco_evaluate(found, targets, num_classes=4)["ap50"] > 0.5


def test_neutral_proposals_are_not_trained_on():
    truth = {"boxes": torch.tensor([[0.0, 0, 10, 10]]), "labels": torch.tensor([3])}
    proposals = torch.tensor([[0.0, 0, 10, 6], [0, 0, 10, 4], [0, 0, 10, 2]])  # IoU .6, .4, .2
    rules = detseg.region_rules()
    boxes, _, labels, deltas = rules.select_training_samples([proposals], [truth])
    assert labels[0].tolist() == [3, 0, 3]  # the last one is the true box itself
    assert boxes[0][:, 3].tolist() == [6, 2, 10]
    torch.testing.assert_close(deltas[0][0, 1], torch.tensor(2 / 6))  # no weights


def test_another_name_is_refused():
    with pytest.raises(ArgumentError, match="'yolo'; there are rcnn, fast-rcnn"):
        detseg.load_region_network("yolo")


def test_a_missing_checkpoint_says_what_makes_one(tmp_path, monkeypatch):
    monkeypatch.setattr(region_network, "CHECKPOINTS", tmp_path)
    with pytest.raises(DataError, match=r"rcnn\.safetensors is missing"):
        detseg.load_region_network("rcnn")
