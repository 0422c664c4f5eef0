"""Wrong answers to the sheet `map`, each named after the misconception behind it.

A hidden test that accepts one of these teaches it.
"""

import numpy as np
import torch
from torchvision.ops import box_iou


def _best_first(scores):
    return torch.argsort(scores, descending=True, stable=True)


def _greedy(boxes, order, gt_boxes, iou_threshold):
    """What is right among the boxes, taken in the given order."""
    iou = box_iou(boxes, gt_boxes)
    taken, is_tp = set(), []
    for index in order.tolist():
        free = [j for j in range(len(gt_boxes)) if j not in taken]
        best = max(free, key=lambda j: iou[index, j], default=None)
        is_tp.append(best is not None and bool(iou[index, best] >= iou_threshold))
        if is_tp[-1]:
            taken.add(best)
    return torch.tensor(is_tp, dtype=torch.bool)


def match_detections__starts_with_the_worst(boxes, scores, gt_boxes, iou_threshold):
    """Sorts the wrong way round."""
    order = torch.argsort(scores, stable=True)
    return order, _greedy(boxes, order, gt_boxes, iou_threshold)


def match_detections__takes_detections_as_they_come(boxes, scores, gt_boxes, iou_threshold):
    """Never looks at the scores."""
    order = torch.arange(len(scores))
    return order, _greedy(boxes, order, gt_boxes, iou_threshold)


def match_detections__matches_first_and_sorts_afterwards(boxes, scores, gt_boxes, iou_threshold):
    """Returns the right order, but objects were taken in the order of the input."""
    is_tp = _greedy(boxes, torch.arange(len(scores)), gt_boxes, iou_threshold)
    order = _best_first(scores)
    return order, is_tp[order]


def match_detections__returns_is_tp_in_input_order(boxes, scores, gt_boxes, iou_threshold):
    """The right matches, written to the places that the detections had before sorting."""
    order = _best_first(scores)
    is_tp = torch.zeros(len(scores), dtype=torch.bool)
    is_tp[order] = _greedy(boxes, order, gt_boxes, iou_threshold)
    return order, is_tp


def match_detections__returns_ranks(boxes, scores, gt_boxes, iou_threshold):
    """For each detection its place in the list, instead of the list."""
    order = _best_first(scores)
    return torch.argsort(order), _greedy(boxes, order, gt_boxes, iou_threshold)


def match_detections__breaks_ties_backwards(boxes, scores, gt_boxes, iou_threshold):
    """Sorts upwards and reverses: of equal scores the last comes first."""
    order = torch.argsort(scores, stable=True).flip(0)
    return order, _greedy(boxes, order, gt_boxes, iou_threshold)


def match_detections__wants_more_than_the_threshold(boxes, scores, gt_boxes, iou_threshold):
    """Greater instead of greater or equal."""
    order = _best_first(scores)
    return order, _greedy(boxes, order, gt_boxes, iou_threshold + 1e-6)


def match_detections__lets_an_object_be_found_twice(boxes, scores, gt_boxes, iou_threshold):
    """Duplicates count as right."""
    order = _best_first(scores)
    return order, (box_iou(boxes, gt_boxes) >= iou_threshold).any(dim=1)[order]


def match_detections__looks_at_the_best_of_all_objects(boxes, scores, gt_boxes, iou_threshold):
    """As VOC's program: a detection whose best object is taken is wrong."""
    order = _best_first(scores)
    iou, taken, is_tp = box_iou(boxes, gt_boxes), set(), []
    for index in order.tolist():
        best = int(iou[index].argmax()) if len(gt_boxes) else None
        near = best is not None and bool(iou[index, best] >= iou_threshold)
        is_tp.append(near and best not in taken)
        if near:
            taken.add(best)
    return order, torch.tensor(is_tp, dtype=torch.bool)


def _takes_any(boxes, scores, gt_boxes, iou_threshold, numbers):
    order = _best_first(scores)
    iou, taken, is_tp = box_iou(boxes, gt_boxes), set(), []
    for index in order.tolist():
        near = [j for j in numbers if j not in taken and iou[index, j] >= iou_threshold]
        is_tp.append(bool(near))
        taken.update(near[:1])
    return order, torch.tensor(is_tp, dtype=torch.bool)


def match_detections__takes_the_first_that_is_near(boxes, scores, gt_boxes, iou_threshold):
    """Stops at the first free object above the threshold, not at the best."""
    return _takes_any(boxes, scores, gt_boxes, iou_threshold, range(len(gt_boxes)))


def match_detections__lets_objects_choose(boxes, scores, gt_boxes, iou_threshold):
    """Every object takes the detection with the best IoU, whatever its score."""
    is_tp = torch.zeros(len(boxes), dtype=torch.bool)
    iou = box_iou(boxes, gt_boxes)
    for j in range(len(gt_boxes) if len(boxes) else 0):
        if iou[:, j].max() >= iou_threshold:
            is_tp[iou[:, j].argmax()] = True
    order = _best_first(scores)
    return order, is_tp[order]


def match_detections__matches_the_best_pairs_first(boxes, scores, gt_boxes, iou_threshold):
    """Greedy by IoU: an optimal assignment knows no scores."""
    iou = box_iou(boxes, gt_boxes)
    is_tp = torch.zeros(len(boxes), dtype=torch.bool)
    while iou.numel() and iou.max() >= iou_threshold:
        i, j = divmod(int(iou.argmax()), len(gt_boxes))
        is_tp[i] = True
        iou[i], iou[:, j] = -1.0, -1.0
    order = _best_first(scores)
    return order, is_tp[order]


def match_detections__compares_with_one_half(boxes, scores, gt_boxes, iou_threshold):
    """Never looks at its threshold."""
    order = _best_first(scores)
    return order, _greedy(boxes, order, gt_boxes, 0.5)


def match_detections__fails_without_objects(boxes, scores, gt_boxes, iou_threshold):
    """The largest of no numbers."""
    order = _best_first(scores)
    overlaps, is_tp = box_iou(boxes[order], gt_boxes), []
    for row in overlaps:
        is_tp.append(bool(row.max() >= iou_threshold))
        if is_tp[-1]:
            overlaps[:, row.argmax()] = 0
    return order, torch.tensor(is_tp, dtype=torch.bool)


def match_detections__gives_floats_without_detections(boxes, scores, gt_boxes, iou_threshold):
    """torch.tensor([]) is float32."""
    order = _best_first(scores)
    is_tp = _greedy(boxes, order, gt_boxes, iou_threshold)
    return torch.tensor(order.tolist()), torch.tensor(is_tp.tolist())


def precision_recall__divides_by_all_detections(is_tp, num_gt):
    """Precision of the whole list at every rank."""
    hits = is_tp.double().cumsum(0)
    return hits / max(len(is_tp), 1), hits / max(num_gt, 1)


def precision_recall__forgets_objects_that_nobody_found(is_tp, num_gt):
    """Recall relative to what was found at all: it always ends at 1."""
    hits = is_tp.double().cumsum(0)
    ranks = torch.arange(1, len(is_tp) + 1)
    return hits / ranks, hits / max(int(is_tp.sum()), 1)


def precision_recall__swaps_the_two(is_tp, num_gt):
    """Recall first."""
    hits = is_tp.double().cumsum(0)
    return hits / max(num_gt, 1), hits / torch.arange(1, len(is_tp) + 1)


def precision_recall__adds_a_starting_point(is_tp, num_gt):
    """Begins at precision 1 and recall 0, as plots often do."""
    hits = is_tp.double().cumsum(0)
    precision, recall = hits / torch.arange(1, len(is_tp) + 1), hits / max(num_gt, 1)
    return torch.cat([hits.new_ones(1), precision]), torch.cat([hits.new_zeros(1), recall])


def precision_recall__gives_nan_without_objects(is_tp, num_gt):
    """0 / 0."""
    hits = is_tp.double().cumsum(0)
    return hits / torch.arange(1, len(is_tp) + 1), hits / num_gt


def precision_recall__computes_in_float32(is_tp, num_gt):
    """torch's default."""
    hits = is_tp.float().cumsum(0)
    return hits / torch.arange(1, len(is_tp) + 1), hits / max(num_gt, 1)


def precision_recall__converts_at_the_end(is_tp, num_gt):
    """float64 in name only: the digits are gone."""
    hits = is_tp.float().cumsum(0)
    precision = hits / torch.arange(1, len(is_tp) + 1)
    return precision.double(), (hits / max(num_gt, 1)).double()


def precision_recall__smooths_at_once(is_tp, num_gt):
    """Precision never falls behind what comes later: the envelope, which is the next exercise."""
    hits = is_tp.double().cumsum(0)
    precision = hits / torch.arange(1, len(is_tp) + 1)
    if len(precision):
        precision = precision.flip(0).cummax(0).values.flip(0)
    return precision, hits / max(num_gt, 1)


_LEVELS = {"voc11": np.arange(11) / 10 - 1e-6, "coco101": np.linspace(0, 1, 101)}


def _ap(precision, recall, method, *, envelope=True, levels=_LEVELS, strictly=False, beyond=0.0):
    """The right answer, with switches for what may go wrong."""
    if method not in ("area", *levels):
        raise ValueError(method)
    if len(precision) == 0:
        return 0.0
    precision, recall = precision.double().numpy().copy(), recall.double().numpy()
    if envelope:
        precision = np.maximum.accumulate(precision[::-1])[::-1]
    if method == "area":
        return float((np.diff(recall, prepend=0) * precision).sum() + beyond * (1 - recall[-1]))
    where = np.searchsorted(recall, levels[method], side="right" if strictly else "left")
    return float(np.append(precision, beyond)[where].mean())


def average_precision__has_no_envelope(precision, recall, method="area"):
    """Sums precision times step of recall, as information retrieval does."""
    return _ap(precision, recall, method, envelope=False)


def average_precision__looks_to_the_left(precision, recall, method="area"):
    """The best precision so far instead of the best from here on."""
    if len(precision):
        precision = precision.cummax(0).values
    return _ap(precision, recall, method, envelope=False)


def average_precision__has_trapezoids(precision, recall, method="area"):
    """Straight lines between the points of the curve."""
    if method != "area" or len(precision) == 0:
        return _ap(precision, recall, method)
    start = torch.zeros(1, dtype=torch.float64)
    return float(torch.trapezoid(torch.cat([precision[:1], precision]), torch.cat([start, recall])))


def average_precision__begins_at_the_first_rank(precision, recall, method="area"):
    """The area left of the first point is forgotten."""
    value = _ap(precision, recall, method)
    if method != "area" or len(precision) == 0:
        return value
    return value - float(recall[0] * precision.max())


def average_precision__goes_on_to_recall_1(precision, recall, method="area"):
    """The last precision holds for what was never found."""
    return _ap(precision, recall, method, beyond=float(precision[-1]) if len(precision) else 0.0)


def average_precision__divides_by_the_recall_reached(precision, recall, method="area"):
    """An average over the part of the curve that there is: missed objects cost nothing."""
    value = _ap(precision, recall, method)
    return value / float(recall[-1]) if len(recall) and recall[-1] > 0 else value


def average_precision__is_the_area_whatever_is_asked(precision, recall, method="area"):
    """Never looks at the method but to refuse it."""
    _ap(precision, recall, method)
    return _ap(precision, recall, "area")


def average_precision__answers_unknown_methods(precision, recall, method="area"):
    """Whatever has another name is the exact area."""
    return _ap(precision, recall, method if method in _LEVELS else "area")


def average_precision__returns_a_tensor(precision, recall, method="area"):
    """Forgets .item()."""
    return torch.tensor(_ap(precision, recall, method), dtype=torch.float64)


def average_precision__is_nan_for_nothing(precision, recall, method="area"):
    """The mean of no numbers."""
    return _ap(precision, recall, method) if len(precision) else float("nan")


def average_precision__changes_its_input(precision, recall, method="area"):
    """Makes the envelope in place."""
    for rank in range(len(precision) - 1, 0, -1):
        precision[rank - 1] = torch.maximum(precision[rank - 1], precision[rank])
    return _ap(precision, recall, method)


def average_precision__leaves_out_recall_0(precision, recall, method="area"):
    """Ten levels from 0.1 on, a hundred from 0.01 on."""
    levels = {name: values[1:] for name, values in _LEVELS.items()}
    return _ap(precision, recall, method, levels=levels)


def average_precision__lets_rounding_decide_in_voc11(precision, recall, method="area"):
    """No tolerance."""
    levels = _LEVELS | {"voc11": np.arange(11) / 10}
    return _ap(precision, recall, method, levels=levels)


def average_precision__has_a_tolerance_in_coco101(precision, recall, method="area"):
    """The same rule for both lists of levels."""
    levels = _LEVELS | {"coco101": np.linspace(0, 1, 101) - 1e-6}
    return _ap(precision, recall, method, levels=levels)


def average_precision__has_float32_levels(precision, recall, method="area"):
    """torch.linspace, in torch's default dtype."""
    levels = _LEVELS | {"coco101": torch.linspace(0, 1, 101).double().numpy()}
    return _ap(precision, recall, method, levels=levels)


def average_precision__has_hundredths(precision, recall, method="area"):
    """k / 100 in float64, whose last digit is sometimes another."""
    levels = _LEVELS | {"coco101": np.arange(101) / 100}
    return _ap(precision, recall, method, levels=levels)


def average_precision__wants_more_recall_than_the_level(precision, recall, method="area"):
    """Greater instead of greater or equal."""
    return _ap(precision, recall, method, strictly=True)


def _per_class(
    detections, targets, num_classes, iou_threshold=0.5, method="area", *, within=True, rank=None
):
    """AP of each class, None where it has no objects; with switches for what may go wrong."""
    values = []
    for label in range(1, num_classes + 1):
        scores, hits, num_gt = [torch.zeros(0)], [torch.zeros(0, dtype=torch.bool)], 0
        for found, truth in zip(detections, targets, strict=True):
            mine = found["labels"] == label
            theirs = truth["labels"] == label
            num_gt += int(theirs.sum())
            order, is_tp = match_detections(  # noqa: F821
                found["boxes"][mine],
                found["scores"][mine],
                truth["boxes"][theirs if within else slice(None)],
                iou_threshold,
            )
            scores.append(found["scores"][mine][order])
            hits.append(is_tp)
        ranking = (rank or _best_first)(torch.cat(scores))
        curve = precision_recall(torch.cat(hits)[ranking], num_gt)  # noqa: F821
        values.append(average_precision(*curve, method) if num_gt else None)  # noqa: F821
    return values


def _mean(values):
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else 0.0


def _one_image(images):
    """All images laid on top of each other."""
    return (
        [{key: torch.cat([image[key] for image in images]) for key in images[0]}] if images else []
    )


def mean_average_precision__lays_images_on_each_other(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """Matches without looking at the image."""
    keys = ("boxes", "labels")
    targets = [{key: target[key] for key in keys} for target in targets]
    values = _per_class(
        _one_image(detections), _one_image(targets), num_classes, iou_threshold, method
    )
    return _mean(values)


def mean_average_precision__averages_over_images(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """One mAP for each image, then their mean."""
    pairs = zip(detections, targets, strict=True)
    values = [
        _per_class([found], [truth], num_classes, iou_threshold, method) for found, truth in pairs
    ]
    return _mean([_mean(image) for image in values if any(value is not None for value in image)])


def mean_average_precision__leaves_images_one_after_the_other(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """Sorts within each image only."""
    values = _per_class(
        detections,
        targets,
        num_classes,
        iou_threshold,
        method,
        rank=lambda scores: torch.arange(len(scores)),
    )
    return _mean(values)


def mean_average_precision__breaks_ties_backwards(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """Sorts upwards and reverses: of equal scores the last image comes first."""
    values = _per_class(
        detections,
        targets,
        num_classes,
        iou_threshold,
        method,
        rank=lambda scores: torch.argsort(scores, stable=True).flip(0),
    )
    return _mean(values)


def mean_average_precision__lets_classes_take_any_object(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """Looks at the labels of detections, not at those of objects."""
    return _mean(_per_class(detections, targets, num_classes, iou_threshold, method, within=False))


def _relabelled(images):
    return [image | {"labels": torch.ones_like(image["labels"])} for image in images]


def mean_average_precision__pools_all_classes(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """One list for everything: labels play no part."""
    return _mean(
        _per_class(_relabelled(detections), _relabelled(targets), 1, iou_threshold, method)
    )


def mean_average_precision__counts_absent_classes_as_0(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """Divides by the number of classes."""
    values = _per_class(detections, targets, num_classes, iou_threshold, method)
    return sum(value or 0.0 for value in values) / num_classes


def mean_average_precision__leaves_out_classes_not_detected(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """Takes the classes from the detections: what the detector never says costs it nothing."""
    values = _per_class(detections, targets, num_classes, iou_threshold, method)
    said = {label for found in detections for label in found["labels"].tolist()}
    return _mean([value for label, value in enumerate(values, start=1) if label in said])


def mean_average_precision__skips_images_without_detections(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """The objects of such images are not counted."""
    pairs = [pair for pair in zip(detections, targets, strict=True) if len(pair[0]["labels"])]
    found, truth = zip(*pairs, strict=True) if pairs else ((), ())
    return _mean(_per_class(found, truth, num_classes, iou_threshold, method))


def mean_average_precision__takes_every_label_there_is(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """Takes the classes from the targets: 0 and labels above C count too."""
    labels = {label for target in targets for label in target["labels"].tolist()}
    shift = min(labels, default=1) - 1
    moved = [
        [image | {"labels": image["labels"] - shift} for image in images]
        for images in (detections, targets)
    ]
    return _mean(_per_class(*moved, max(labels, default=0) - shift, iou_threshold, method))


def mean_average_precision__counts_classes_from_0(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """range(num_classes): the last class is never looked at."""
    return _mean(_per_class(detections, targets, num_classes - 1, iou_threshold, method))


def mean_average_precision__compares_with_one_half(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """Does not pass its threshold on."""
    return _mean(_per_class(detections, targets, num_classes, 0.5, method))


def mean_average_precision__always_takes_the_area(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """Does not pass its method on."""
    return _mean(_per_class(detections, targets, num_classes, iou_threshold))


def mean_average_precision__leaves_out_crowds(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """Reads iscrowd, which belongs to the next exercise."""
    plain = []
    for target in targets:
        keep = target.get("iscrowd", torch.zeros_like(target["labels"])) == 0
        plain.append({key: target[key][keep] for key in ("boxes", "labels")})
    return _mean(_per_class(detections, plain, num_classes, iou_threshold, method))


def mean_average_precision__divides_by_no_classes(
    detections, targets, num_classes, iou_threshold=0.5, method="area"
):
    """The mean of no numbers."""
    values = _per_class(detections, targets, num_classes, iou_threshold, method)
    known = [value for value in values if value is not None]
    return sum(known) / len(known)


def _area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def _shared(one, other):
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0) * max(height, 0)


def _iou(one, other):
    return _shared(one, other) / (_area(one) + _area(other) - _shared(one, other))


def _on_crowd(box, crowds, threshold):
    return any(_shared(box, crowd) / _area(box) >= threshold for crowd in crowds)


def _best_free(box, objects, taken, threshold):
    """The last of the best free objects that reach the threshold, or None."""
    best, number = threshold, None
    for j, other in enumerate(objects):
        if j not in taken and _iou(box, other) >= best:
            best, number = _iou(box, other), j
    return number


def _judge(
    boxes,
    objects,
    crowds,
    threshold,
    *,
    best_free=_best_free,
    on_crowd=_on_crowd,
    crowds_first=False,
):
    """1 for right, 0 for wrong, None for ignored, for each box; best score first."""
    taken, verdicts = set(), []
    for box in boxes:
        number = best_free(box, objects, taken, threshold)
        excused = on_crowd(box, crowds, threshold)
        if number is not None and not (crowds_first and excused):
            taken.add(number)
            verdicts.append(1)
        else:
            verdicts.append(None if excused else 0)
    return verdicts


def _hundred_best(found, label):
    mine = torch.nonzero(found["labels"] == label)[:, 0]
    return mine[_best_first(found["scores"][mine])][:100]


def _of_class(truth, label):
    """Objects and crowds of a class, as lists of boxes."""
    crowd = truth.get("iscrowd", torch.zeros_like(truth["labels"])).bool()
    mine = truth["labels"] == label
    return truth["boxes"][mine & ~crowd].tolist(), truth["boxes"][mine & crowd].tolist()


_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10))


def _coco(
    detections,
    targets,
    num_classes,
    *,
    thresholds=_THRESHOLDS,
    method="coco101",
    best=_hundred_best,
    of_class=_of_class,
    judge=_judge,
    rank=_best_first,
    crowds_count=False,
    absent=None,
    nothing=-1.0,
):
    """The right answer, with switches for what may go wrong."""
    values = []
    for label in range(1, num_classes + 1):
        pairs = [(found, best(found, label)) for found in detections]
        truths = [of_class(truth, label) for truth in targets]
        num_gt = sum(len(objects) + crowds_count * len(crowds) for objects, crowds in truths)
        if num_gt == 0:
            values += [] if absent is None else [absent]
            continue
        ranking = rank(torch.cat([found["scores"][chosen] for found, chosen in pairs])).tolist()
        for threshold in thresholds:
            verdicts = []
            for (found, chosen), truth in zip(pairs, truths, strict=True):
                verdicts += judge(found["boxes"][chosen].tolist(), *truth, threshold)
            listed = [bool(verdicts[i]) for i in ranking if verdicts[i] is not None]
            curve = precision_recall(torch.tensor(listed, dtype=torch.bool), num_gt)  # noqa: F821
            values.append(average_precision(*curve, method))  # noqa: F821
    return sum(values) / len(values) if values else nothing


def coco_map__has_one_threshold(detections, targets, num_classes):
    """AP at IoU 0.50 alone."""
    return _coco(detections, targets, num_classes, thresholds=[0.5])


def coco_map__has_thresholds_that_rounding_lifted(detections, targets, num_classes):
    """numpy.arange adds up its step: the sixth threshold lies above 0.75."""
    return _coco(detections, targets, num_classes, thresholds=np.arange(0.5, 1.0, 0.05))


def coco_map__measures_the_exact_area(detections, targets, num_classes):
    """The default of exercise 3."""
    return _coco(detections, targets, num_classes, method="area")


def coco_map__is_a_mean_of_exercise_4(detections, targets, num_classes):
    """No crowds, no limit, its own ties: rule 1 alone."""
    values = [
        mean_average_precision(detections, targets, num_classes, threshold, "coco101")  # noqa: F821
        for threshold in _THRESHOLDS
    ]
    return float(np.mean(values))


def coco_map__matches_once(detections, targets, num_classes):
    """Matches at 0.50 and asks afterwards how good the matches are."""

    def judge(boxes, objects, crowds, threshold):
        taken, verdicts = set(), []
        for box in boxes:
            number = _best_free(box, objects, taken, 0.5)
            taken.add(number)
            right = number is not None and _iou(box, objects[number]) >= threshold
            excused = number is None and _on_crowd(box, crowds, threshold)
            verdicts.append(None if excused else int(right))
        return verdicts

    return _coco(detections, targets, num_classes, judge=judge)


def _all_of_class(found, label):
    mine = torch.nonzero(found["labels"] == label)[:, 0]
    return mine[_best_first(found["scores"][mine])]


def coco_map__has_no_limit(detections, targets, num_classes):
    """Takes all detections."""
    return _coco(detections, targets, num_classes, best=_all_of_class)


def coco_map__limits_the_image(detections, targets, num_classes):
    """A hundred detections of all classes together."""

    def best(found, label):
        chosen = _best_first(found["scores"])[:100]
        return chosen[found["labels"][chosen] == label]

    return _coco(detections, targets, num_classes, best=best)


def coco_map__takes_the_first_hundred(detections, targets, num_classes):
    """Cuts before it sorts."""

    def best(found, label):
        mine = torch.nonzero(found["labels"] == label)[:100, 0]
        return mine[_best_first(found["scores"][mine])]

    return _coco(detections, targets, num_classes, best=best)


def coco_map__limits_what_is_not_ignored(detections, targets, num_classes):
    """Ignored detections are not among the hundred."""

    def judge(boxes, objects, crowds, threshold):
        verdicts = _judge(boxes, objects, crowds, threshold)
        judged = [rank for rank, verdict in enumerate(verdicts) if verdict is not None]
        return [v if rank in judged[:100] else None for rank, v in enumerate(verdicts)]

    return _coco(detections, targets, num_classes, best=_all_of_class, judge=judge)


def coco_map__takes_the_first_of_equals(detections, targets, num_classes):
    """Of objects with the same IoU the first: argmax."""

    def best_free(box, objects, taken, threshold):
        number = _best_free(box, objects[::-1], {len(objects) - 1 - j for j in taken}, threshold)
        return None if number is None else len(objects) - 1 - number

    return _coco(
        detections, targets, num_classes, judge=lambda *given: _judge(*given, best_free=best_free)
    )


def coco_map__looks_at_the_best_of_all_objects(detections, targets, num_classes):
    """As VOC's program: a detection whose best object is taken gets none."""

    def best_free(box, objects, taken, threshold):
        number = _best_free(box, objects, set(), threshold)
        return None if number in taken else number

    return _coco(
        detections, targets, num_classes, judge=lambda *given: _judge(*given, best_free=best_free)
    )


def coco_map__deletes_crowds(detections, targets, num_classes):
    """Crowds are not there: whatever lies on them is wrong."""

    def of_class(truth, label):
        return _of_class(truth, label)[0], []

    return _coco(detections, targets, num_classes, of_class=of_class)


def coco_map__counts_crowds_among_the_objects(detections, targets, num_classes):
    """Ignores what lies on a crowd, but wants the crowd to be found."""
    return _coco(detections, targets, num_classes, crowds_count=True)


def coco_map__calls_detections_on_crowds_right(detections, targets, num_classes):
    """A true positive without an object."""

    def judge(*given):
        return [1 if verdict is None else verdict for verdict in _judge(*given)]

    return _coco(detections, targets, num_classes, judge=judge)


def _with_crowd_rule(on_crowd):
    return lambda *given: _judge(*given, on_crowd=on_crowd)


def coco_map__asks_for_the_iou_with_crowds(detections, targets, num_classes):
    """A small box inside of a crowd has a small IoU with it."""

    def on_crowd(box, crowds, threshold):
        return any(_iou(box, crowd) >= threshold for crowd in crowds)

    return _coco(detections, targets, num_classes, judge=_with_crowd_rule(on_crowd))


def coco_map__divides_by_the_area_of_the_crowd(detections, targets, num_classes):
    """The share of the crowd that is covered."""

    def on_crowd(box, crowds, threshold):
        return any(_shared(box, crowd) / _area(crowd) >= threshold for crowd in crowds)

    return _coco(detections, targets, num_classes, judge=_with_crowd_rule(on_crowd))


def coco_map__compares_crowds_with_one_half(detections, targets, num_classes):
    """The ten thresholds are for objects only."""

    def on_crowd(box, crowds, threshold):
        return _on_crowd(box, crowds, 0.5)

    return _coco(detections, targets, num_classes, judge=_with_crowd_rule(on_crowd))


def coco_map__forgets_to_clamp(detections, targets, num_classes):
    """Two negative sides make an intersection with a crowd."""

    def on_crowd(box, crowds, threshold):
        return any(
            (min(box[2], c[2]) - max(box[0], c[0])) * (min(box[3], c[3]) - max(box[1], c[1]))
            >= threshold * _area(box)
            for c in crowds
        )

    return _coco(detections, targets, num_classes, judge=_with_crowd_rule(on_crowd))


def coco_map__lets_a_crowd_be_taken_once(detections, targets, num_classes):
    """A second detection on a crowd is wrong."""

    def judge(boxes, objects, crowds, threshold):
        left, verdicts = list(crowds), []
        for box, verdict in zip(boxes, _judge(boxes, objects, crowds, threshold), strict=True):
            under = [crowd for crowd in left if _on_crowd(box, [crowd], threshold)]
            if verdict is None and under:
                left.remove(under[0])
            verdicts.append(0 if verdict is None and not under else verdict)
        return verdicts

    return _coco(detections, targets, num_classes, judge=judge)


def coco_map__looks_at_crowds_first(detections, targets, num_classes):
    """Whatever lies on a crowd is ignored, also where it found an object."""
    return _coco(
        detections, targets, num_classes, judge=lambda *given: _judge(*given, crowds_first=True)
    )


def coco_map__prefers_the_larger_overlap(detections, targets, num_classes):
    """Crowds compete with objects: the larger of the two numbers wins."""

    def judge(boxes, objects, crowds, threshold):
        taken, verdicts = set(), []
        for box in boxes:
            number = _best_free(box, objects, taken, threshold)
            share = max((_shared(box, crowd) / _area(box) for crowd in crowds), default=0.0)
            if number is not None and _iou(box, objects[number]) >= share:
                taken.add(number)
                verdicts.append(1)
            else:
                verdicts.append(None if share >= threshold else 0)
        return verdicts

    return _coco(detections, targets, num_classes, judge=judge)


def coco_map__excuses_by_crowds_of_other_classes(detections, targets, num_classes):
    """A crowd is a crowd."""

    def of_class(truth, label):
        crowd = truth.get("iscrowd", torch.zeros_like(truth["labels"])).bool()
        return _of_class(truth, label)[0], truth["boxes"][crowd].tolist()

    return _coco(detections, targets, num_classes, of_class=of_class)


def coco_map__looks_for_iscrowd_in_the_first_target(detections, targets, num_classes):
    """All targets have the key or none."""
    if targets and "iscrowd" not in targets[0]:
        targets = [{key: target[key] for key in ("boxes", "labels")} for target in targets]
    return _coco(detections, targets, num_classes)


def coco_map__leaves_images_one_after_the_other(detections, targets, num_classes):
    """Sorts within each image only."""
    return _coco(detections, targets, num_classes, rank=lambda scores: torch.arange(len(scores)))


def coco_map__breaks_ties_backwards(detections, targets, num_classes):
    """Of equal scores those of the last image come first."""
    return _coco(
        detections,
        targets,
        num_classes,
        rank=lambda scores: torch.argsort(scores, stable=True).flip(0),
    )


def coco_map__counts_absent_classes_as_0(detections, targets, num_classes):
    """A class without objects lowers the mean."""
    return _coco(detections, targets, num_classes, absent=0.0)


def coco_map__is_0_without_objects(detections, targets, num_classes):
    """As exercise 4."""
    return _coco(detections, targets, num_classes, nothing=0.0)
