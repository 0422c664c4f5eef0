"""The trained detector: it detects, its file is checked, and it can be trained anew."""

import json

import pytest
import torch
from safetensors.torch import save_file
from torchvision.transforms.v2.functional import resize

import detseg
from detseg.detector import CHECKPOINTS, WEIGHTS, build_detector
from detseg.errors import DataError
from detseg.train_detector import HELD_OUT, HELD_OUT_SEED, TRAIN_SEED, evaluate, main, train


@pytest.fixture(scope="module")
def detector():
    torch.set_num_threads(1)
    return detseg.load_detector("cpu")


def test_it_detects_on_scenes_that_it_has_not_seen(detector):
    assert evaluate(detector, count=60)["ap50"] >= 0.85


def test_the_log_tells_how_it_was_made():
    log = json.loads((CHECKPOINTS / "detector.json").read_text())
    assert log["held_out_metrics"]["ap50"] >= 0.90
    assert log["scenes"] == {
        "train_seed": TRAIN_SEED,
        "held_out_seed": HELD_OUT_SEED,
        "held_out": HELD_OUT,
    }
    assert log["losses"][-1]["loss_classifier"] < log["losses"][0]["loss_classifier"] / 2


def test_the_file_is_small():
    assert WEIGHTS.stat().st_size <= 3_000_000


def test_detections_are_in_torchvisions_format(detector):
    images = [detseg.ShapeScenes(1, 4)[0][0], detseg.ShapeScenes(1, 5, size_hw=(96, 160))[0][0]]
    with torch.no_grad():
        small, wide = detector(images)
    for found in (small, wide):
        assert set(found) == {"boxes", "labels", "scores"}
        assert found["boxes"].shape == (len(found["labels"]), 4)
        assert (found["scores"].diff() <= 0).all()
    assert (wide["boxes"][:, 2] <= 160).all()


def test_it_finds_the_coins_as_disks(detector):
    """A photograph, though it was trained on drawings; coins are 25 pixels wide at this size."""
    coins = resize(detseg.photo("coins"), [160, 203], antialias=True)
    with torch.no_grad():
        found = detector([coins])[0]
    sure = found["scores"] >= 0.5
    disks = found["boxes"][sure & (found["labels"] == 1)]
    # Rows and columns of the photograph's 4 × 6 coins, by their centres.
    centres = (disks[:, :2] + disks[:, 2:]) / 2
    sides = disks[:, 2:] - disks[:, :2]
    assert 20 <= len(disks) <= 26
    assert ((sides > 15) & (sides < 36)).all()
    assert float(torch.cdist(centres, centres).fill_diagonal_(99).min()) > 15, "found once each"


def test_one_threshold_gives_the_raw_output(detector):
    image = detseg.ShapeScenes(1, 4)[0][0]
    raw = detseg.load_detector("cpu", nms_threshold=1.0, max_detections=1000)
    strict = detseg.load_detector("cpu", score_threshold=0.9)
    with torch.no_grad():
        assert len(raw([image])[0]["boxes"]) > 2 * len(detector([image])[0]["boxes"])
        assert (strict([image])[0]["scores"] >= 0.9).all()


def test_a_missing_checkpoint_says_what_makes_one(tmp_path):
    with pytest.raises(DataError, match=r"absent\.safetensors is missing: 'make checkpoints'"):
        detseg.load_detector(weights=tmp_path / "absent.safetensors")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint at all", WEIGHTS.read_bytes()[:1000]])
def test_a_broken_checkpoint_is_named(tmp_path, content):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.safetensors is not a checkpoint"):
        detseg.load_detector(weights=path)


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(DataError, match=r"other\.safetensors is not a checkpoint"):
        detseg.load_detector(weights=path)


def test_training_can_be_repeated_bit_for_bit():
    first, log = train(steps=2, seed=1)
    second, _ = train(steps=2, seed=1)
    assert log["losses"][0]["step"] == 0
    for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True):
        assert torch.equal(a, b)


def test_training_writes_weights_that_load_and_a_log(tmp_path, capsys):
    main(["--steps", "2", "--out", str(tmp_path)])
    detseg.load_detector("cpu", weights=tmp_path / "detector.safetensors")
    log = json.loads((tmp_path / "detector.json").read_text())
    assert log["command"].endswith("--steps 2 --seed 0")
    assert log["parameters"] == sum(weight.numel() for weight in build_detector().parameters())
    assert "ap50" in capsys.readouterr().out
