// The channels of a single-stage head as stacks of maps, and the rows that they become.

import {
  choice, clamp, controls, field, help, mount, movable, paper, pointOf, row, set, slider, svg, values, words,
} from "figures/base";

const LARGEST = 1024; // pixels, a side of the image
const STRIDES = { 8: "8", 16: "16", 32: "32" };
const MAX_STRIDE = 32; // image sides are multiples of it
const SHEET = { width: 190, height: 120, left: 40, bottom: 220 }; // the room for a map, in units of the drawing
const PAPER = { width: 320, height: 325 };
const NARROWEST = 3; // cells that are narrower have no lines between them
const COORDINATES = ["dx", "dy", "dw", "dh"];

const shown = (...sides) => `(${sides.join(",\u00a0")})`; // a tensor's shape, on one line
const span = ([first, last]) => (first === last ? String(first) : `${first}–${last}`);

/** The sizes of all outputs; `perAnchor` scores an anchor, of which one is for background with a softmax. */
export function headShape(imageHw, stride, anchors, classes, softmax) {
  const mapHw = imageHw.map((side) => side / stride);
  const perAnchor = classes + (softmax ? 1 : 0);
  const rows = mapHw[0] * mapHw[1] * anchors;
  return { mapHw, anchors, perAnchor, scoreChannels: anchors * perAnchor, boxChannels: anchors * 4, rows };
}

/** Where the numbers of one anchor of one cell are: first and last channels, and the row of the lists. */
export function place({ mapHw, anchors, perAnchor }, i, j, anchor) {
  return {
    scores: [anchor * perAnchor, (anchor + 1) * perAnchor - 1],
    boxes: [anchor * 4, anchor * 4 + 3],
    row: (i * mapHw[1] + j) * anchors + anchor,
  };
}

mount("head-shape", (stage) => {
  let image = [480, 640]; // height, width
  let stride = 32;
  let anchors = 9;
  let classes = 20;
  let softmax = true;
  let cell = [7, 10];
  let anchor = 3;

  const all = row(stage);
  const decks = [deck("class scores", "blue", 7), deck("box corrections", "green", 3)];
  const list = paper(all, { ...PAPER, height: 300, label: "The rows of one cell in the lists of scores and corrections" });
  const show = values(all, ["map", "scores", "boxes", "lists", "row"]);

  const sizes = controls(stage);
  for (const [axis, label] of [[1, "image width"], [0, "height"]]) {
    field(sizes, { label, min: MAX_STRIDE, max: LARGEST, step: MAX_STRIDE, value: image[axis] }, (value) => {
      image = image.with(axis, value);
      update();
    });
  }
  choice(sizes, { label: "stride", options: STRIDES, value: stride }, (key) => {
    stride = Number(key);
    update();
  });
  choice(sizes, { label: "classes by", options: { softmax: "softmax, C + 1", sigmoid: "sigmoids, C" }, value: "softmax" }, (key) => {
    softmax = key === "softmax";
    update();
  });
  const numbers = controls(stage);
  slider(numbers, { label: "classes C", min: 1, max: 80, value: classes }, (value) => {
    classes = value;
    update();
  });
  slider(numbers, { label: "anchors K", min: 1, max: 12, value: anchors }, (value) => {
    anchors = value;
    update();
  });
  const which = slider(numbers, { label: "chosen anchor", min: 0, max: anchors - 1, value: anchor }, (value) => {
    anchor = value;
    update();
  });
  help(stage, "Click a cell on a map or drag the chosen one; with the keyboard, Tab to it and use the arrow keys. " +
    "Each sheet stands for all channels of one anchor. Click a row of the list to choose its anchor. Rows, columns, anchors and channels are counted from 0.");

  function deck(title, color, gap) {
    const drawing = paper(all, { ...PAPER, label: `The channels of the ${title}` });
    const heading = words(drawing, 2, 12, "", { size: 14, anchor: "start", class: `figure-name figure-${color}` });
    const body = svg(drawing, "g", { class: `figure-${color}` });
    const front = svg(drawing, "rect", { class: "figure-hit" });
    front.addEventListener("click", (event) => {
      const at = pointOf(event, drawing);
      const { side, left, top } = layout();
      go([Math.floor((at.y - top) / side), Math.floor((at.x - left) / side)]);
    });
    const handle = svg(drawing, "circle", { r: 21, class: "figure-hit head-handle" });
    movable(handle, {
      grab: () => cell,
      move: (start, dx, dy) => go([dy, dx].map((way, axis) => start[axis] + Math.round(way / layout().side))),
      step: () => layout().side,
    });
    return { title, gap, heading, body, front, handle };
  }

  // Where the front maps are, and how large a cell: those of anchor k are k gaps further up and right.
  function layout() {
    const [rows, columns] = headShape(image, stride, anchors, classes, softmax).mapHw;
    const side = Math.min(SHEET.width / columns, SHEET.height / rows);
    return { side, left: SHEET.left, top: SHEET.bottom - side * rows, width: side * columns, height: side * rows };
  }

  function go([i, j]) {
    cell = [i, j];
    update();
  }

  function drawDeck({ title, gap, heading, body, front, handle }, shape, channels, members) {
    const { side, left, top, width, height } = layout();
    const [rows, columns] = shape.mapHw;
    heading.textContent = `${title}: ${shape.anchors} × ${members.length} = ${shape.anchors * members.length} channels`;
    body.replaceChildren();
    for (let k = shape.anchors - 1; k >= 0; k--) {
      const back = { x: left + k * gap, y: top - k * gap, width, height };
      svg(body, "rect", { ...back, class: "head-sheet" });
      svg(body, "rect", { ...back, class: k === anchor ? "figure-shape" : "head-edge" });
    }
    let lines = "";
    for (let j = 1; j < columns && side > NARROWEST; j++) lines += `M${left + j * side} ${top}v${height}`;
    for (let i = 1; i < rows && side > NARROWEST; i++) lines += `M${left} ${top + i * side}h${width}`;
    svg(body, "path", { d: lines, class: "figure-grid" });
    const shift = anchor * gap;
    const [x, y] = [left + (cell[1] + 0.5) * side, top + (cell[0] + 0.5) * side];
    svg(body, "path", { d: `M${x} ${y}l${shift} ${-shift}`, class: "head-needle" });
    const spot = Math.max(side, 7);
    svg(body, "rect", { x: x - spot / 2, y: y - spot / 2, width: spot, height: spot, class: "head-cell" });
    words(body, left - 5, top + height / 2 - 7, String(rows), { size: 13, anchor: "end" });
    words(body, left - 5, top + height / 2 + 7, rows > 1 ? "rows" : "row", { size: 13, anchor: "end" });
    words(body, left, top + height + 10, `${columns} ${columns > 1 ? "columns" : "column"}`, { size: 13, anchor: "start" });
    set(front, { x: left, y: top, width, height });
    const label = `Cell in row ${cell[0]}, column ${cell[1]}`;
    set(handle, { cx: x, cy: y, "aria-label": label });
    drawGroups(body, shape, channels, members);
  }

  // All channels as a strip, in groups of an anchor, and one group enlarged.
  function drawGroups(body, shape, [first, last], members) {
    const [left, right, top, below] = [4, PAPER.width - 4, 262, 293];
    const wide = (right - left) / shape.anchors;
    for (let k = 0; k < shape.anchors; k++) {
      const mine = k === anchor;
      svg(body, "rect", { x: left + k * wide, y: top, width: wide, height: 16, class: mine ? "figure-shape" : "head-edge" });
      words(body, left + (k + 0.5) * wide, top + 8, String(k), { size: 13, class: mine ? "figure-name" : "" });
    }
    words(body, left, top - 11, `anchor ${anchor}: channels ${span([first, last])}`, { size: 13, anchor: "start", class: "figure-name" });
    const [from, to] = [left + anchor * wide, left + (anchor + 1) * wide];
    svg(body, "path", { d: `M${from} ${top + 16}L${left} ${below}M${to} ${top + 16}L${right} ${below}`, class: "head-edge" });
    const part = (right - left) / members.length;
    let lines = `M${left} ${below}h${right - left}v16h${left - right}z`;
    for (let n = 1; n < members.length; n++) lines += `M${left + n * part} ${below}v16`;
    svg(body, "path", { d: lines, class: "head-edge" });
    const few = members.length <= 4;
    members.forEach((member, n) => {
      if (!few && n > 0 && n < members.length - 1) return;
      const anchorAt = few ? "middle" : n === 0 ? "start" : "end";
      const x = few ? left + (n + 0.5) * part : n === 0 ? left : right;
      words(body, x, below + 25, member, { size: 13, anchor: anchorAt });
    });
  }

  function drawList(shape) {
    list.replaceChildren();
    const columns = [38, 96, 180, 273];
    ["row", "anchor", "scores:", "corrections:"].forEach((text, n) => words(list, columns[n], 10, text, { size: 13 }));
    ["", "", "channels", "channels"].forEach((text, n) => words(list, columns[n], 25, text, { size: 13 }));
    const high = Math.min(24, 222 / shape.anchors);
    const { row: first } = place(shape, ...cell, 0);
    const end = 48 + high * shape.anchors;
    const dots = (y, more) => words(list, columns[0], y, more ? "⋮" : "", { size: 13 });
    dots(39, first > 0);
    dots(end + 8, first + shape.anchors < shape.rows);
    for (let k = 0; k < shape.anchors; k++) {
      const y = 48 + high * k;
      const mine = k === anchor;
      const { row: number, scores, boxes } = place(shape, ...cell, k);
      const line = svg(list, "g", { class: "head-row" });
      svg(line, "rect", { x: 3, y, width: 314, height: high, class: mine ? "figure-shape" : "figure-grid figure-hit" });
      [String(number), String(k), span(scores), span(boxes)].forEach((text, n) => {
        const color = ["", "", "figure-blue", "figure-green"][n];
        words(line, columns[n], y + high / 2, text, { size: 13, class: mine ? `figure-name ${color}` : color });
      });
      line.addEventListener("click", () => {
        anchor = k;
        update();
      });
    }
  }

  function update() {
    const shape = headShape(image, stride, anchors, classes, softmax);
    const [rows, columns] = shape.mapHw;
    cell = [clamp(cell[0], 0, rows - 1), clamp(cell[1], 0, columns - 1)];
    anchor = Math.min(anchor, anchors - 1);
    which.show(anchor, { max: anchors - 1 });
    const { scores, boxes, row: number } = place(shape, ...cell, anchor);
    const names = Array.from({ length: classes }, (_, n) => `class ${n + 1}`);
    drawDeck(decks[0], shape, scores, softmax ? ["background", ...names] : names);
    drawDeck(decks[1], shape, boxes, COORDINATES);
    drawList(shape);
    show({
      map: `Feature map: (${image[0]} / ${stride}) × (${image[1]} / ${stride}) = ${rows} × ${columns} cells`,
      scores: `Scores: ${anchors} · ${softmax ? `(${classes} + 1)` : classes} = ${shape.scoreChannels} channels: ${shown(1, shape.scoreChannels, rows, columns)}`,
      boxes: `Corrections: ${anchors} · 4 = ${shape.boxChannels} channels: ${shown(1, shape.boxChannels, rows, columns)}`,
      lists: `As lists: ${shown(1, shape.rows, shape.perAnchor)} and ${shown(1, shape.rows, 4)}`,
      row: `Row ${cell[0]}, column ${cell[1]}, anchor ${anchor}: (${cell[0]} · ${columns} + ${cell[1]}) · ${anchors} + ${anchor} = ${number}`,
    });
  }

  update();
});
