"""What the notebooks import: scenes, photographs, data sets, drawing, device, a trained detector.

>>> import detseg
>>> image, target = detseg.ShapeScenes(n=1, seed=0)[0]
>>> image.shape
torch.Size([3, 128, 128])
"""

from detseg import draw, errors
from detseg.detector import load_detector
from detseg.device import device
from detseg.face_network import face_classifier, load_face_classifier
from detseg.pennfudan import PennFudan
from detseg.photos import faces, photo
from detseg.proposals import selective_search
from detseg.region_network import RegionNetwork, load_region_network, region_rules
from detseg.scenes import (
    KEYPOINTS,
    SKELETON,
    STUFF,
    THINGS,
    ShapeScenes,
    collate,
    flip_horizontal,
)
from detseg.voc import VOC2007

__all__ = [
    "KEYPOINTS",
    "SKELETON",
    "STUFF",
    "THINGS",
    "VOC2007",
    "PennFudan",
    "RegionNetwork",
    "ShapeScenes",
    "collate",
    "device",
    "draw",
    "errors",
    "face_classifier",
    "faces",
    "flip_horizontal",
    "load_detector",
    "load_face_classifier",
    "load_region_network",
    "photo",
    "region_rules",
    "selective_search",
]
