"""The generated scenes: fixed bits, and targets that agree with one another."""

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import masks_to_boxes

import detseg
import detseg.scenes as scenes_module
from detseg.errors import ArgumentError, DetsegError
from detseg.scenes import LEAST_PIXELS

SCENES = detseg.ShapeScenes(40, seed=5)


def digest(items):
    """One hash over every tensor of every item, names and types included."""
    sha = hashlib.sha256()
    for image, target in items:
        for name, value in sorted((target | {"image": image}).items()):
            array = np.asarray(value)
            sha.update(f"{name} {array.dtype} {array.shape}".encode())
            sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


@pytest.mark.parametrize(
    ("size_hw", "expected"),
    [
        ((128, 128), "abc72aa59795429abe11f82e4fea3cf001790c2b0f21d349cbebd9f711b702bc"),
        ((96, 160), "f29005d548422d9b7bd4bb938312cc63b3b2045eb31d9ee40a6efa5935d8c200"),
    ],
)
def test_bits_are_the_same_on_every_machine(size_hw, expected):
    scenes = detseg.ShapeScenes(20, seed=1, size_hw=size_hw, things=(1, 8))
    assert digest(scenes) == expected


def test_a_scene_depends_on_seed_and_index_alone():
    few, many = detseg.ShapeScenes(3, seed=7), detseg.ShapeScenes(50, seed=7)
    many[49]
    assert digest([few[2]]) == digest([many[2]])
    assert digest([few[-1]]) == digest([many[2]])
    assert digest([few[2]]) != digest([few[1]])
    assert digest([few[2]]) != digest([detseg.ShapeScenes(3, seed=8)[2]])


@pytest.mark.parametrize("size_hw", [(128, 128), (32, 32), (64, 200), (181, 77)])
def test_targets_agree_with_one_another(size_hw):
    for index, (image, target) in enumerate(detseg.ShapeScenes(8, seed=3, size_hw=size_hw)):
        count = len(target["labels"])
        assert image.shape == (3, *size_hw)
        assert image.dtype == torch.float32
        assert 0 <= float(image.min()) <= float(image.max()) <= 1
        assert 1 <= count <= 6
        assert target["image_id"] == index
        masks = target["masks"]
        assert masks.shape == (count, *size_hw)
        assert masks.dtype == torch.bool
        assert int(masks.sum(dim=0).max()) <= 1, "visible parts do not overlap"
        assert torch.equal(target["area"], masks.sum(dim=(1, 2)).float())
        assert int(target["area"].min()) >= LEAST_PIXELS
        half_open = masks_to_boxes(masks) + torch.tensor([0.0, 0.0, 1.0, 1.0])
        assert torch.equal(target["boxes"], half_open)
        for number, (mask, label) in enumerate(zip(masks, target["labels"], strict=True), start=1):
            assert int(label) in detseg.THINGS
            assert (target["semantic"][mask] == label).all()
            assert (target["panoptic"][mask] == number).all()
        stuff = target["semantic"][target["panoptic"] == 0]
        assert set(stuff.unique().tolist()) <= set(detseg.STUFF)
        assert not target["iscrowd"].any()


def test_keypoints_belong_to_persons_and_say_what_is_seen():
    seen = set()
    for _, target in SCENES:
        for label, mask, rows in zip(
            target["labels"], target["masks"], target["keypoints"], strict=True
        ):
            if detseg.THINGS[int(label)] != "person":
                assert not rows.any()
                continue
            for x, y, visibility in rows.tolist():
                seen.add(int(visibility))
                if visibility == 0:
                    assert (x, y) == (0, 0)
                else:
                    assert bool(mask[int(y), int(x)]) == (visibility == 2)
    assert seen == {0, 1, 2}


def test_every_class_and_every_stuff_occurs():
    labels = {int(label) for _, target in SCENES for label in target["labels"]}
    stuff = {int(value) for _, target in SCENES for value in target["semantic"].unique()}
    assert labels == set(detseg.THINGS)
    assert set(detseg.STUFF) <= stuff


def test_colour_does_not_tell_the_class():
    """Mean colours of the classes lie close together, compared with how they scatter."""
    colours = {label: [] for label in detseg.THINGS}
    for image, target in detseg.ShapeScenes(120, seed=11):
        for label, mask in zip(target["labels"].tolist(), target["masks"], strict=True):
            colours[label].append(image[:, mask].mean(dim=1))
    means = torch.stack([torch.stack(values).mean(dim=0) for values in colours.values()])
    scatter = torch.cat([torch.stack(values) for values in colours.values()]).std(dim=0)
    assert (means.std(dim=0) < scatter / 2).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(32, 90), st.integers(32, 90))
def test_any_seed_and_size_gives_a_scene_with_a_thing(seed, height, width):
    image, target = detseg.ShapeScenes(1, seed, size_hw=(height, width))[0]
    assert image.shape == (3, height, width)
    assert len(target["boxes"]) >= 1
    assert (target["boxes"][:, 2:] <= torch.tensor([width, height])).all()


def test_mirroring_swaps_left_and_right():
    image, target = next((i, t) for i, t in SCENES if 4 in t["labels"])
    person = target["labels"].tolist().index(4)
    mirrored_image, mirrored = detseg.flip_horizontal(image, target)
    left, right = detseg.KEYPOINTS.index("left hand"), detseg.KEYPOINTS.index("right hand")
    before, after = target["keypoints"][person, left], mirrored["keypoints"][person, right]
    if before[2] > 0:
        assert after.tolist() == [128 - float(before[0]), float(before[1]), float(before[2])]
    assert torch.equal(mirrored_image[:, :, 0], image[:, :, -1])
    for name in ("masks", "semantic", "panoptic"):
        assert torch.equal(mirrored[name][..., 0], target[name][..., -1])
    half_open = masks_to_boxes(mirrored["masks"]) + torch.tensor([0.0, 0.0, 1.0, 1.0])
    assert torch.equal(mirrored["boxes"], half_open)
    assert digest([detseg.flip_horizontal(mirrored_image, mirrored)]) == digest([(image, target)])


def test_mirroring_leaves_absent_keypoints_at_zero():
    absent = 0
    for image, target in SCENES:
        rows = detseg.flip_horizontal(image, target)[1]["keypoints"].flatten(end_dim=1)
        missing = rows[rows[:, 2] == 0]
        assert not missing.any()
        absent += len(missing)
    assert absent > 0


def test_mirroring_a_photograph_needs_boxes_alone():
    image = torch.arange(3 * 2 * 11.0).reshape(3, 2, 11)
    target = {"boxes": torch.tensor([[1.0, 0.0, 4.0, 2.0]]), "labels": torch.tensor([7])}
    _, mirrored = detseg.flip_horizontal(image, target)
    assert mirrored["boxes"].tolist() == [[7, 0, 10, 2]]
    assert set(mirrored) == {"boxes", "labels"}
    assert target["boxes"].tolist() == [[1, 0, 4, 2]], "the given target is not written to"


def test_the_middle_always_holds_the_first_thing(monkeypatch):
    """It is the last place tried; here the only one."""
    monkeypatch.setattr(scenes_module, "_PLACES", 1)
    for size_hw in ((32, 32), (128, 128)):
        for _, target in detseg.ShapeScenes(60, seed=2, size_hw=size_hw):
            assert len(target["labels"]) >= 1


def test_as_many_things_as_asked_for():
    counts = {len(target["labels"]) for _, target in detseg.ShapeScenes(60, 1, things=(2, 2))}
    assert counts == {2}


def test_scenes_can_be_counted_and_read_one_after_the_other():
    scenes = detseg.ShapeScenes(3, seed=1)
    assert len(scenes) == 3
    assert [target["image_id"] for _, target in scenes] == [0, 1, 2]
    assert list(detseg.ShapeScenes(0, seed=1)) == []


def test_collate_keeps_images_and_targets_apart():
    images, targets = detseg.collate([SCENES[0], SCENES[1]])
    assert torch.equal(images[1], SCENES[1][0])
    for target, (_, expected) in zip(targets, (SCENES[0], SCENES[1]), strict=True):
        assert torch.equal(target["boxes"], expected["boxes"])
    assert detseg.collate([]) == ([], [])


@pytest.mark.parametrize("index", [40, -41])
def test_an_index_outside_is_an_index_error(index):
    with pytest.raises(IndexError, match="40 scenes"):
        SCENES[index]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": -1}, "n"),
        ({"n": 1.5}, "n"),
        ({"n": True}, "n"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"size_hw": (31, 128)}, "size_hw"),
        ({"size_hw": 128}, "size_hw"),
        ({"things": (0, 3)}, "things"),
        ({"things": (4, 3)}, "least, greatest"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ArgumentError, match=message) as caught:
        detseg.ShapeScenes(**({"n": 1, "seed": 0} | arguments))
    assert isinstance(caught.value, DetsegError)
