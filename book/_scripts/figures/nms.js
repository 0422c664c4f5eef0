// Non-maximum suppression round by round: the best box stays, those that overlap it too much fall.

import { choice, clamp, controls, fixed, help, mount, movable, paper, row, set, slider, stepper, svg, values, words } from "figures/base";
import { iou } from "figures/overlap";
import { plate, plateWidth } from "figures/plate";

const WIDTH = 350;
const HEIGHT = 250; // of the list
const MARGIN = 20; // above and below the boxes, for their labels
const BAR = { left: 100, width: 132 }; // the axis from IoU 0 to 1 in the list
const FIRST_ROW = 34;
const LAST_ROW = 218; // the bottom of it
const HUES = ["blue", "orange", "purple", "yellow"];
const SCENES = {
  "two dogs": {
    threshold: 0.7,
    names: HUES,
    boxes: [[40, 50, 200, 210], [30, 65, 190, 215], [180, 105, 320, 225], [170, 115, 315, 240]],
    scores: [0.9, 0.8, 0.75, 0.7],
    things: [["dog", [38, 54, 198, 208]], ["dog", [178, 108, 316, 228]]],
  },
  "a row": {
    threshold: 0.5,
    names: ["A", "B", "C"],
    boxes: [[40, 40, 220, 210], [85, 40, 265, 210], [130, 40, 310, 210]],
    scores: [0.9, 0.8, 0.7],
    things: [],
  },
  "two people": {
    threshold: 0.595,
    names: ["first", "second", "duplicate"],
    boxes: [[105, 44, 205, 244], [130, 44, 230, 244], [82.5, 44, 185, 221.5]],
    scores: [0.9, 0.85, 0.5],
    things: [["person", [108, 48, 202, 242]], ["person", [134, 48, 227, 242]]],
  },
  "eight boxes": {
    threshold: 0.5,
    names: ["A", "B", "C", "D", "E", "F", "G", "H"],
    boxes: [
      [14, 128, 150, 236], [160, 34, 240, 230], [196, 52, 278, 240], [24, 116, 158, 228],
      [152, 46, 236, 238], [204, 40, 290, 226], [4, 106, 126, 240], [170, 20, 226, 218],
    ],
    scores: [0.96, 0.93, 0.88, 0.81, 0.74, 0.66, 0.52, 0.37],
    things: [["dog", [16, 126, 152, 234]], ["person", [162, 36, 238, 228]], ["person", [198, 54, 278, 238]]],
  },
};

export { iou };

/** Indices from the best score to the worst; equal scores keep their order. */
export function ranking(scores) {
  return scores.map((_, index) => index).sort((i, j) => scores[j] - scores[i]);
}

/** The rounds of greedy NMS: the box that is kept, and what it does to those that remained. */
export function rounds(boxes, scores, threshold) {
  const steps = [];
  let remaining = ranking(scores);
  while (remaining.length > 0) {
    const [kept, ...others] = remaining;
    const overlaps = others.map((index) => ({ index, iou: iou(boxes[kept], boxes[index]) }));
    const falls = overlaps.filter((other) => other.iou > threshold).map(({ index }) => index);
    steps.push({ kept, overlaps, falls });
    remaining = others.filter((index) => !falls.includes(index));
  }
  return steps;
}

/** Indices of the boxes that are kept, best first. */
export function nms(boxes, scores, threshold) {
  return rounds(boxes, scores, threshold).map(({ kept }) => kept);
}

function listed(names) {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

// A dog from the side and a person from the front, in a unit square.
const SHAPES = {
  dog: [
    ["ellipse", { cx: 0.48, cy: 0.5, rx: 0.34, ry: 0.21 }],
    ["ellipse", { cx: 0.78, cy: 0.2, rx: 0.16, ry: 0.2 }],
    ["ellipse", { cx: 0.92, cy: 0.26, rx: 0.08, ry: 0.08 }],
    ["path", { d: "M.19 .5H.26V1H.19ZM.29 .5H.36V1H.29ZM.65 .5H.72V1H.65ZM.75 .5H.82V1H.75Z" }],
    ["path", { d: "M.16 .44L0 .08L.05 .04L.24 .42Z" }],
  ],
  person: [
    ["ellipse", { cx: 0.5, cy: 0.11, rx: 0.2, ry: 0.11 }],
    ["path", { d: "M.28 .24H.72Q1 .25 .98 .6H.86L.8 .4L.78 1H.55L.5 .64L.45 1H.22L.2 .4L.14 .6H.02Q0 .25 .28 .24Z" }],
  ],
};

function thing(parent, kind, [x1, y1, x2, y2]) {
  const group = svg(parent, "g", { class: "nms-thing", transform: `translate(${x1} ${y1}) scale(${x2 - x1} ${y2 - y1})` });
  for (const [shape, place] of SHAPES[kind]) svg(group, shape, place);
}

mount("nms", (stage) => {
  let scene = SCENES["two dogs"];
  let threshold = scene.threshold;
  let step = 1;

  const pair = row(stage);
  const picture = paper(pair, { width: WIDTH, height: HEIGHT, label: "Boxes with their scores" });
  const list = paper(pair, { width: WIDTH, height: HEIGHT, label: "The boxes by score, and their IoU with the box that is kept in this round" });
  const show = values(stage, ["round", "result"]);
  const line = controls(stage);
  const knob = slider(line, {
    label: "threshold", min: 0, max: 1, step: 0.005, value: threshold, text: (value) => fixed(value),
  }, (value) => {
    threshold = value;
    update();
  });
  const walk = stepper(controls(stage), {
    last: 2, value: step, text: (now, last) => (now === 0 ? "before the first round" : `round ${now} of ${last}`),
  }, (next) => {
    step = next;
    update();
  });
  choice(controls(stage), {
    label: "boxes", options: Object.fromEntries(Object.keys(SCENES).map((name) => [name, name])), value: "two dogs",
  }, (name) => {
    scene = SCENES[name];
    threshold = scene.threshold;
    step = 1;
    build();
    update();
  });
  help(stage, "Move the threshold, by its slider or by the line in the list. Back and Next walk through the rounds. " +
    "A thick outline is kept, a crossed one falls in this round, a faint one fell before.");

  let parts = [];
  let mark = null;

  /** The elements of a scene, once; update() moves and marks them. */
  function build() {
    picture.textContent = "";
    list.textContent = "";
    const top = Math.min(...scene.boxes.map((box) => box[1])) - MARGIN;
    const floor = Math.max(...scene.boxes.map((box) => box[3])) + MARGIN;
    set(picture, { viewBox: `0 ${top} ${WIDTH} ${floor - top}` });
    for (const [kind, box] of scene.things) thing(picture, kind, box);
    const order = ranking(scene.scores);
    const pitch = Math.min(44, (LAST_ROW - FIRST_ROW) / order.length);
    const bottom = FIRST_ROW + pitch * order.length;
    mark = { title: words(list, BAR.left, 8, "", { size: 13, anchor: "start" }) };
    words(list, WIDTH - 2, 8, "at the end", { size: 13, anchor: "end" });
    for (const tick of [0, 0.5, 1]) {
      const x = BAR.left + tick * BAR.width;
      svg(list, "path", { d: `M${x} ${FIRST_ROW}V${bottom}`, class: "figure-grid" });
      words(list, x, FIRST_ROW - 9, String(tick), { size: 13, class: "figure-soft" });
    }
    parts = [];
    order.forEach((index, rank) => {
      const hue = HUES[index % HUES.length];
      const colour = hue === "yellow" ? "nms-yellow" : `figure-${hue}`;
      const [x1, y1, x2, y2] = scene.boxes[index];
      const drawn = svg(picture, "g", { class: colour, "data-outline": scene.names[index] });
      const outline = svg(drawn, "rect", { x: x1, y: y1, width: x2 - x1, height: y2 - y1 });
      const cross = svg(drawn, "path", { d: `M${x1} ${y1}L${x2} ${y2}M${x1} ${y2}L${x2} ${y1}`, class: "figure-line figure-dashed" });
      const y = FIRST_ROW + pitch * (rank + 0.5);
      const cells = svg(list, "g", { class: colour, "data-box": scene.names[index] });
      words(cells, 0, y, `${scene.names[index]} ${fixed(scene.scores[index], 2)}`, { size: 13, anchor: "start", class: "figure-name" });
      const bar = svg(cells, "rect", { x: BAR.left, y: y - 7, height: 14, width: 0, class: "figure-fill" });
      const verdict = words(cells, BAR.left + BAR.width + 10, y, "", { size: 13, anchor: "start" });
      const end = words(cells, WIDTH - 8, y, "", { size: 16, anchor: "end", role: "img" });
      parts[index] = { drawn, outline, cross, bar, verdict, end, cells, box: scene.boxes[index] };
    });
    // Labels last, so that no outline runs through them; where two meet, the next corner is taken.
    const taken = [];
    for (const index of order) {
      const text = `${scene.names[index]} ${fixed(scene.scores[index], 2)}`;
      const wide = plateWidth(text);
      const [x1, y1, x2, y2] = scene.boxes[index];
      const places = [[x1, y1 - 17], [x1, y2 + 1], [x2 - wide, y2 + 1], [x2 - wide, y1 - 17], [x2 - wide, y2 - 17], [x1, y1 + 1]];
      const free = ([x, y]) => x >= 0 && y >= top && x + wide <= WIDTH && y + 16 <= floor &&
        taken.every(([a, b, w]) => x + wide <= a || a + w <= x || y + 16 <= b || b + 16 <= y);
      const [x, y] = places.find(free) ?? places[0];
      taken.push([x, y, wide]);
      const label = svg(picture, "g", { class: parts[index].drawn.getAttribute("class") });
      plate(label, WIDTH).show(text, x + wide / 2, y + 8);
      parts[index].label = label;
    }
    mark.line = svg(list, "path", { d: `M0 ${FIRST_ROW}V${bottom + 8}`, class: "figure-line", "stroke-width": 2 });
    mark.knob = svg(list, "circle", { r: 6, cy: bottom + 8, class: "figure-dot" });
    mark.text = words(list, 0, bottom + 25, "", { size: 13 });
    mark.hit = svg(list, "rect", { y: FIRST_ROW, width: 44, height: bottom - FIRST_ROW + 32, class: "figure-hit nms-threshold" });
    movable(mark.hit, {
      grab: () => threshold,
      move: (start, dx) => {
        threshold = Math.round(200 * clamp(start + dx / BAR.width, 0, 1)) / 200;
        update();
      },
      step: null, // by keyboard: the slider
    });
  }

  function update() {
    const steps = rounds(scene.boxes, scene.scores, threshold);
    step = Math.min(step, steps.length);
    walk.show(step, steps.length);
    knob.show(threshold);
    const now = step > 0 ? steps[step - 1] : null;
    const fate = scene.boxes.map(() => ({ state: "waits", text: step === 0 ? "" : "remains" }));
    steps.slice(0, step).forEach(({ kept, overlaps, falls }, round) => {
      const last = round === step - 1;
      fate[kept] = { state: last ? "best" : "kept", text: last ? "kept now" : "kept before" };
      for (const index of falls) fate[index] = { state: last ? "falls" : "fell", text: "fell before" };
      if (!last) return;
      for (const { index, iou: overlap } of overlaps) {
        fate[index].overlap = overlap;
        fate[index].text = `${fixed(overlap)} ${falls.includes(index) ? "falls" : "stays"}`;
      }
    });
    const final = steps.map(({ kept }) => kept);
    parts.forEach(({ drawn, outline, cross, bar, verdict, end, cells, label }, index) => {
      const { state, text, overlap } = fate[index];
      const faint = state === "fell";
      const kind = { best: "figure-shape nms-kept", kept: "figure-line nms-kept" }[state] ?? "figure-line";
      set(outline, { class: ["falls", "fell"].includes(state) ? "figure-line figure-dashed" : kind });
      set(cross, { display: state === "falls" ? null : "none" });
      for (const group of [drawn, label]) group.classList.toggle("nms-faint", faint);
      cells.classList.toggle("nms-faint", faint);
      set(bar, { width: (overlap ?? 0) * BAR.width });
      verdict.textContent = text;
      end.textContent = final.includes(index) ? "✓" : "–";
      set(end, { "aria-label": final.includes(index) ? "kept at the end" : "dropped at the end" });
    });
    mark.title.textContent = now ? `IoU with ${scene.names[now.kept]}` : "IoU";
    const x = BAR.left + threshold * BAR.width;
    set(mark.line, { transform: `translate(${x} 0)` });
    set(mark.knob, { cx: x });
    set(mark.text, { x });
    mark.text.textContent = `threshold ${fixed(threshold)}`;
    set(mark.hit, { x: x - 22 });
    const name = (index) => scene.names[index];
    const fallen = now ? now.falls.map(name) : [];
    const drop = fallen.length === 0 ? "nothing falls" : `${listed(fallen)} ${fallen.length > 1 ? "fall" : "falls"}`;
    show({
      round: now ? `round ${step} of ${steps.length}: ${name(now.kept)} is kept, ${drop}` : `${scene.boxes.length} boxes, none kept yet`,
      result: `kept at the end, ${final.length} of ${scene.boxes.length}: ${listed(final.map(name))}`,
    });
  }

  build();
  update();
});
