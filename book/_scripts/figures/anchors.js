// The anchors of one cell on a scene, and which anchors of all cells are positive, forced, neutral and negative.

import { check, clamp, controls, fixed, grouped, help, mount, movable, paper, pointOf, row, set, slider, svg, values, words } from "figures/base";
import { iou } from "figures/overlap";
import data from "figures/anchors-data";

const STRIDE = 8;
const SCALES = [20, 28, 40, 56];
const RATIOS = [0.5, 1, 2];
const [HEIGHT, WIDTH] = data.size_hw;
const CELLS_HW = [HEIGHT / STRIDE, WIDTH / STRIDE];
const EDGE = 6; // pixels around the scene
const SAME = 1e9; // IoUs are rounded to so fine parts: equal ones are equal, however they were computed
const KINDS = {
  positive: { color: "blue", look: "anchors-positive" },
  forced: { color: "purple", look: "anchors-forced" },
  neutral: { color: "soft", look: "anchors-neutral" },
  negative: { color: "orange", look: "anchors-negative" },
};

/** Anchors of all cells, xyxy, in the order row, column, scale, ratio; a ratio is height / width. */
export function makeAnchors([rows, columns], stride, scales, ratios) {
  const anchors = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const [x, y] = [(j + 0.5) * stride, (i + 0.5) * stride];
      for (const scale of scales) {
        for (const ratio of ratios) {
          const [w, h] = [scale / Math.sqrt(ratio), scale * Math.sqrt(ratio)];
          anchors.push([x - w / 2, y - h / 2, x + w / 2, y + h / 2]);
        }
      }
    }
  }
  return anchors;
}

/** What each anchor is, the true box that it overlaps most, that IoU, and the largest IoU of each true box. */
export function assign(anchors, truths, positive, negative) {
  const table = anchors.map((anchor) => truths.map((truth) => Math.round(SAME * iou(anchor, truth)) / SAME));
  const largest = truths.map((_, index) => table.reduce((most, ious) => Math.max(most, ious[index]), 0));
  const found = table.map((ious) => {
    const best = Math.max(...ious);
    const isLargest = ious.some((one, index) => one > 0 && one === largest[index]);
    const rest = best < negative ? "negative" : "neutral";
    const kind = best >= positive ? "positive" : isLargest ? "forced" : rest;
    return { kind, iou: best, matched: ious.indexOf(best) };
  });
  return { found, largest };
}

/** How many there are of each kind. */
export function count(found) {
  return Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, found.filter((one) => one.kind === kind).length]));
}

mount("anchors", (stage) => {
  let cell = [7, 10]; // row, column
  const scales = new Set(SCALES);
  const ratios = new Set(RATIOS);
  let high = 0.7;
  let low = 0.3;

  const both = row(stage);
  const drawing = paper(both, { width: WIDTH, height: HEIGHT, margin: EDGE, label: "A scene with its true boxes and the anchors of one cell" });
  svg(drawing, "image", { href: data.picture, width: WIDTH, height: HEIGHT, class: "anchors-picture" });
  const dots = svg(drawing, "g", { class: "anchors-dots" });
  for (const box of data.boxes) rectangle(drawing, box, "anchors-truth");
  const frames = svg(drawing, "g", { class: "anchors-frames" });
  const things = data.boxes.map(([x1, y1]) =>
    words(drawing, x1, y1 - 3.8, "", { size: 5.6, anchor: "start", class: "figure-name figure-halo anchors-thing" }));
  const whole = svg(drawing, "rect", { width: WIDTH, height: HEIGHT, class: "figure-hit" });
  whole.addEventListener("click", (event) => {
    const { x, y } = pointOf(event, drawing);
    go([Math.floor(y / STRIDE), Math.floor(x / STRIDE)]);
  });
  const spot = svg(drawing, "rect", { width: STRIDE, height: STRIDE, class: "anchors-spot" });
  const handle = svg(drawing, "circle", { r: 9.5, class: "figure-hit" });
  movable(handle, {
    grab: () => cell,
    move: (start, dx, dy) => go([start[0] + Math.round(dy / STRIDE), start[1] + Math.round(dx / STRIDE)]),
    step: STRIDE,
  });

  const table = paper(both, { width: 320, height: 325, margin: 2, label: "The anchors of this cell and the kinds of anchors", widest: "24rem" });
  const entries = drawTable();
  const rules = drawLegend();
  const show = values(stage, ["cell", "best", "counts"]);
  const ticks = controls(stage);
  for (const [name, all, chosen] of [["scales", SCALES, scales], ["aspect ratios (height / width)", RATIOS, ratios]]) {
    const group = controls(ticks, name);
    for (const value of all) {
      const box = check(group, { label: String(value), value: true }, (on) => {
        if (on) chosen.add(value);
        else if (chosen.size > 1) chosen.delete(value);
        box.show(chosen.has(value)); // one of them stays
        update();
      });
    }
  }
  const thresholds = controls(stage);
  const limits = { min: 0.05, max: 0.95, step: 0.05, text: (value) => fixed(value, 2) };
  const highSlider = slider(thresholds, { label: "positive from", value: high, ...limits }, (value) => {
    high = value;
    low = Math.min(low, high);
    lowSlider.show(low);
    update();
  });
  const lowSlider = slider(thresholds, { label: "negative below", value: low, ...limits }, (value) => {
    low = value;
    high = Math.max(low, high);
    highSlider.show(high);
    update();
  });
  help(stage, "Click a cell, drag the marked one, or Tab to it and use the arrow keys. Frames with a name are true boxes, " +
    "each with the largest IoU that any anchor has with it. A coloured dot marks a cell with a positive anchor, a diamond one with a forced anchor.");

  // A line that can be seen on any picture: a broad one of the page's colour under it.
  function rectangle(parent, [x1, y1, x2, y2], name) {
    const place = { x: x1, y: y1, width: x2 - x1, height: y2 - y1 };
    svg(parent, "rect", { ...place, class: `anchors-halo ${name}` });
    svg(parent, "rect", { ...place, class: `anchors-frame ${name}` });
  }

  function drawTable() {
    words(table, 184, 10, "scale", { size: 13, class: "figure-soft" });
    words(table, 0, 30, "ratio", { size: 13, anchor: "start", class: "figure-soft" });
    SCALES.forEach((scale, k) => words(table, 80 + 69 * k, 30, String(scale), { size: 14 }));
    return RATIOS.flatMap((ratio, line) => {
      words(table, 0, 65 + 50 * line, String(ratio), { size: 14, anchor: "start" });
      return SCALES.map((scale, k) => {
        const frame = svg(table, "rect", { x: 48 + 69 * k, y: 43 + 50 * line, width: 64, height: 44 });
        const best = words(table, 80 + 69 * k, 58 + 50 * line, "", { size: 14 });
        const kind = words(table, 80 + 69 * k, 75 + 50 * line, "", { size: 13 });
        return { scale, ratio, frame, best, kind };
      });
    });
  }

  function drawLegend() {
    return Object.fromEntries(Object.entries(KINDS).map(([kind, { color, look }], line) => {
      const y = 220 + 29 * line;
      const group = svg(table, "g", { class: `figure-${color}` });
      svg(group, "rect", { x: 1, y: y - 9, width: 30, height: 18, class: `anchors-frame ${look}` });
      mark(group, kind, 46, y, 5.5);
      words(group, 63, y, kind, { size: 14, anchor: "start", class: "figure-name" });
      return [kind, words(table, 140, y, "", { size: 13, anchor: "start" })];
    }));
  }

  // What says on a cell that it has an anchor of a kind.
  function mark(parent, kind, x, y, size) {
    if (kind === "positive") svg(parent, "circle", { cx: x, cy: y, r: size, class: "anchors-mark" });
    if (kind === "forced") svg(parent, "path", { d: `M${x - 1.3 * size} ${y}l${1.3 * size} ${-1.3 * size}l${1.3 * size} ${1.3 * size}l${-1.3 * size} ${1.3 * size}z`, class: "anchors-mark" });
    if (kind === "neutral") svg(parent, "circle", { cx: x, cy: y, r: size * 0.45, class: "anchors-small" });
  }

  function go([i, j]) {
    cell = [clamp(i, 0, CELLS_HW[0] - 1), clamp(j, 0, CELLS_HW[1] - 1)];
    update();
  }

  function update() {
    const chosen = [SCALES.filter((one) => scales.has(one)), RATIOS.filter((one) => ratios.has(one))];
    const anchors = makeAnchors(CELLS_HW, STRIDE, ...chosen);
    const { found, largest } = assign(anchors, data.boxes, high, low);
    const each = chosen[0].length * chosen[1].length;
    const first = (cell[0] * CELLS_HW[1] + cell[1]) * each;

    dots.replaceChildren();
    for (let number = 0; number < found.length; number += each) {
      const here = new Set(found.slice(number, number + each).map(({ kind }) => kind));
      const kind = Object.keys(KINDS).find((one) => here.has(one));
      const place = number / each;
      const [x, y] = [(place % CELLS_HW[1]) + 0.5, Math.floor(place / CELLS_HW[1]) + 0.5].map((one) => one * STRIDE);
      mark(svg(dots, "g", { class: `figure-${KINDS[kind].color}` }), kind, x, y, 2);
    }
    things.forEach((text, index) => { text.textContent = `${data.names[index]} ${fixed(largest[index], 2)}`; });

    frames.replaceChildren();
    const order = Object.keys(KINDS).reverse(); // what matters is drawn last
    const mine = found.slice(first, first + each).map((one, k) => ({ ...one, k, box: anchors[first + k] }));
    for (const { kind, box } of [...mine].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))) {
      rectangle(svg(frames, "g", { class: `figure-${KINDS[kind].color}` }), box, KINDS[kind].look);
    }
    for (const { scale, ratio, frame, best, kind } of entries) {
      const index = chosen[0].indexOf(scale) * chosen[1].length + chosen[1].indexOf(ratio);
      const one = scales.has(scale) && ratios.has(ratio) ? mine[index] : null;
      set(frame, { class: one ? `anchors-frame figure-${KINDS[one.kind].color} ${KINDS[one.kind].look}` : "figure-grid" });
      best.textContent = one ? fixed(one.iou, 2) : "";
      kind.textContent = one ? one.kind : "";
    }
    rules.positive.textContent = `IoU ≥ ${fixed(high, 2)}`;
    rules.forced.textContent = "less, but a thing’s best";
    rules.neutral.textContent = low < high ? `from ${fixed(low, 2)} to below ${fixed(high, 2)}` : "none";
    rules.negative.textContent = `IoU < ${fixed(low, 2)}`;

    const [x, y] = [cell[1] * STRIDE, cell[0] * STRIDE];
    set(spot, { x, y });
    set(handle, { cx: x + STRIDE / 2, cy: y + STRIDE / 2, "aria-label": `Cell in row ${cell[0]}, column ${cell[1]}` });
    const best = mine.reduce((most, one) => (one.iou > most.iou ? one : most));
    const shape = `scale ${chosen[0][Math.floor(best.k / chosen[1].length)]}, ratio ${chosen[1][best.k % chosen[1].length]}`;
    const counts = count(found);
    show({
      cell: `Cell in row ${cell[0]}, column ${cell[1]}: ${each} anchors with their centre at (${x + STRIDE / 2}, ${y + STRIDE / 2})`,
      best: best.iou > 0
        ? `Best of them: ${shape}, (${best.box.map((edge) => fixed(edge, 2)).join(", ")}), IoU with the ${data.names[best.matched]} = ${fixed(best.iou)}`
        : "None of them overlaps a thing",
      counts: `All ${grouped(found.length)} anchors: ${Object.entries(counts).map(([kind, number]) => `${grouped(number)} ${kind}`).join(", ")}`,
    });
  }

  update();
});
