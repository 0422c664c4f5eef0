"""Pascal VOC 2007: small files in its very format, read, downloaded, damaged."""

import hashlib
import re
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import VOCDetection

import detseg
from detseg import voc
from detseg.errors import ArgumentError, DataError

HEIGHT, WIDTH = 11, 17

OBJECT = """\
	<object>
		<name>{name}</name>
		<pose>Left</pose>
		<truncated>1</truncated>
		<difficult>{difficult}</difficult>
		<bndbox>
			<xmin>{box[0]}</xmin>
			<ymin>{box[1]}</ymin>
			<xmax>{box[2]}</xmax>
			<ymax>{box[3]}</ymax>
		</bndbox>
{parts}	</object>
"""
PART = """\
		<part>
			<name>head</name>
			<bndbox>
				<xmin>1</xmin>
				<ymin>1</ymin>
				<xmax>2</xmax>
				<ymax>2</ymax>
			</bndbox>
		</part>
"""
FILE = """\
<annotation>
	<folder>VOC2007</folder>
	<filename>{name}.jpg</filename>
	<source>
		<database>The VOC2007 Database</database>
		<annotation>PASCAL VOC2007</annotation>
		<image>flickr</image>
	</source>
	<size>
		<width>17</width>
		<height>11</height>
		<depth>3</depth>
	</size>
	<segmented>{segmented}</segmented>
{objects}</annotation>
"""


def annotation(name, objects, segmented=0):
    """Text of an annotation file; an object is (class, difficult, xmin, ymin, xmax, ymax)."""
    written = [
        OBJECT.format(
            name=kind, difficult=difficult, box=box, parts=PART if kind == "person" else ""
        )
        for kind, difficult, *box in objects
    ]
    return FILE.format(name=name, segmented=segmented, objects="".join(written))


def palette_png(ids, path):
    """PNG whose pixels are indices of a palette with VOC's colours, as in the data set."""
    picture = Image.fromarray(ids.astype(np.uint8))
    colors = np.zeros((256, 3), np.uint8)
    for bit in range(3):  # three bits of the index make one bit of each colour
        for channel in range(3):
            colors[:, channel] |= ((np.arange(256, dtype=np.uint8) >> (3 * bit + channel)) & 1) << (
                7 - bit
            )
    picture.putpalette(colors.tobytes())
    picture.save(path)


def write_data(root, splits):
    """Files of the images that the splits list: 7 (segmented: a dog, a person), 12 (nothing)."""
    folder = root / "VOCdevkit" / "VOC2007"
    for name in ("Annotations", "JPEGImages", "ImageSets/Main", "SegmentationObject"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "SegmentationClass").mkdir(exist_ok=True)
    for split, names in splits.items():
        (folder / "ImageSets" / "Main" / f"{split}.txt").write_text(
            "".join(f"{name}\n" for name in names)
        )
        for name in names:
            ramp = np.linspace(0, 255, WIDTH, dtype=np.uint8)
            pixels = np.broadcast_to(ramp[None, :, None], (HEIGHT, WIDTH, 3))
            Image.fromarray(np.ascontiguousarray(pixels)).save(
                folder / "JPEGImages" / f"{name}.jpg", quality=95
            )
            objects = []
            if name == "000007":
                objects = [("dog", 0, 1, 1, 8, 11), ("person", 1, 10, 3, 17, 6)]
                palette_png(INSTANCES, folder / "SegmentationObject" / f"{name}.png")
                palette_png(SEMANTIC, folder / "SegmentationClass" / f"{name}.png")
            (folder / "Annotations" / f"{name}.xml").write_text(
                annotation(name, objects, segmented=int(name == "000007"))
            )


INSTANCES = np.zeros((HEIGHT, WIDTH), dtype=int)
INSTANCES[0:11, 0:8] = 255  # the rim
INSTANCES[1:10, 1:7] = 1
INSTANCES[2:6, 9:17] = 255
INSTANCES[3:5, 10:16] = 2
SEMANTIC = np.select([INSTANCES == 1, INSTANCES == 2], [12, 15], INSTANCES)


@pytest.fixture
def root(tmp_path):
    write_data(tmp_path, {"train": ["000012", "000007"], "test": ["000012"]})
    return tmp_path


def file(root, name):
    return root / "VOCdevkit" / "VOC2007" / name


# What a target holds


def test_an_item_is_image_and_target(root):
    image, target = detseg.VOC2007(root, split="train")[1]
    assert image.dtype == torch.float32
    assert image.shape == (3, HEIGHT, WIDTH)
    # JPEG is not exact; the ramp goes from left to right.
    ramp = torch.linspace(0, 1, WIDTH).expand(3, HEIGHT, WIDTH)
    torch.testing.assert_close(image, ramp, atol=0.03, rtol=0)
    # 1-based and inclusive: a box from column 1 to 8 covers [0, 8).
    assert target["boxes"].tolist() == [[0, 0, 8, 11], [9, 2, 17, 6]]
    assert target["boxes"].dtype == torch.float32
    assert target["labels"].tolist() == [12, 15]
    assert target["labels"].dtype == torch.int64
    assert target["area"].tolist() == [88, 32]
    assert target["area"].dtype == torch.float32
    assert target["difficult"].tolist() == [False, True]
    assert target["difficult"].dtype == torch.bool
    assert target["iscrowd"].tolist() == [0, 1]
    assert target["iscrowd"].dtype == torch.int64
    assert target["image_id"] == 7
    assert type(target["image_id"]) is int


def test_masks_follow_the_boxes_and_leave_out_void(root):
    _, target = detseg.VOC2007(root, split="train")[1]
    assert target["masks"].dtype == torch.bool
    np.testing.assert_array_equal(target["masks"], np.stack([INSTANCES == 1, INSTANCES == 2]))


def test_semantic_keeps_void(root):
    _, target = detseg.VOC2007(root, split="train")[1]
    assert target["semantic"].dtype == torch.int64
    np.testing.assert_array_equal(target["semantic"], SEMANTIC)


def test_an_image_without_objects_has_empty_tensors_and_no_optional_keys(root):
    _, target = detseg.VOC2007(root, split="test")[0]
    assert target["boxes"].shape == (0, 4)
    assert target["boxes"].dtype == torch.float32
    for key, dtype in {
        "labels": torch.int64,
        "area": torch.float32,
        "iscrowd": torch.int64,
        "difficult": torch.bool,
    }.items():
        assert target[key].shape == (0,)
        assert target[key].dtype == dtype
    assert target["image_id"] == 12
    assert set(target) == {"boxes", "labels", "area", "iscrowd", "difficult", "image_id"}


@pytest.mark.parametrize("absent", [1, 2])
def test_an_object_without_a_mask_has_an_empty_one(root, absent):
    ids = np.where(absent == INSTANCES, 0, INSTANCES)
    palette_png(ids, file(root, "SegmentationObject/000007.png"))
    _, target = detseg.VOC2007(root, split="train")[1]
    np.testing.assert_array_equal(target["masks"], np.stack([ids == 1, ids == 2]))


@pytest.mark.parametrize("speck", [0, 1])
def test_numbers_beyond_the_objects_are_matched_by_extents(root, speck):
    ids = np.where(INSTANCES == 1, 3, INSTANCES)  # the dog is instance 3, the person 2
    ids[10, 16] = speck  # with a speck, in no box, there is one instance too many as well
    palette_png(ids, file(root, "SegmentationObject/000007.png"))
    _, target = detseg.VOC2007(root, split="train")[1]
    np.testing.assert_array_equal(target["masks"], np.stack([ids == 3, ids == 2]))


def test_instances_without_objects_belong_to_nobody(root):
    file(root, "Annotations/000007.xml").write_text(annotation("000007", []))
    _, target = detseg.VOC2007(root, split="train")[1]
    assert target["masks"].shape == (0, HEIGHT, WIDTH)


def test_a_part_of_a_person_is_no_object(root):
    assert "<part>" in file(root, "Annotations/000007.xml").read_text()
    _, target = detseg.VOC2007(root, split="train")[1]
    assert len(target["boxes"]) == 2


def test_labels_are_the_twenty_classes_in_alphabetical_order():
    assert len(voc.CLASSES) == 20
    assert sorted(voc.CLASSES) == list(voc.CLASSES)
    assert detseg.VOC2007.NAMES[1] == "aeroplane"
    assert detseg.VOC2007.NAMES[20] == "tvmonitor"
    assert 0 not in detseg.VOC2007.NAMES


def test_it_is_a_sequence_in_the_order_of_the_list(root):
    data = detseg.VOC2007(str(root), split="train")
    assert len(data) == 2
    assert data.names == ["000012", "000007"]
    assert [target["image_id"] for _, target in data] == [12, 7]
    assert data[-1][1]["image_id"] == 7
    assert data.segmented() == [1]
    for index in (2, -3):
        with pytest.raises(IndexError, match=f"2 images, there is no {index}"):
            data[index]


def test_torchvision_reads_the_same_files_alike(root):
    theirs = VOCDetection(root, year="2007", image_set="train")
    ours = detseg.VOC2007(root, split="train")
    assert len(ours) == len(theirs)
    for (image, target), (picture, read) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal((image * 255).byte().permute(1, 2, 0), np.asarray(picture))
        objects = read["annotation"].get("object", [])
        assert [voc.CLASSES[label - 1] for label in target["labels"]] == [
            item["name"] for item in objects
        ]
        for box, item in zip(target["boxes"].tolist(), objects, strict=True):
            written = [float(item["bndbox"][corner]) for corner in ("xmin", "ymin", "xmax", "ymax")]
            assert box == [written[0] - 1, written[1] - 1, written[2], written[3]]


# What is missing or malformed


def broken(root, old, new, count=1):
    path = file(root, "Annotations/000007.xml")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, count))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("</truncated>", "</cut>", r"000007\.xml, line 18: no well-formed XML \(mismatched tag"),
        ("<name>dog</name>", "", r"000007\.xml, object 1: <name> is missing or empty"),
        ("<name>dog</name>", "<name> </name>", "object 1: <name> is missing or empty"),
        ("<name>dog</name>", "<name>wolf</name>", "object 1, <name>: 'wolf' is none of aeroplane"),
        ("<xmin>10</xmin>", "", "object 2: <bndbox><xmin> is missing or empty"),
        (
            "<ymax>6</ymax>",
            "<ymax>six</ymax>",
            "object 2, <bndbox><ymax>: number expected, got 'six'",
        ),
        ("<xmax>8</xmax>", "<xmax>0</xmax>", "object 1, <bndbox>: xmax 0 is less than xmin 1"),
        ("<ymax>6</ymax>", "<ymax>2</ymax>", "object 2, <bndbox>: ymax 2 is less than ymin 3"),
        ("<xmax>8</xmax>", "<xmax>nan</xmax>", "xmax nan is less than xmin 1"),
        ("<difficult>0</difficult>", "", "object 1: <difficult> is missing or empty"),
        ("<difficult>1</difficult>", "<difficult>?</difficult>", "object 2, <difficult>: number"),
    ],
)
def test_a_malformed_annotation_is_named_with_its_field(root, old, new, message):
    broken(root, old, new)
    with pytest.raises(DataError, match=message) as caught:
        detseg.VOC2007(root, split="train")[1]
    assert str(file(root, "Annotations/000007.xml")) in str(caught.value)


def test_a_box_of_one_pixel_is_fine(root):
    broken(root, "<xmax>8</xmax>", "<xmax>1</xmax>")
    _, target = detseg.VOC2007(root, split="train")[1]
    assert target["boxes"][0].tolist() == [0, 0, 1, 11]


@pytest.mark.parametrize("folder", ["SegmentationObject", "SegmentationClass"])
def test_a_map_of_another_size_is_named(root, folder):
    path = file(root, f"{folder}/000007.png")
    palette_png(np.zeros((WIDTH, HEIGHT)), path)
    with pytest.raises(
        DataError, match=rf"{re.escape(str(path))}: size \(17, 11\) .* image's, \(11, 17\)"
    ):
        detseg.VOC2007(root, split="train")[1]


def test_a_class_that_does_not_exist_is_named(root):
    palette_png(np.where(SEMANTIC == 15, 21, SEMANTIC), file(root, "SegmentationClass/000007.png"))
    with pytest.raises(
        DataError, match=r"SegmentationClass.000007\.png: class 21 is none of 0 … 20"
    ):
        detseg.VOC2007(root, split="train")[1]


def test_a_damaged_photograph_is_named(root):
    file(root, "JPEGImages/000007.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(DataError, match=r"000007\.jpg cannot be read as an image"):
        detseg.VOC2007(root, split="train")[1]


def test_an_annotation_that_vanished_is_named(root):
    data = detseg.VOC2007(root, split="train")
    file(root, "Annotations/000007.xml").unlink()
    with pytest.raises(DataError, match=r"000007\.xml is missing; the data set is incomplete"):
        data[1]


@pytest.mark.parametrize("name", ["Annotations/000007.xml", "JPEGImages/000007.jpg"])
def test_incomplete_data_are_noticed(root, name):
    file(root, name).unlink()
    with pytest.raises(
        DataError, match=f"incomplete VOC 2007 train data: no {re.escape(str(file(root, name)))}"
    ):
        detseg.VOC2007(root, split="train")
    assert len(detseg.VOC2007(root, split="test")) == 1, "the other split is complete"


def test_a_list_with_something_else_is_named(root):
    file(root, "ImageSets/Main/train.txt").write_text("000007\nseven\n")
    with pytest.raises(
        DataError, match=r"train\.txt, line 2: number of an image expected: 'seven'"
    ):
        detseg.VOC2007(root, split="train")


def test_an_unknown_split_is_refused(root):
    with pytest.raises(ArgumentError, match="one of train, val, trainval, test, got 'training'"):
        detseg.VOC2007(root, split="training")


def test_a_missing_root_says_how_to_download(tmp_path):
    with pytest.raises(DataError) as caught:
        detseg.VOC2007(tmp_path, split="test")
    message = str(caught.value)
    assert f"no VOC 2007 test data at {file(tmp_path, '')}" in message
    assert f"VOC2007('{tmp_path}', split='test', download=True)" in message
    assert "VOCtest_06-Nov-2007.tar" in message


# Download


@pytest.fixture
def served(tmp_path, site, monkeypatch):
    """Both archives on a server of this machine; the requests that it gets."""
    archives = {}
    for name, splits in {
        "trainval.tar": {"train": ["000007"], "val": ["000012"], "trainval": ["000007", "000012"]},
        "test.tar": {"test": ["000001", "000002"]},
    }.items():
        source = tmp_path / name.removesuffix(".tar")
        write_data(source, splits)
        with tarfile.open(site.folder / name, "w") as opened:
            opened.add(source / "VOCdevkit", "VOCdevkit")
        md5 = hashlib.md5((site.folder / name).read_bytes()).hexdigest()
        archives |= dict.fromkeys(splits, (f"{site.url}/{name}", md5))
    monkeypatch.setattr(voc, "ARCHIVES", archives)
    return site.requests


def test_download_gets_what_the_split_needs(served, tmp_path):
    root = tmp_path / "data"
    assert detseg.VOC2007(root, split="val", download=True)[0][1]["image_id"] == 12
    assert served == ["/trainval.tar"]
    assert len(detseg.VOC2007(root, split="trainval", download=True)) == 2
    assert served == ["/trainval.tar"]
    assert len(detseg.VOC2007(root, split="test", download=True)) == 2
    assert served == ["/trainval.tar", "/test.tar"]
    assert detseg.VOC2007(root, split="train").segmented() == [0], "the first archive's files stay"


def test_what_is_there_is_not_downloaded_again(served, tmp_path):
    detseg.VOC2007(tmp_path / "data", split="train", download=True)
    (tmp_path / "data" / "trainval.tar").unlink()
    assert len(detseg.VOC2007(tmp_path / "data", split="val", download=True)) == 1
    assert served == ["/trainval.tar"]


def test_what_is_incomplete_is_unpacked_again(served, tmp_path):
    root = tmp_path / "data"
    detseg.VOC2007(root, split="train", download=True)
    file(root, "JPEGImages/000007.jpg").unlink()
    assert detseg.VOC2007(root, split="train", download=True)[0][0].shape == (3, HEIGHT, WIDTH)
    assert served == ["/trainval.tar"], "the archive was still there"


@pytest.mark.usefixtures("served")
def test_an_archive_without_the_data_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(voc.ARCHIVES, "test", voc.ARCHIVES["train"])
    with pytest.raises(DataError, match="no VOC 2007 test data"):
        detseg.VOC2007(tmp_path / "data", split="test", download=True)


def test_addresses_and_checksums_are_torchvisions():
    from torchvision.datasets.voc import DATASET_YEAR_DICT

    for split, entry in {"trainval": "2007", "test": "2007-test"}.items():
        theirs = DATASET_YEAR_DICT[entry]
        assert voc.ARCHIVES[split] == (theirs["url"], theirs["md5"])
        assert theirs["url"].endswith(theirs["filename"])
    assert voc.ARCHIVES["train"] == voc.ARCHIVES["val"] == voc.ARCHIVES["trainval"]
