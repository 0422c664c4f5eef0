"""Right answers to the sheet `map`, written in other ways than the reference.

A hidden test that rejects one of these punishes understanding.
"""

import bisect
import itertools
from fractions import Fraction

import numpy as np
import torch
from torchvision.ops import box_iou


def match_detections__two_loops(boxes, scores, gt_boxes, iou_threshold):
    """The queue as the exercise words it, with Python's stable sort and Python numbers."""
    order = sorted(range(len(scores)), key=lambda index: -float(scores[index]))
    iou = box_iou(boxes, gt_boxes).tolist()
    free = set(range(len(gt_boxes)))
    is_tp = []
    for index in order:
        best = max(free, key=lambda j: iou[index][j], default=None)
        is_tp.append(best is not None and iou[index][best] >= iou_threshold)
        if is_tp[-1]:
            free.remove(best)
    return torch.tensor(order, dtype=torch.int64), torch.tensor(is_tp, dtype=torch.bool)


def match_detections__shrinks_the_objects(boxes, scores, gt_boxes, iou_threshold):
    """Objects leave the list when they are taken; IoU in float64, one row at a time."""
    order = torch.argsort(-scores, stable=True)
    left, is_tp = gt_boxes.double(), []
    for box in boxes[order].double():
        iou = box_iou(box[None], left)[0]
        near = torch.nonzero(iou >= iou_threshold)
        is_tp.append(len(near) > 0)
        if len(near):
            best = int(iou.argmax())
            left = torch.cat([left[:best], left[best + 1 :]])
    return order, torch.tensor(is_tp, dtype=torch.bool)


def match_detections__takes_the_last_of_equals(boxes, scores, gt_boxes, iou_threshold):
    """COCO's loop: of several objects with the same IoU the last one."""
    order = np.argsort(-scores.numpy(), kind="mergesort")
    iou = box_iou(boxes, gt_boxes).numpy()
    taken = np.zeros(len(gt_boxes), dtype=bool)
    is_tp = np.zeros(len(order), dtype=bool)
    for rank, index in enumerate(order):
        best, match = iou_threshold, -1
        for j in range(len(gt_boxes)):
            if not taken[j] and iou[index, j] >= best:
                best, match = iou[index, j], j
        if match >= 0:
            taken[match] = is_tp[rank] = True
    return torch.from_numpy(order), torch.from_numpy(is_tp)


def match_detections__masks_with_a_product(boxes, scores, gt_boxes, iou_threshold):
    """A taken object has IoU 0 with everybody; the threshold is above 0."""
    scores, order = scores.sort(descending=True, stable=True)
    free = torch.ones(len(gt_boxes))
    is_tp = scores.new_zeros(len(order)).bool()
    if len(gt_boxes) == 0:
        return order, is_tp
    for rank, index in enumerate(order):
        value, best = (box_iou(boxes[index : index + 1], gt_boxes)[0] * free).max(dim=0)
        if value >= iou_threshold:
            free[best] = 0
            is_tp[rank] = True
    return order, is_tp


def precision_recall__counts_in_a_loop(is_tp, num_gt):
    """Rank by rank, in Python numbers."""
    precision, recall, found = [], [], 0
    for rank, hit in enumerate(is_tp.tolist(), start=1):
        found += hit
        precision.append(found / rank)
        recall.append(found / num_gt if num_gt > 0 else 0.0)
    return torch.tensor(precision, dtype=torch.float64), torch.tensor(recall, dtype=torch.float64)


def precision_recall__true_and_false(is_tp, num_gt):
    """Divides by true plus false positives, and by at least one object."""
    right = torch.cumsum(is_tp.to(torch.float64), dim=0)
    wrong = torch.cumsum((~is_tp).to(torch.float64), dim=0)
    return right / (right + wrong), right / max(num_gt, 1)


def precision_recall__numpy(is_tp, num_gt):
    """numpy's cumsum counts in integers."""
    found = np.cumsum(is_tp.numpy())
    precision = found / np.arange(1, len(found) + 1)
    recall = found / num_gt if num_gt else np.zeros(len(found))
    return torch.from_numpy(precision), torch.from_numpy(recall)


def average_precision__python_numbers(precision, recall, method="area"):
    """Straight from the definition of the envelope: a maximum at every recall."""
    curve = list(zip(recall.tolist(), precision.tolist(), strict=True))

    def envelope(level):
        return max((p for r, p in curve if r >= level), default=0.0)

    if method == "area":
        stations = sorted({0.0, *recall.tolist()})
        area = 0.0
        for before, after in itertools.pairwise(stations):
            area += (after - before) * envelope(after)
        return area
    if method == "voc11":
        return sum(envelope(k / 10 - 1e-6) for k in range(11)) / 11
    if method == "coco101":
        return sum(envelope(level) for level in np.linspace(0, 1, 101).tolist()) / 101
    raise ValueError(f"no method {method}")


def average_precision__as_the_devkit(precision, recall, method="area"):
    """VOC's own code: sentinels, a loop from the right, sums where recall changes."""
    if method not in {"area", "voc11", "coco101"}:
        raise ValueError(method)
    recalls = np.concatenate([[0.0], recall.numpy(), [1.0]])
    precisions = np.concatenate([[0.0], precision.numpy(), [0.0]])
    for i in range(len(precisions) - 1, 0, -1):
        precisions[i - 1] = max(precisions[i - 1], precisions[i])
    if method == "area":
        change = np.where(recalls[1:] != recalls[:-1])[0]
        area = np.sum((recalls[change + 1] - recalls[change]) * precisions[change + 1])
        return float(area)
    inner, best = recalls[1:-1].tolist(), [*precisions[1:-1].tolist(), 0.0]
    levels = np.arange(11) / 10 - 1e-6 if method == "voc11" else np.linspace(0, 1, 101)
    return float(np.mean([best[bisect.bisect_left(inner, level)] for level in levels]))


def average_precision__a_table(precision, recall, method="area"):
    """Every level against every rank at once."""
    if method == "area":
        levels, weights = recall, torch.diff(torch.cat([torch.zeros(1).double(), recall]))
    elif method == "voc11":
        levels = torch.tensor([k / 10 - 1e-6 for k in range(11)], dtype=torch.float64)
        weights = torch.full((11,), 1 / 11, dtype=torch.float64)
    elif method == "coco101":
        levels = torch.tensor(np.linspace(0, 1, 101))
        weights = torch.full((101,), 1 / 101, dtype=torch.float64)
    else:
        raise ValueError("area, voc11 or coco101")
    if len(precision) == 0:
        return 0.0
    reached = recall[None, :] >= levels[:, None]  # [levels, ranks]
    best = torch.where(reached, precision[None, :], 0.0).amax(dim=1)
    return float((best * weights).sum())


def mean_average_precision__one_sort_for_each_class(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """All detections of a class by score first, then each is matched in its own image."""
    total, known = 0.0, 0
    for label in range(1, num_classes + 1):
        objects = [truth["boxes"][truth["labels"] == label] for truth in targets]
        num_gt = sum(map(len, objects))
        if num_gt == 0:
            continue
        listed = [
            (-float(score), image, box)
            for image, found in enumerate(detections)
            for box, other, score in zip(
                found["boxes"], found["labels"].tolist(), found["scores"], strict=True
            )
            if other == label
        ]
        listed.sort(key=lambda entry: entry[0])
        hits = []
        for _, image, box in listed:
            iou = box_iou(box[None], objects[image])[0]
            hits.append(len(iou) > 0 and bool(iou.max() >= iou_threshold))
            if hits[-1]:
                best = int(iou.argmax())
                objects[image] = torch.cat([objects[image][:best], objects[image][best + 1 :]])
        curve = precision_recall(torch.tensor(hits, dtype=torch.bool), num_gt)  # noqa: F821
        total, known = total + average_precision(*curve, method), known + 1  # noqa: F821
    return total / max(known, 1)


def mean_average_precision__gathers_by_class(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """One pass over the images that fills a table of classes."""
    table = {label: ([], [], []) for label in range(1, num_classes + 1)}
    for found, truth in zip(detections, targets, strict=True):
        for label, (scores, hits, counts) in table.items():
            mine, theirs = found["labels"] == label, truth["labels"] == label
            order, is_tp = match_detections(  # noqa: F821
                found["boxes"][mine], found["scores"][mine], truth["boxes"][theirs], iou_threshold
            )
            scores.extend(found["scores"][mine][order].tolist())
            hits.extend(is_tp.tolist())
            counts.append(int(theirs.sum()))
    values = []
    for scores, hits, counts in table.values():
        if sum(counts):
            order = np.argsort(-np.array(scores), kind="stable")
            ranked = torch.from_numpy(np.array(hits, dtype=bool)[order])
            curve = precision_recall(ranked, sum(counts))  # noqa: F821
            values.append(average_precision(*curve, method))  # noqa: F821
    return float(np.mean(values)) if values else 0.0


def _shared(one, other):
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)


def _area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def coco_map__as_the_program(detections, targets, num_classes):
    """The loop of COCO's program: crowds sorted last, a break before them, the later of equals."""
    values = []
    for label in range(1, num_classes + 1):
        scores, verdicts, num_gt = [], [[] for _ in range(10)], 0
        for found, truth in zip(detections, targets, strict=True):
            crowd = truth["iscrowd"].tolist() if "iscrowd" in truth else [0] * len(truth["labels"])
            labelled = zip(truth["boxes"].tolist(), truth["labels"].tolist(), crowd, strict=True)
            objects = sorted(
                ((box, c) for box, other, c in labelled if other == label), key=lambda o: o[1]
            )
            num_gt += sum(not c for _, c in objects)
            mine = [i for i, other in enumerate(found["labels"].tolist()) if other == label]
            mine.sort(key=lambda i: -float(found["scores"][i]))
            mine = mine[:100]
            scores += [float(found["scores"][i]) for i in mine]
            boxes = [found["boxes"][i].tolist() for i in mine]
            for row, threshold in zip(verdicts, np.linspace(0.5, 0.95, 10), strict=True):
                row += _as_the_program(boxes, objects, threshold)
        if num_gt == 0:
            continue
        ranking = np.argsort(-np.array(scores), kind="mergesort")
        for row in verdicts:
            hits = [row[i] for i in ranking if row[i] != "ignored"]
            curve = precision_recall(torch.tensor(hits, dtype=torch.bool), num_gt)  # noqa: F821
            values.append(average_precision(*curve, "coco101"))  # noqa: F821
    return float(np.mean(values)) if values else -1.0


def _as_the_program(boxes, objects, threshold):
    taken, verdicts = set(), []
    for box in boxes:
        best, match = threshold, None
        for j, (other, crowd) in enumerate(objects):
            if j in taken and not crowd:
                continue
            if match is not None and not objects[match][1] and crowd:
                break
            shared = _shared(box, other)
            union = _area(box) if crowd else _area(box) + _area(other) - shared
            if shared / union >= best:
                best, match = shared / union, j
        taken.add(match)
        crowd = match is not None and objects[match][1]
        verdicts.append("ignored" if crowd else match is not None)
    return verdicts


def coco_map__exact_fractions(detections, targets, num_classes):
    """IoU in fractions, thresholds in float64; ignored detections stay in the list as ranks
    that count nothing."""
    values = []
    for label in range(1, num_classes + 1):
        images = [_fractions(*pair, label) for pair in zip(detections, targets, strict=True)]
        num_gt = sum(image["objects"] for image in images)
        if not num_gt:
            continue
        for threshold in np.linspace(0.5, 0.95, 10):
            judged = [entry for image in images for entry in _verdicts(image, threshold)]
            judged.sort(key=lambda entry: -entry[0])
            right = np.cumsum([verdict == 1 for _, verdict in judged])
            said = np.maximum(np.cumsum([verdict is not None for _, verdict in judged]), 1)
            precision = torch.from_numpy(np.array(right / said, dtype=np.float64))
            recall = torch.from_numpy(np.array(right / num_gt, dtype=np.float64))
            values.append(average_precision(precision, recall, "coco101"))  # noqa: F821
    return sum(values) / len(values) if values else -1.0


def _fractions(found, truth, label):
    mine = found["labels"] == label
    order = torch.argsort(found["scores"][mine], descending=True, stable=True)[:100]
    boxes = [[Fraction(x) for x in box] for box in found["boxes"][mine][order].tolist()]
    crowd = truth.get("iscrowd", torch.zeros(len(truth["labels"])))
    objects, crowds = (
        [
            [Fraction(x) for x in box]
            for box in truth["boxes"][(truth["labels"] == label) & (crowd == flag)].tolist()
        ]
        for flag in (0, 1)
    )
    iou = [
        [float(_shared(a, b) / (_area(a) + _area(b) - _shared(a, b))) for b in objects]
        for a in boxes
    ]
    share = [max((float(_shared(a, b) / _area(a)) for b in crowds), default=0.0) for a in boxes]
    scores = found["scores"][mine][order].tolist()
    return {"scores": scores, "iou": iou, "share": share, "objects": len(objects)}


def _verdicts(image, threshold):
    free, verdicts = list(range(image["objects"])), []
    for score, iou, share in zip(image["scores"], image["iou"], image["share"], strict=True):
        best = max(free, key=lambda j: (iou[j], j), default=None)
        if best is not None and iou[best] >= threshold:
            free.remove(best)
            verdicts.append((score, 1))
        else:
            verdicts.append((score, None if share >= threshold else 0))
    return verdicts


def coco_map__thresholds_from_integers(detections, targets, num_classes):
    """Percent divided by 100, float32 IoU, one pass over images for each class and threshold."""
    values = []
    for label in range(1, num_classes + 1):
        num_gt, lists = 0, {percent: [] for percent in range(50, 100, 5)}
        for found, truth in zip(detections, targets, strict=True):
            crowd = truth.get("iscrowd", torch.zeros_like(truth["labels"])) == 1
            mine = truth["labels"] == label
            num_gt += int((mine & ~crowd).sum())
            kept = torch.nonzero(found["labels"] == label)[:, 0]
            kept = kept[(-found["scores"][kept]).argsort(stable=True)][:100]
            boxes = found["boxes"][kept]
            # Flipped, the first of equals, which argmax gives, is the last in the target.
            iou = box_iou(boxes, truth["boxes"][mine & ~crowd].flip(0))
            share = _shares(boxes, truth["boxes"][mine & crowd])
            for percent, listed in lists.items():
                open_iou = iou.clone()
                for row, inside, score in zip(open_iou, share, found["scores"][kept], strict=True):
                    hit = row.numel() > 0 and bool(row.max() >= percent / 100)
                    if hit:
                        open_iou[:, int(row.argmax())] = 0
                    if hit or inside < percent / 100:
                        listed.append((float(score), hit))
        if num_gt:
            for listed in lists.values():
                ranked = sorted(listed, key=lambda entry: entry[0], reverse=True)
                hits = torch.tensor([hit for _, hit in ranked], dtype=torch.bool)
                curve = precision_recall(hits, num_gt)  # noqa: F821
                values.append(average_precision(*curve, "coco101"))  # noqa: F821
    return float(np.mean(values)) if values else -1.0


def _shares(boxes, crowds):
    """The largest share of each box that one crowd covers: (N,)."""
    if len(crowds) == 0:
        return torch.zeros(len(boxes))
    left_top = torch.max(boxes[:, None, :2], crowds[None, :, :2])
    right_bottom = torch.min(boxes[:, None, 2:], crowds[None, :, 2:])
    width, height = (right_bottom - left_top).clamp(min=0).unbind(dim=-1)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return (width * height / area[:, None]).amax(dim=1)
