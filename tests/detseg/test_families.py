"""The six detectors that a chapter compares: built alike, trained anew, loaded from small files."""

import json

import pytest
import torch
from safetensors.torch import load_file

from detseg.backbone import backbone
from detseg.detector import build_detector
from detseg.errors import ArgumentError, DataError
from detseg.families import NAMES, WIDTHS, build_family, load_family, single_stage, weights_file
from detseg.scenes import ShapeScenes
from detseg.train_families import HELD_OUT, HELD_OUT_SEED, TRAIN_SEED, evaluate, main, train


def log_of(name):
    return json.loads(weights_file(name).with_suffix(".json").read_text())


def test_there_are_two_families_of_three_sizes():
    assert len(NAMES) == 6
    assert len(set(NAMES)) == 6
    course = backbone()
    assert WIDTHS["small"][-1] < course.out_channels == WIDTHS["middle"][-1] < WIDTHS["large"][-1]


def test_the_middle_two_stage_detector_is_the_courses_own():
    built, course = build_family("two-stage-middle"), build_detector()
    shapes = {name: weight.shape for name, weight in course.state_dict().items()}
    assert {name: weight.shape for name, weight in built.state_dict().items()} == shapes


@pytest.mark.parametrize("size", WIDTHS)
def test_both_families_share_backbone_anchors_and_thresholds(size):
    two, one = build_family(f"two-stage-{size}"), build_family(f"single-stage-{size}")
    shapes = [weight.shape for weight in two.backbone.parameters()]
    assert [weight.shape for weight in one.backbone.parameters()] == shapes
    assert one.anchor_generator.sizes == two.rpn.anchor_generator.sizes
    assert one.anchor_generator.aspect_ratios == two.rpn.anchor_generator.aspect_ratios
    assert one.score_thresh == two.roi_heads.score_thresh
    assert one.nms_thresh == two.roi_heads.nms_thresh
    assert one.detections_per_img == two.roi_heads.detections_per_img


def test_a_single_stage_head_says_c_plus_1_scores_and_4_numbers_for_every_anchor():
    model = single_stage(backbone((4, 8, 12)), num_classes=7)
    outputs = model.head([torch.zeros(2, 12, 5, 3)])
    assert outputs["cls_logits"].shape == (2, 5 * 3 * 12, 8)
    assert outputs["bbox_regression"].shape == (2, 5 * 3 * 12, 4)


@pytest.mark.parametrize("name", NAMES)
def test_each_trains_and_detects(name):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = build_family(name)
    image, target = ShapeScenes(1, 4)[0]
    wide, other = ShapeScenes(1, 5, size_hw=(96, 160))[0]
    losses = model([image], [{key: target[key] for key in ("boxes", "labels")}])
    sum(losses.values()).backward()
    assert all(weight.grad is not None for weight in model.parameters())
    with torch.no_grad():
        found = model.eval()([image, wide])
    assert [set(one) for one in found] == [{"boxes", "labels", "scores"}] * 2
    assert len(other["boxes"]) > 0


def test_another_name_is_refused():
    with pytest.raises(ArgumentError, match="no detector 'tiny'; there are two-stage-small, "):
        build_family("tiny")
    with pytest.raises(ArgumentError, match="no detector 'two-stage'"):
        load_family("two-stage")


@pytest.mark.parametrize("name", NAMES)
def test_a_checkpoint_loads_as_float32_and_is_small(name):
    assert weights_file(name).stat().st_size <= 3_000_000
    stored = load_file(weights_file(name))
    assert {w.dtype for w in stored.values()} == {torch.float16, torch.int64}
    model = load_family(name, "cpu")
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert not model.training


@pytest.mark.parametrize("name", NAMES)
def test_the_log_tells_how_it_was_made(name):
    log = log_of(name)
    assert log["command"].startswith(f"python -m detseg.train_families {name} --steps ")
    assert log["scenes"] == {
        "train_seed": TRAIN_SEED,
        "held_out_seed": HELD_OUT_SEED,
        "held_out": HELD_OUT,
    }
    assert log["parameters"] == sum(weight.numel() for weight in build_family(name).parameters())
    assert sum(log["losses"][-1].values()) - log["losses"][-1]["step"] < (
        sum(log["losses"][0].values()) / 2
    )


def test_all_had_the_same_budget():
    logs = [log_of(name) for name in NAMES]
    for key in ("scenes", "steps", "batch", "peak_learning_rate"):
        assert all(log[key] == logs[0][key] for log in logs)


def test_a_checkpoint_detects_as_well_as_its_log_says():
    torch.set_num_threads(1)
    metrics = evaluate(load_family("single-stage-small", "cpu"))
    assert metrics["ap50"] == pytest.approx(
        log_of("single-stage-small")["held_out_metrics"]["ap50"], abs=0.02
    )


def test_a_missing_checkpoint_says_what_makes_one(tmp_path, monkeypatch):
    monkeypatch.setattr("detseg.families.weights_file", lambda name: tmp_path / f"{name}.absent")
    with pytest.raises(DataError, match=r"absent is missing: 'make checkpoints'"):
        load_family("two-stage-small")


def test_training_can_be_repeated_bit_for_bit():
    first, log = train("single-stage-small", steps=2, seed=1)
    second, _ = train("single-stage-small", steps=2, seed=1)
    assert log["losses"][0]["step"] == 0
    for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_the_command_writes_weights_that_load_and_a_log(tmp_path, capsys):
    main(["two-stage-small", "--steps", "2", "--out", str(tmp_path)])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "family-two-stage-small.json",
        "family-two-stage-small.safetensors",
    ]
    log = json.loads((tmp_path / "family-two-stage-small.json").read_text())
    assert log["command"].endswith("two-stage-small --steps 2 --seed 0")
    assert "ap50" in capsys.readouterr().out


def test_the_command_refuses_another_name(capsys):
    with pytest.raises(SystemExit):
        main(["tiny"])
    assert "there is no tiny" in capsys.readouterr().err
