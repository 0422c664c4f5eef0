// Areas and intersection over union, as torchvision's box_iou: boxes are xyxy, half-open, in pixels.

export function area([x1, y1, x2, y2]) {
  return Math.max(0, x2 - x1) * Math.max(0, y2 - y1);
}

/** What two boxes have in common, as a box; it has no area where that is nothing. */
export function intersection(a, b) {
  return [Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])];
}

/** IoU of two boxes; 0 where neither has an area. */
export function iou(a, b) {
  const shared = area(intersection(a, b));
  const union = area(a) + area(b) - shared;
  return union > 0 ? shared / union : 0;
}
