"""Mask R-CNN on the course's detector: six losses, three kinds of answers, one small file."""

import json
import math

import pytest
import torch
from safetensors.torch import load_file
from torchvision.models.detection.roi_heads import project_masks_on_boxes

from detseg.detector import build_detector, load_detector
from detseg.errors import DataError
from detseg.mask_network import (
    CELLS,
    FINE_STRIDE,
    HEAT_CELLS,
    WEIGHTS,
    add_heads,
    build_mask_network,
    load_mask_network,
)
from detseg.scenes import KEYPOINTS, THINGS, ShapeScenes, collate
from detseg.train_mask_network import HELD_OUT, HELD_OUT_SEED, TRAIN_SEED, evaluate, main, train

LOSSES = {
    "loss_objectness",
    "loss_rpn_box_reg",
    "loss_classifier",
    "loss_box_reg",
    "loss_mask",
    "loss_keypoint",
}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.manual_seed(0)
    torch.set_num_threads(1)


def two_scenes():
    scenes = ShapeScenes(8, 5, size_hw=(96, 160))
    return collate([scene for scene in scenes if 4 in scene[1]["labels"]][:2])


def log_of_checkpoint():
    return json.loads(WEIGHTS.with_suffix(".json").read_text())


def test_six_losses_reach_every_weight():
    model = build_mask_network()
    images, targets = two_scenes()
    keys = ("boxes", "labels", "masks", "keypoints")
    losses = model(images, [{key: target[key] for key in keys} for target in targets])
    assert set(losses) == LOSSES
    sum(losses.values()).backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_untrained_heads_know_nothing():
    model = build_mask_network()
    images, targets = two_scenes()
    keys = ("boxes", "labels", "masks", "keypoints")
    losses = model(images, [{key: target[key] for key in keys} for target in targets])
    assert losses["loss_mask"].item() == pytest.approx(math.log(2), abs=0.3)
    assert losses["loss_keypoint"].item() == pytest.approx(math.log(HEAT_CELLS**2), abs=0.5)


def test_heads_leave_what_the_detector_finds_as_it_was():
    images, _ = two_scenes()
    with torch.no_grad():
        before = load_detector("cpu")(images)
        after = add_heads(load_detector("cpu")).eval()(images)
    for old, new in zip(before, after, strict=True):
        for key in ("boxes", "labels", "scores"):
            assert torch.equal(old[key], new[key])


def test_answers_have_the_image_s_size():
    images, _ = two_scenes()
    with torch.no_grad():
        found = add_heads(load_detector("cpu")).eval()(images)
    for one in found:
        count = len(one["boxes"])
        assert count > 0
        assert one["masks"].shape == (count, 1, 96, 160)
        assert 0 <= one["masks"].min() <= one["masks"].max() <= 1
        assert one["keypoints"].shape == (count, len(KEYPOINTS), 3)


def test_a_scene_without_detections_is_answered():
    with torch.no_grad():
        (found,) = add_heads(build_detector(score_threshold=1.1)).eval()([torch.zeros(3, 96, 160)])
    assert found["masks"].shape == (0, 1, 96, 160)
    assert found["keypoints"].shape == (0, len(KEYPOINTS), 3)


def test_heads_have_the_sizes_that_the_module_names():
    heads = build_mask_network().eval().roi_heads
    cells = torch.zeros(2, 48, CELLS, CELLS)
    masks = heads.mask_predictor(heads.mask_head(cells))
    points = heads.keypoint_predictor(heads.keypoint_head(cells))
    assert masks.shape == (2, len(THINGS) + 1, HEAT_CELLS, HEAT_CELLS)
    assert points.shape == (2, len(KEYPOINTS), HEAT_CELLS, HEAT_CELLS)


def test_regions_are_cut_out_where_they_are():
    # On a map whose cells hold their own place, a region's cells hold theirs.
    cell = torch.arange(32.0)
    places = torch.stack(torch.meshgrid(cell, cell, indexing="xy")) * FINE_STRIDE + FINE_STRIDE / 2
    pool = build_mask_network().roi_heads.mask_roi_pool
    cut = pool({"fine": places[None]}, [torch.tensor([[20.0, 32.0, 76.0, 60.0]])], [(128, 128)])
    assert cut.shape == (1, 2, CELLS, CELLS)
    middles = (torch.arange(CELLS) + 0.5) / CELLS
    torch.testing.assert_close(cut[0, 0, 3], 20 + 56 * middles)
    torch.testing.assert_close(cut[0, 1, :, 3], 32 + 28 * middles)


def test_masks_are_pasted_where_their_targets_were_cut():
    # Cut out by torchvision and pasted by the network, the things of the scenes have not moved.
    model, moved = build_mask_network().eval(), []
    for _, target in ShapeScenes(10, 3, size_hw=(96, 160)):
        masks, boxes, numbers = target["masks"], target["boxes"], torch.arange(len(target["boxes"]))
        cells = project_masks_on_boxes(masks, boxes, numbers, HEAT_CELLS)[:, None]
        found = [{"boxes": boxes, "masks": cells}]
        (pasted,) = model.transform.postprocess(found, [(96, 160)], [(96, 160)])
        for before, after in zip(masks, pasted["masks"][:, 0] >= 0.5, strict=True):
            middles = [mask.nonzero().double().mean(dim=0) for mask in (before, after)]
            moved.append(middles[1] - middles[0])  # in rows, in columns
    assert torch.stack(moved).mean(dim=0).abs().max() < 0.1


def test_a_checkpoint_loads_as_float32_and_is_small():
    assert WEIGHTS.stat().st_size <= 3_000_000
    assert {w.dtype for w in load_file(WEIGHTS).values()} == {torch.float16, torch.int64}
    model = load_mask_network("cpu")
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert not model.training


def test_the_log_tells_how_it_was_made():
    log = log_of_checkpoint()
    assert log["command"].startswith("python -m detseg.train_mask_network --steps ")
    assert log["starts_from"] == "detector.safetensors"
    assert log["scenes"] == {
        "train_seed": TRAIN_SEED,
        "held_out_seed": HELD_OUT_SEED,
        "held_out": HELD_OUT,
    }
    assert log["parameters"] == sum(weight.numel() for weight in load_mask_network().parameters())
    first, last = log["losses"][0], log["losses"][-1]
    assert set(first) == LOSSES | {"step"}
    assert last["loss_mask"] < first["loss_mask"] / 2
    assert last["loss_keypoint"] < first["loss_keypoint"] / 2


@pytest.mark.slow
def test_a_checkpoint_finds_as_much_as_its_log_says():
    metrics, logged = evaluate(load_mask_network("cpu")), log_of_checkpoint()["held_out_metrics"]
    assert set(metrics) == set(logged) == {"boxes", "masks", "keypoints"}
    for kind in metrics:
        assert metrics[kind]["ap50"] == pytest.approx(logged[kind]["ap50"], abs=0.02)


def test_a_missing_checkpoint_says_what_makes_one(tmp_path):
    with pytest.raises(DataError, match=r"absent is missing: 'make checkpoints'"):
        load_mask_network(weights=tmp_path / "absent")


def test_training_can_be_repeated_bit_for_bit():
    first, log = train(steps=2, seed=1)
    second, _ = train(steps=2, seed=1)
    assert log["losses"][0]["step"] == 0
    for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_the_command_writes_weights_that_load_and_a_log(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("detseg.train_mask_network.HELD_OUT", 3)
    main(["--steps", "2", "--out", str(tmp_path)])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "mask-rcnn.json",
        "mask-rcnn.safetensors",
    ]
    log = json.loads((tmp_path / "mask-rcnn.json").read_text())
    assert log["command"].endswith("--steps 2 --seed 0")
    assert "keypoints" in capsys.readouterr().out
