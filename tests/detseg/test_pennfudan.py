"""Penn-Fudan: small files in its very format, read, downloaded, damaged."""

import hashlib
import re
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator

import detseg
from detseg import pennfudan
from detseg.errors import DataError

HEIGHT, WIDTH = 11, 17


def write_data(root):
    """Two images, 17 × 11, of two people and of none. Returns pixels and ids of the first."""
    folder = root / "PennFudanPed"
    for name in ("PNGImages", "PedMasks", "Annotation"):
        (folder / name).mkdir(parents=True)
    pixels = np.arange(HEIGHT * WIDTH * 3, dtype=np.uint32).reshape(HEIGHT, WIDTH, 3) * 7 % 256
    pixels = pixels.astype(np.uint8)
    ids = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    ids[2:9, 3:6] = 1
    ids[4:11, 12:17] = 2
    ids[4, 12] = 0  # not a full rectangle
    Image.fromarray(pixels).save(folder / "PNGImages" / "FudanPed00001.png")
    palette = Image.fromarray(ids)
    palette.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0])  # real masks hold indices of a palette
    palette.save(folder / "PedMasks" / "FudanPed00001_mask.png")
    (folder / "Annotation" / "FudanPed00001.txt").write_text("# Compatible with PASCAL\n")
    Image.fromarray(255 - pixels).save(folder / "PNGImages" / "PennPed00002.png")
    Image.fromarray(ids * 0).save(folder / "PedMasks" / "PennPed00002_mask.png")
    (folder / "readme.txt").write_text("Penn-Fudan\n")
    return pixels, ids


@pytest.fixture
def root(tmp_path):
    write_data(tmp_path)
    return tmp_path


def test_an_item_is_image_and_target(tmp_path):
    pixels, ids = write_data(tmp_path)
    image, target = detseg.PennFudan(tmp_path)[0]
    assert image.dtype == torch.float32
    assert image.shape == (3, HEIGHT, WIDTH)
    np.testing.assert_array_equal((image * 255).round().byte().permute(1, 2, 0), pixels)
    assert target["boxes"].tolist() == [[3, 2, 6, 9], [12, 4, 17, 11]]
    assert target["boxes"].dtype == torch.float32
    assert target["labels"].tolist() == [1, 1]
    assert target["labels"].dtype == torch.int64
    assert target["masks"].dtype == torch.bool
    np.testing.assert_array_equal(target["masks"], np.stack([ids == 1, ids == 2]))
    assert target["area"].tolist() == [21, 34]
    assert target["area"].dtype == torch.float32
    assert target["iscrowd"].tolist() == [0, 0]
    assert target["iscrowd"].dtype == torch.int64
    assert target["image_id"] == 0
    assert type(target["image_id"]) is int


def test_an_image_without_people_has_empty_tensors(root):
    _, target = detseg.PennFudan(root)[1]
    assert target["boxes"].shape == (0, 4)
    assert target["boxes"].dtype == torch.float32
    assert target["labels"].shape == target["area"].shape == target["iscrowd"].shape == (0,)
    assert target["labels"].dtype == torch.int64
    assert target["masks"].shape == (0, HEIGHT, WIDTH)
    assert target["image_id"] == 1


def test_ids_need_not_be_consecutive(root):
    path = root / "PennFudanPed" / "PedMasks" / "FudanPed00001_mask.png"
    ids = np.asarray(Image.open(path))
    Image.fromarray(np.where(ids == 2, 9, ids).astype(np.uint8)).save(path)
    _, target = detseg.PennFudan(root)[0]
    assert target["boxes"].tolist() == [[3, 2, 6, 9], [12, 4, 17, 11]]


def test_it_is_a_sequence(root):
    data = detseg.PennFudan(str(root))
    assert len(data) == 2
    assert data.names == ["FudanPed00001", "PennPed00002"]
    assert data[-1][1]["image_id"] == 1
    assert [target["image_id"] for _, target in data] == [0, 1]
    for index in (2, -3):
        with pytest.raises(IndexError, match=f"2 images, there is no image {index}"):
            data[index]


def test_a_torchvision_detector_trains_on_it(root):
    torch.manual_seed(0)
    data = detseg.PennFudan(root)
    images, targets = detseg.collate([data[0], data[1]])
    backbone = torch.nn.Conv2d(3, 4, 3, padding=1)
    backbone.out_channels = 4
    anchors = AnchorGenerator(((8,),), ((1.0,),))
    model = FasterRCNN(backbone, 2, min_size=32, max_size=64, rpn_anchor_generator=anchors)
    losses = model(images, targets)
    assert all(torch.isfinite(loss) for loss in losses.values())


# What is missing or damaged


def test_a_missing_root_says_how_to_download(tmp_path):
    with pytest.raises(DataError) as caught:
        detseg.PennFudan(tmp_path / "data")
    message = str(caught.value)
    assert f"no Penn-Fudan data at {tmp_path / 'data' / 'PennFudanPed'}" in message
    assert f"PennFudan('{tmp_path / 'data'}', download=True)" in message
    assert pennfudan.URL in message


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("PedMasks/FudanPed00001_mask.png", "no mask of FudanPed00001"),
        ("PNGImages/PennPed00002.png", "no image of PennPed00002"),
    ],
)
def test_incomplete_data_are_noticed(root, file, message):
    (root / "PennFudanPed" / file).unlink()
    with pytest.raises(DataError, match=message):
        detseg.PennFudan(root)


def test_a_mask_of_another_size_is_named(root):
    path = root / "PennFudanPed" / "PedMasks" / "FudanPed00001_mask.png"
    Image.fromarray(np.zeros((WIDTH, HEIGHT), np.uint8)).save(path)
    with pytest.raises(
        DataError, match=rf"{re.escape(str(path))}: size \(17, 11\) .* image's, \(11, 17\)"
    ):
        detseg.PennFudan(root)[0]


def test_a_mask_in_colours_is_named(root):
    path = root / "PennFudanPed" / "PedMasks" / "FudanPed00001_mask.png"
    Image.fromarray(np.zeros((HEIGHT, WIDTH, 3), np.uint8)).save(path)
    with pytest.raises(
        DataError, match=r"FudanPed00001_mask\.png: ids need one number .* mode is RGB"
    ):
        detseg.PennFudan(root)[0]


@pytest.mark.parametrize("keep", [0, 20, 60])
@pytest.mark.parametrize("file", ["PNGImages/FudanPed00001.png", "PedMasks/FudanPed00001_mask.png"])
def test_a_damaged_picture_is_named(root, file, keep):
    path = root / "PennFudanPed" / file
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=f"{re.escape(str(path))} cannot be read as an image"):
        detseg.PennFudan(root)[0]


def test_a_picture_that_vanished_is_named(root):
    data = detseg.PennFudan(root)
    (root / "PennFudanPed" / "PNGImages" / "FudanPed00001.png").unlink()
    with pytest.raises(DataError, match=r"FudanPed00001\.png is missing; .* incomplete"):
        data[0]


# Download


@pytest.fixture
def served(tmp_path, site, monkeypatch):
    """The data set as a zip file on a server of this machine; the requests that it gets."""
    write_data(tmp_path / "source")
    archive = site.folder / "PennFudanPed.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for path in sorted((tmp_path / "source").rglob("*")):
            opened.write(path, path.relative_to(tmp_path / "source"))
    monkeypatch.setattr(pennfudan, "URL", f"{site.url}/{archive.name}")
    monkeypatch.setattr(pennfudan, "MD5", hashlib.md5(archive.read_bytes()).hexdigest())
    return site.requests


def test_download_gets_verifies_and_unpacks(served, tmp_path):
    data = detseg.PennFudan(tmp_path / "data", download=True)
    assert len(data) == 2
    assert data[0][1]["boxes"].tolist() == [[3, 2, 6, 9], [12, 4, 17, 11]]
    assert served == ["/PennFudanPed.zip"]


def test_what_is_there_is_not_downloaded_again(served, tmp_path):
    detseg.PennFudan(tmp_path / "source", download=True)
    assert served == []


def test_what_is_incomplete_is_unpacked_again(served, tmp_path):
    root = tmp_path / "data"
    detseg.PennFudan(root, download=True)
    (root / "PennFudanPed" / "PedMasks" / "FudanPed00001_mask.png").unlink()
    assert len(detseg.PennFudan(root, download=True)) == 2
    assert served == ["/PennFudanPed.zip"], "the archive was still there"


@pytest.mark.usefixtures("served")
def test_a_published_archive_that_changed_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(pennfudan, "MD5", "0" * 32)
    with pytest.raises(DataError, match=r"md5 0{32} expected"):
        detseg.PennFudan(tmp_path / "data", download=True)


def test_the_published_address_and_checksum_stay():
    assert pennfudan.URL == "https://www.cis.upenn.edu/~jshi/ped_html/PennFudanPed.zip"
    assert pennfudan.MD5 == "5aaa3dee905cef73325923716e38fc6d"
