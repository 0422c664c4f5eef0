"""The capstone: its reference's weights, other devices, and files that are no weights."""

import pytest
import torch
from fake_device import FakeDevice
from safetensors.torch import load, load_file, save

import detseg
from autograder import answers
from autograder.grading import grade_rebuilt
from autograder.sheets import load_sheet
from detseg.checkpoints import CHECKPOINTS


@pytest.fixture(scope="module")
def names(reference):
    return reference("detector")


@pytest.fixture(scope="module")
def sheet():
    return load_sheet("detector")


@pytest.fixture(scope="module")
def content(sheet):
    """What the reference hands in."""
    return answers.reference_files(sheet)["detector.safetensors"]


# The weights.


def test_the_references_weights_find_nearly_everything(names, sheet, content):
    model = names["build_model"]()
    assert len(content) <= sheet.files["detector.safetensors"] == names["MAX_BYTES"]
    model.load_state_dict(load(content))
    # Neither the scenes of its training nor those of its log.
    scenes = detseg.ShapeScenes(150, seed=987_654)
    boxes, masks, _ = names["average_precisions"](names["predict"], model, scenes)
    assert boxes >= 0.85
    assert masks >= 0.75


# Another device.


def test_the_fake_device_refuses_tensors_of_two_devices():
    with FakeDevice() as device:
        here, there = torch.ones(3), torch.ones(3, device="cuda")
        assert not device.holds(here)
        assert all(device.holds(tensor) for tensor in (there, there[1:], there * 2))
        assert (there.device.type, there.cpu().device.type) == ("cuda", "cpu")
        with pytest.raises(RuntimeError, match="tensors on two devices"):
            here + there
        layer = torch.nn.Linear(3, 1).to("cuda")
        layer(there).backward()
        assert device.holds(layer.weight.grad)
        with torch.device("cuda"):
            assert device.holds(torch.arange(2))


def train_for_a_moment(names):
    torch.manual_seed(0)
    scenes = detseg.ShapeScenes(2, seed=12, size_hw=(64, 64), things=(1, 1))
    return names["train"](names["build_model"](), scenes, 0.01, "cuda")


def test_training_and_prediction_leave_nothing_on_the_cpu(names):
    with FakeDevice() as device:
        model = train_for_a_moment(names)
        assert all(device.holds(weight) for weight in model.parameters())
        (found,) = names["predict"](model, [torch.rand(3, 64, 96)])
        assert all(device.holds(tensor) for tensor in found.values())


def test_a_tensor_that_is_made_on_the_cpu_is_noticed(names, monkeypatch):
    anchors = names["make_anchors"]
    monkeypatch.setitem(names, "make_anchors", lambda *args: anchors(*args).cpu())
    with FakeDevice(), pytest.raises(RuntimeError, match="tensors on two devices"):
        train_for_a_moment(names)


# What is handed in, graded as a submission is.


def verdict_on(sheet, files):
    """The verdict on the reference with these files; `train` is left out, which needs none."""
    answer = answers.typed_in(sheet, answers.reference(sheet))
    only = frozenset({"build_model", "predict"})
    return grade_rebuilt(sheet, answer, files=files, only=only).verdict


def messages(verdict):
    return {c["id"]: c["message"] for c in verdict["checks"] if c["verdict"] in ("fail", "error")}


WEIGHED = ["test_build_model__weights", "test_predict__boxes", "test_predict__masks"]


@pytest.mark.parametrize(
    ("content", "message", "flags"),
    [
        (None, "is not there: hand it in beside the notebook", ["file-missing"]),
        (b"", "is no safetensors file, or is damaged", []),
        (b"PK\3\4" + bytes(5000), "is no safetensors file, or is damaged", []),
        (save({"w": torch.ones(9)})[:-4], "is no safetensors file, or is damaged", []),
        (bytes(10_000_001), "is too large: more than 10,000,000 bytes", ["file-too-large"]),
        (save({"w": torch.ones(9)}), "lacks weights that build_model() has: high.0.0.weight", []),
    ],
    ids=["missing", "empty", "pickle", "cut off", "too large", "of another network"],
)
def test_a_file_that_is_no_weights_is_told_in_words(sheet, content, message, flags):
    verdict = verdict_on(sheet, {} if content is None else {"detector.safetensors": content})
    said = messages(verdict)
    assert list(said) == WEIGHED
    assert message in said["test_build_model__weights"]
    assert [flag["kind"] for flag in verdict["flags"]] == flags
    assert verdict["score"] == 1.5  # what needs no weights


def test_weights_that_come_with_the_course_earn_nothing(sheet, names):
    weights = names["build_model"]().state_dict()
    known = load_file(CHECKPOINTS / "fast-rcnn.safetensors")
    shapes = {tensor.shape: tensor for tensor in known.values() if tensor.numel() > 1000}
    copied = {name: shapes.get(t.shape, t).clone() for name, t in weights.items()}
    said = messages(verdict_on(sheet, {"detector.safetensors": save(copied)}))
    assert "come with the course" in said["test_predict__boxes"]
    assert "come with the course" in said["test_predict__masks"]


def test_weights_with_numbers_that_are_none_get_a_verdict(sheet, names):
    fresh = names["build_model"]().state_dict()
    weights = {name: tensor * torch.nan for name, tensor in fresh.items()}
    verdict = verdict_on(sheet, {"detector.safetensors": save(weights)})
    assert {c["id"] for c in verdict["checks"] if c["points"] == 0} >= set(WEIGHED)


def test_poor_weights_earn_a_part(sheet, content):
    """Those of the reference, with noise."""
    torch.manual_seed(0)
    weights = load(content)
    for name, tensor in sorted(weights.items()):
        if name.startswith(("regions", "masks")) and tensor.is_floating_point():
            tensor += 1.2 * tensor.std() * torch.randn_like(tensor)
    verdict = verdict_on(sheet, {"detector.safetensors": save(weights)})
    parts = {c["id"]: c for c in verdict["checks"]}
    boxes, masks = parts["test_predict__boxes"], parts["test_predict__masks"]
    assert 0 < boxes["points"] < 13
    assert 0 < masks["points"] < 4
    assert boxes["message"] == f"{boxes['points']:g} of 13 points"
