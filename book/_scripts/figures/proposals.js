// How many proposals it takes to find four things on a photograph: Selective Search, a grid, random boxes.

import { button, choice, clamp, controls, fixed, grouped, help, mount, movable, paper, row, set, slider, svg, values, words } from "figures/base";
import { iou } from "figures/overlap";
import { plate } from "figures/plate";
import data from "figures/proposals-data";

const MOST = 12; // places of the grid along each axis; nine boxes at each
const NUMBERS = Array.from({ length: MOST }, (_, index) => 9 * (index + 1) ** 2);
const SOURCES = { search: "Selective Search", grid: "grid", random: "random" };
const STYLES = {
  search: "figure-green",
  grid: "figure-blue figure-dashed",
  random: "figure-orange proposals-dotted",
};
const WIDTH = 340;
const PLOT = { left: 42, right: 326, top: 34, bottom: 262, height: 306 };

/** Three sizes times three shapes at each of perAxis² places, cut off at the border: (9 · perAxis²) boxes. */
export function gridBoxes(perAxis, side) {
  const inside = (value) => clamp(value, 0, side);
  const centres = Array.from({ length: perAxis }, (_, index) => ((index + 0.5) * side) / perAxis);
  const boxes = [];
  for (const y of centres) for (const x of centres) for (const size of [side / 8, side / 4, side / 2]) {
    for (const shape of [0.5, 1, 2].map(Math.sqrt)) {
      const [width, height] = [size / shape / 2, (size * shape) / 2];
      boxes.push([x - width, y - height, x + width, y + height].map(inside));
    }
  }
  return boxes;
}

/** Boxes between two random corners; the same for the same seed. */
export function randomBoxes(number, side, seed) {
  let state = seed >>> 0;
  function next() { // mulberry32: 32 bits are enough for a picture
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  return Array.from({ length: number }, () => {
    const [a, b, c, d] = [next(), next(), next(), next()].map((share) => share * side);
    return [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)];
  });
}

/** For each true box the largest IoU with a proposal, and which proposal that is (the first of equals). */
export function bestProposals(truths, proposals) {
  return truths.map((truth) => {
    let best = { iou: 0, index: 0 };
    proposals.forEach((box, index) => {
      const overlap = iou(truth, box);
      if (overlap > best.iou) best = { iou: overlap, index };
    });
    return best;
  });
}

/** The share of true boxes with a proposal of IoU ≥ threshold. */
export function recall(truths, proposals, threshold) {
  return bestProposals(truths, proposals).filter((best) => best.iou >= threshold).length / truths.length;
}

mount("proposals", (stage) => {
  const { side, names, truths, searched } = data;
  let source = "search";
  let place = 2; // in NUMBERS
  let threshold = 0.5;
  let seed = 33; // of the first forty the one whose recalls are nearest to the mean of all

  /** The proposals of a source when there may be NUMBERS[index] of them. */
  function proposed(name, index) {
    if (name === "grid") return gridBoxes(index + 1, side);
    if (name === "random") return randomBoxes(NUMBERS[index], side, seed);
    return searched.slice(0, NUMBERS[index]);
  }
  const best = {}; // of each source, for each number
  function measure(name) {
    best[name] = NUMBERS.map((_, index) => bestProposals(truths, proposed(name, index)));
  }
  Object.keys(SOURCES).forEach(measure);
  const found = (name, index) => best[name][index].filter((one) => one.iou >= threshold).length;

  const pair = row(stage);
  const picture = paper(pair, { width: WIDTH, height: WIDTH, label: "A photograph, its four true boxes, and the best proposal for each" });
  const plot = paper(pair, { width: WIDTH, height: PLOT.height, label: "Chart of the recall" });
  const show = values(stage, ["recall", "best"]);
  const first = controls(stage);
  choice(first, { label: "proposals from", options: SOURCES, value: source }, (key) => {
    source = key;
    update();
  });
  const again = button(first, "other random boxes", () => {
    seed += 1;
    measure("random");
    update();
  });
  const sliders = controls(stage);
  const knob = slider(sliders, {
    label: "number of proposals", min: 1, max: MOST, value: place + 1, text: (step) => grouped(NUMBERS[step - 1]),
  }, (step) => {
    place = step - 1;
    update();
  });
  slider(sliders, { label: "IoU threshold", min: 0.05, max: 0.95, step: 0.05, value: threshold, text: (value) => fixed(value, 2) }, (value) => {
    threshold = value;
    update();
  });
  help(stage, "Move the number by its slider, or drag the upright line in the chart. Yellow dashes are the true boxes; " +
    "the best proposal for each is blue if its IoU reaches the threshold, red and dotted if it does not.");

  // The picture.
  const scale = WIDTH / side;
  svg(picture, "image", { href: data.picture, width: WIDTH, height: WIDTH });
  const pile = svg(picture, "path", { class: "proposals-pile", transform: `scale(${scale})` });
  const marks = truths.map((truth, index) => {
    const group = svg(picture, "g", { "data-thing": names[index] });
    const [casing, line] = ["proposals-casing", "proposals-best"].map((kind) => svg(group, "rect", { class: kind }));
    for (const kind of ["proposals-casing", "proposals-truth"]) outline(svg(group, "rect", { class: kind }), truth);
    const [x1, y1, x2, y2] = truth.map((value) => value * scale);
    const [x, y] = [(x1 + x2) / 2, y1 > 40 ? y1 - 10 : y2 + 10];
    return { group, boxes: [casing, line], label: plate(group, WIDTH), x, y };
  });

  function outline(rectangle, [x1, y1, x2, y2]) {
    set(rectangle, { x: x1 * scale, y: y1 * scale, width: (x2 - x1) * scale, height: (y2 - y1) * scale });
  }

  // The chart.
  const span = Math.log(NUMBERS.at(-1) / NUMBERS[0]);
  const across = (number) => PLOT.left + (Math.log(number / NUMBERS[0]) / span) * (PLOT.right - PLOT.left);
  const up = (share) => PLOT.bottom - share * (PLOT.bottom - PLOT.top);
  for (let count = 0; count <= truths.length; count++) {
    const y = up(count / truths.length);
    svg(plot, "path", { d: `M${PLOT.left} ${y}H${PLOT.right}`, class: "figure-grid" });
    words(plot, PLOT.left - 7, y, `${count}/${truths.length}`, { size: 13, anchor: "end", class: "figure-soft" });
  }
  for (const number of [9, 36, 144, 441, 1296]) {
    svg(plot, "path", { d: `M${across(number)} ${PLOT.bottom}v4`, class: "figure-line figure-soft" });
    const x = Math.min(across(number), WIDTH - 24); // the last one stays on the paper
    words(plot, x, PLOT.bottom + 14, grouped(number), { size: 13, class: "figure-soft" });
  }
  words(plot, (PLOT.left + PLOT.right) / 2, PLOT.height - 8, "number of proposals", { size: 13 });
  words(plot, 0, 0, "recall", { size: 13, transform: `translate(8 ${up(0.625)}) rotate(-90)` });
  const lines = {};
  [["search", 12], ["grid", 172], ["random", 248]].forEach(([name, x]) => {
    svg(plot, "path", { d: `M${x} 10h26`, class: `figure-line proposals-curve ${STYLES[name]}` });
    words(plot, x + 31, 10, SOURCES[name], { size: 13, anchor: "start" });
    lines[name] = svg(plot, "path", { class: `figure-line proposals-curve ${STYLES[name]}` });
  });
  const now = svg(plot, "path", { d: `M0 ${PLOT.top - 6}V${PLOT.bottom + 4}`, class: "figure-line" });
  const here = svg(plot, "circle", { r: 6, class: "figure-dot" });
  const hit = svg(plot, "rect", { y: PLOT.top - 10, width: 44, height: PLOT.bottom - PLOT.top + 34, class: "figure-hit proposals-number" });
  movable(hit, {
    grab: () => across(NUMBERS[place]),
    move: (start, dx) => {
      const gaps = NUMBERS.map((number) => Math.abs(across(number) - start - dx));
      place = gaps.indexOf(Math.min(...gaps));
      update();
    },
    step: null, // by keyboard: the slider
  });

  function update() {
    const number = NUMBERS[place];
    const boxes = proposed(source, place);
    set(pile, {
      d: boxes.map(([x1, y1, x2, y2]) => `M${x1} ${y1}H${x2}V${y2}H${x1}Z`).join(""),
      "stroke-opacity": clamp(20 / number, 0.08, 0.7),
    });
    marks.forEach(({ group, boxes: rectangles, label, x, y }, index) => {
      const one = best[source][place][index];
      const reached = one.iou >= threshold;
      for (const rectangle of rectangles) outline(rectangle, boxes[one.index]);
      group.classList.toggle("proposals-missed", !reached);
      label.show(`${names[index]} ${fixed(one.iou, 2)} ${reached ? "✓" : "✕"}`, x, y);
    });
    for (const name of Object.keys(SOURCES)) {
      const points = NUMBERS.map((each, index) => `${across(each)} ${up(found(name, index) / truths.length)}`);
      set(lines[name], { d: `M${points.join("L")}` });
      lines[name].classList.toggle("proposals-chosen", name === source);
    }
    const x = across(number);
    set(now, { transform: `translate(${x} 0)` });
    set(here, { cx: x, cy: up(found(source, place) / truths.length) });
    set(hit, { x: x - 22 });
    knob.show(place + 1);
    set(again, { hidden: source === "random" ? null : "" });
    const count = found(source, place);
    const details = best[source][place].map((one, index) => `${names[index]}\u00a0${fixed(one.iou, 3)} (no.\u00a0${grouped(one.index + 1)})`);
    show({
      recall: `${SOURCES[source]}, ${grouped(number)} boxes: recall at IoU ${fixed(threshold, 2)} = ${count}/${truths.length} = ${fixed(count / truths.length, 2)}`,
      best: `best IoU: ${details.join(", ")}`,
    });
  }

  update();
});
