// Two boxes to drag on squared paper, with intersection, union, IoU and GIoU as you go.

import { button, clamp, controls, field, fixed, help, mount, movable, paper, set, svg, values, words } from "figures/base";
import { area, intersection as common } from "figures/overlap";

const COLUMNS = 16;
const ROWS = 10;
const PRESETS = {
  "worked case": { A: [2, 1, 8, 5], B: [5, 3, 9, 7] },
  "half a width": { A: [3, 2, 9, 7], B: [6, 2, 12, 7] },
  "one inside": { A: [3, 1, 13, 9], B: [6, 3, 10, 8] },
  apart: { A: [1, 1, 5, 5], B: [10, 4, 15, 9] },
};
const COLORS = { A: "blue", B: "orange" };
const COORDINATES = ["x1", "y1", "x2", "y2"];
const CORNERS = [[0, 1], [2, 1], [0, 3], [2, 3]]; // the coordinates that each corner moves

/** All that the figure says of two boxes, xyxy. */
export function compare(a, b) {
  const shared = common(a, b);
  const hull = [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];
  const intersection = area(shared);
  const union = area(a) + area(b) - intersection;
  const iou = union > 0 ? intersection / union : 0;
  const unused = area(hull) - union;
  const giou = iou - (area(hull) > 0 ? unused / area(hull) : 0);
  return { shared, hull, intersection, union, unused, iou, giou };
}

// Boxes keep whole coordinates, at least one square, and stay on the paper.
function moved(box, dx, dy) {
  const x = clamp(Math.round(dx), -box[0], COLUMNS - box[2]);
  const y = clamp(Math.round(dy), -box[1], ROWS - box[3]);
  return [box[0] + x, box[1] + y, box[2] + x, box[3] + y];
}

function withCoordinate(box, index, value) {
  const limit = index % 2 === 0 ? COLUMNS : ROWS;
  const low = index < 2 ? 0 : box[index - 2] + 1;
  const high = index < 2 ? box[index + 2] - 1 : limit;
  return box.with(index, clamp(Math.round(value), low, high));
}

function withCorner(box, [x, y], dx, dy) {
  return withCoordinate(withCoordinate(box, x, box[x] + dx), y, box[y] + dy);
}

mount("boxes", (stage) => {
  const boxes = { ...PRESETS["worked case"] };
  const drawing = paper(stage, {
    width: COLUMNS, height: ROWS, margin: 0.3, label: "Two boxes on squared paper",
  });
  for (let x = 0; x <= COLUMNS; x++) svg(drawing, "path", { d: `M${x} 0V${ROWS}`, class: "figure-grid" });
  for (let y = 0; y <= ROWS; y++) svg(drawing, "path", { d: `M0 ${y}H${COLUMNS}`, class: "figure-grid" });
  const hull = svg(drawing, "rect", { class: "figure-line figure-dashed" });
  const shared = svg(drawing, "rect", { class: "figure-fill figure-green" });

  const parts = {};
  for (const name of ["A", "B"]) {
    const group = svg(drawing, "g", { class: `boxes-${name} figure-${COLORS[name]}` });
    const body = svg(group, "rect", { class: "figure-shape" });
    const change = (next) => {
      boxes[name] = next;
      update();
    };
    movable(body, {
      grab: () => boxes[name],
      move: (start, dx, dy, shift) => change(shift ? withCorner(start, CORNERS[3], dx, dy) : moved(start, dx, dy)),
    });
    const letter = words(group, 0, 0, name, { size: 0.8, class: "figure-name" });
    const corners = CORNERS.map((corner) => {
      const dot = svg(group, "circle", { r: 0.2, class: "figure-dot" });
      const hit = svg(group, "circle", { r: 0.75, class: "figure-hit" });
      const pull = (start, dx, dy) => change(withCorner(start, corner, dx, dy));
      movable(hit, { grab: () => boxes[name], move: pull, step: null }); // by keyboard: Shift and arrows
      return { corner, marks: [dot, hit] };
    });
    parts[name] = { body, letter, corners, change };
  }

  const show = values(stage, ["intersection", "union", "iou", "giou"]);
  const row = controls(stage);
  for (const name of ["A", "B"]) {
    const group = controls(row, `box ${name}`);
    parts[name].fields = COORDINATES.map((label, index) =>
      field(group, { label, min: 0, max: index % 2 === 0 ? COLUMNS : ROWS, value: 0 }, (value) =>
        parts[name].change(withCoordinate(boxes[name], index, value))));
  }
  const presets = controls(stage);
  for (const [name, pair] of Object.entries(PRESETS)) {
    button(presets, name, () => {
      Object.assign(boxes, pair);
      update();
    });
  }
  help(stage, "Drag a box or one of its corners, or type its coordinates. With the keyboard: Tab to a box, " +
    "arrow keys move it, Shift and arrow keys resize it. Green is the intersection, the dashed line the hull of both.");

  function place(rectangle, [x1, y1, x2, y2]) {
    set(rectangle, { x: x1, y: y1, width: Math.max(0, x2 - x1), height: Math.max(0, y2 - y1) });
  }

  function update() {
    const seen = compare(boxes.A, boxes.B);
    place(hull, seen.hull);
    place(shared, seen.intersection > 0 ? seen.shared : [0, 0, 0, 0]);
    for (const name of ["A", "B"]) {
      const box = boxes[name];
      const { body, letter, corners, fields } = parts[name];
      place(body, box);
      set(body, { "aria-label": `Box ${name}: ${COORDINATES.map((label, index) => `${label} ${box[index]}`).join(", ")}` });
      set(letter, name === "A" ? { x: box[0] + 0.5, y: box[1] + 0.5 } : { x: box[2] - 0.5, y: box[3] - 0.5 });
      for (const { corner, marks } of corners) {
        for (const mark of marks) set(mark, { cx: box[corner[0]], cy: box[corner[1]] });
      }
      fields.forEach(({ show: showField }, index) => showField(box[index]));
    }
    show({
      intersection: `intersection = ${seen.intersection}`,
      union: `union = ${area(boxes.A)} + ${area(boxes.B)} − ${seen.intersection} = ${seen.union}`,
      iou: `IoU = ${seen.intersection} / ${seen.union} = ${fixed(seen.iou)}`,
      giou: `GIoU = ${fixed(seen.iou)} − ${seen.unused} / ${area(seen.hull)} = ${fixed(seen.giou)}`,
    });
  }

  update();
});
