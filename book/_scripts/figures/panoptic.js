// The panoptic merge: instances claim pixels, the surest first; too much overlap drops one; stuff fills the rest.

import { choice, controls, fixed, help, html, mount, paper, row, set, slider, svg, values, words } from "figures/base";
import { areaPath, borderPath, rowsOf, unpacked } from "figures/masks";
import data from "figures/panoptic-data";

export { unpacked };

const VOID = 255;
const NAMES = { 1: "disk", 2: "square", 3: "triangle", 4: "person", 5: "sky", 6: "grass", 7: "water" };
const STUFF = [5, 6, 7];
const COLORS = ["blue", "orange", "green", "purple"];
const LETTERS = "ABCDE";
const MANY = 16; // pixels in a row: from here on they are not drawn one by one

// The page's little picture, 4 × 6 pixels.
const LITTLE = {
  size: [4, 6],
  semantic: [5, 6, 1, 5, 5, 1, 1, 5, 6, 1, 6, 5, 1, 1],
  instances: [
    { label: 1, score: 0.9, mask: [0, 6, 1, 3, 0, 3, 1, 3, 0, 9] },
    { label: 1, score: 0.8, mask: [0, 8, 1, 3, 0, 3, 1, 3, 0, 7] },
    { label: 2, score: 0.7, mask: [0, 6, 1, 2, 0, 4, 1, 2, 0, 4, 1, 1, 0, 5] },
  ],
  truth: { classes: [5, 6, 1, 12, 6, 5, 1, 1], instances: [0, 6, 1, 4, 2, 2, 1, 4, 2, 2, 0, 5, 2, 1] },
};
const PICTURES = { "4 × 6 pixels": LITTLE, "the scene": data };

/**
 * Class and instance of each pixel, flat and in rows, and what happened to the instances, by score.
 * One is dropped if more than `threshold` of its own area is taken, or nothing is left.
 */
export function panopticMerge(semantic, masks, labels, scores, stuff, threshold) {
  const classes = semantic.map((label) => (stuff.includes(label) ? label : VOID));
  const instances = semantic.map(() => 0);
  const order = scores.map((_, index) => index).sort((i, j) => scores[j] - scores[i]); // a tie keeps its order
  let accepted = 0;
  const fates = order.map((index) => {
    const pixels = masks[index].flatMap((inside, pixel) => (inside ? [pixel] : []));
    const free = pixels.filter((pixel) => instances[pixel] === 0);
    const taken = pixels.length - free.length;
    const tooMuch = taken - threshold * pixels.length > 1e-9;
    if (tooMuch || free.length === 0) return { index, area: pixels.length, taken, tooMuch, id: 0 };
    accepted += 1;
    for (const pixel of free) [classes[pixel], instances[pixel]] = [labels[index], accepted];
    return { index, area: pixels.length, taken, tooMuch, id: accepted };
  });
  return { classes, instances, fates };
}

function segments({ classes, instances }) {
  const found = new Map();
  classes.forEach((label, pixel) => {
    if (label === VOID) return;
    const key = `${label}:${instances[pixel]}`;
    if (!found.has(key)) found.set(key, { label, id: instances[pixel], pixels: [] });
    found.get(key).pixels.push(pixel);
  });
  return [...found.values()];
}

/** TP, FP, FN, PQ, SQ and RQ of each class that is in one of two maps; a match is IoU > 0.5. */
export function panopticQuality(prediction, target) {
  const known = target.classes.map((label) => label !== VOID);
  const truth = segments(target);
  const said = segments(prediction);
  const owner = new Map(truth.flatMap((segment) => segment.pixels.map((pixel) => [pixel, segment])));
  const counts = {};
  const of = (label) => (counts[label] ??= { tp: 0, fp: 0, fn: 0, overlap: 0 });
  const found = new Set();
  for (const segment of said) {
    const seen = segment.pixels.filter((pixel) => known[pixel]).length;
    const shared = new Map();
    for (const pixel of segment.pixels) {
      const other = owner.get(pixel);
      if (other?.label === segment.label) shared.set(other, (shared.get(other) ?? 0) + 1);
    }
    let matched = false;
    for (const [other, both] of shared) {
      const iou = both / (other.pixels.length + seen - both);
      if (iou <= 0.5) continue;
      matched = true;
      found.add(other);
      of(segment.label).tp += 1;
      of(segment.label).overlap += iou;
    }
    if (!matched && seen >= segment.pixels.length / 2) of(segment.label).fp += 1;
  }
  for (const segment of truth) if (!found.has(segment)) of(segment.label).fn += 1;
  return Object.entries(counts).map(([label, { tp, fp, fn, overlap }]) => {
    const sq = overlap / Math.max(tp, 1);
    const rq = tp / (tp + fp / 2 + fn / 2);
    return { label: Number(label), tp, fp, fn, sq, rq, pq: sq * rq };
  });
}

function pixels(count) {
  return `${count} ${count === 1 ? "pixel" : "pixels"}`;
}

// The middle of one of the longest rows of pixels.
function longestRow(inside, width) {
  const rows = [...rowsOf(inside, width)];
  const longest = Math.max(...rows.map(([start, end]) => end - start));
  const long = rows.filter(([start, end]) => end - start > 0.8 * longest);
  const [start, end] = long[Math.floor(long.length / 2)];
  const y = Math.floor(start / width);
  return [(start + end) / 2 - y * width, y + 0.5];
}

// The middle of the pixel, of those that are in the fewest others, that is next to the middle of all.
function labelPlace(inside, width, crowd) {
  const pixels = inside.flatMap((one, pixel) => (one ? [pixel] : []));
  const mean = (of) => pixels.reduce((total, pixel) => total + of(pixel), 0) / pixels.length;
  const [x, y] = [mean((pixel) => pixel % width), mean((pixel) => Math.floor(pixel / width))];
  const fewest = Math.min(...pixels.map((pixel) => crowd[pixel]));
  const far = (pixel) => (pixel % width - x) ** 2 + (Math.floor(pixel / width) - y) ** 2;
  const best = pixels.filter((pixel) => crowd[pixel] === fewest).reduce((a, b) => (far(b) < far(a) ? b : a));
  return [(best % width) + 0.5, Math.floor(best / width) + 0.5];
}

mount("panoptic", (stage) => {
  let picture;
  let scores;
  let threshold = 0.5;

  // On top, so that on a phone the merged map is near.
  slider(controls(stage), {
    label: "overlap threshold", min: 0, max: 1, step: 0.05, value: threshold, text: (value) => fixed(value, 2),
  }, (next) => {
    threshold = next;
    update();
  });
  const grid = row(stage);
  const papers = {};
  for (const [key, title] of Object.entries({ masks: "masks, over the semantic map", merged: "merged", truth: "truth" })) {
    const place = html(grid, "div");
    html(place, "p", { class: "panoptic-title" }, title);
    papers[key] = paper(place, { width: 1, height: 1, widest: "24rem", label: `picture: ${title}` });
  }
  const place = html(grid, "div");
  html(place, "p", { class: "panoptic-title" }, "panoptic quality of the merged map");
  const table = html(place, "table", { class: "panoptic-table" });
  const show = values(stage, [...LETTERS, "void", "quality"]);
  const sliders = controls(stage, "scores");
  const lines = html(sliders, "div", { class: "figure-controls panoptic-scores" });
  const names = Object.fromEntries(Object.keys(PICTURES).map((name) => [name, name]));
  choice(controls(stage), { label: "picture", options: names, value: "4 × 6 pixels" }, load);
  help(stage, "Move the overlap threshold and the scores, by pointer or by arrow keys, and read what becomes of each " +
    "instance. Numbers in the merged map count the instances as they are accepted.");

  function load(name) {
    const { size, semantic, instances, truth } = PICTURES[name];
    picture = {
      height: size[0],
      width: size[1],
      semantic: unpacked(semantic),
      labels: instances.map(({ label }) => label),
      masks: instances.map(({ mask }) => unpacked(mask).map(Boolean)),
      truth: { classes: unpacked(truth.classes), instances: unpacked(truth.instances) },
    };
    scores = instances.map(({ score }) => score);
    lines.textContent = "";
    scores.forEach((score, index) => {
      slider(lines, {
        label: named(index), min: 0, max: 1, step: 0.01, value: score, text: (value) => fixed(value, 2),
      }, (next) => {
        scores[index] = next;
        update();
      });
    });
    for (const drawing of Object.values(papers)) set(drawing, { viewBox: `0 0 ${size[1]} ${size[0]}` });
    drawMasks();
    drawMap(papers.truth, picture.truth, (label, id) => (id > 0 ? `${NAMES[label]} ${id}` : NAMES[label]));
    update();
  }

  function named(index) {
    return `${LETTERS[index]}, ${NAMES[picture.labels[index]]}`;
  }

  function say(drawing, [x, y], text) {
    words(drawing, x, y, text, { size: 0.048 * picture.width, class: "figure-name figure-halo" });
  }

  function pixelLines(drawing) {
    const { width, height } = picture;
    if (width > MANY) return; // they would be all that is seen
    const across = Array.from({ length: height + 1 }, (_, y) => `M0 ${y}h${width}`);
    const down = Array.from({ length: width + 1 }, (_, x) => `M${x} 0v${height}`);
    svg(drawing, "path", { d: [...across, ...down].join(""), class: "figure-grid" });
  }

  function drawMasks() {
    const { semantic, masks, width } = picture;
    const drawing = papers.masks;
    drawing.textContent = "";
    for (const label of new Set(semantic)) {
      const inside = semantic.map((one) => one === label);
      svg(drawing, "path", { d: areaPath(inside, width), class: `panoptic-pale panoptic-${label}` });
    }
    pixelLines(drawing);
    const crowd = semantic.map((_, pixel) => masks.filter((mask) => mask[pixel]).length);
    masks.forEach((mask, index) => {
      const color = `figure-${COLORS[index % COLORS.length]}`;
      svg(drawing, "path", { d: areaPath(mask, width), class: `panoptic-mask ${color}` });
      const outline = svg(drawing, "path", { d: borderPath(mask, width, false), class: `panoptic-outline ${color}` });
      // On the little picture outlines lie on each other: a wide one below shows beside a thin one.
      set(outline, { "stroke-width": width > MANY ? 2 : 8 - 2.5 * index });
    });
    masks.forEach((mask, index) => say(drawing, labelPlace(mask, width, crowd), LETTERS[index]));
  }

  /** A map of classes and instances; `text(label, id)` names a segment that is large enough. */
  function drawMap(drawing, map, text) {
    const { width, height } = picture;
    drawing.textContent = "";
    const keys = map.classes.map((label, pixel) => label * 100 + map.instances[pixel]);
    const all = [...new Set(keys)].sort((a, b) => a - b);
    const before = {}; // instances of the class so far
    for (const key of all) {
      const label = Math.floor(key / 100);
      before[label] = (before[label] ?? -1) + 1;
      const kind = `panoptic-area panoptic-${label} ${before[label] % 2 > 0 ? "panoptic-second" : ""}`;
      svg(drawing, "path", { d: areaPath(keys.map((one) => one === key), width), class: kind });
    }
    pixelLines(drawing);
    svg(drawing, "path", { d: borderPath(keys, width), class: "panoptic-border" });
    for (const key of all) {
      const inside = keys.map((one) => one === key);
      if (inside.filter(Boolean).length < (width * height) / 50) continue;
      const [label, id] = [Math.floor(key / 100), key % 100];
      const place = id > 0 ? labelPlace(inside, width, inside.map(Number)) : longestRow(inside, width);
      say(drawing, place, label === VOID ? "void" : text(label, id));
    }
  }

  function drawTable(rows) {
    table.textContent = "";
    const head = html(html(table, "thead"), "tr");
    for (const name of ["class", "SQ", "RQ", "PQ", "TP", "FP", "FN"]) html(head, "th", { scope: "col" }, name);
    const body = html(table, "tbody");
    for (const { label, sq, rq, pq, tp, fp, fn } of rows) {
      const cells = html(body, "tr", { "data-class": label });
      html(cells, "th", { scope: "row" }, NAMES[label]);
      for (const number of [sq, rq, pq]) html(cells, "td", {}, fixed(number));
      for (const count of [tp, fp, fn]) html(cells, "td", {}, String(count));
    }
  }

  function update() {
    const { semantic, masks, labels, truth } = picture;
    const merged = panopticMerge(semantic, masks, labels, scores, STUFF, threshold);
    const letters = Object.fromEntries(merged.fates.map(({ id, index }) => [id, LETTERS[index]])); // 0 is not asked for
    drawMap(papers.merged, merged, (label, id) => (id > 0 ? `${letters[id]} ${id}` : NAMES[label]));
    const rows = panopticQuality(merged, truth);
    drawTable(rows);
    const said = merged.fates.map(({ index, area: all, taken, tooMuch, id }) => {
      const share = all > 0 ? taken / all : 0;
      const seen = taken === 0 ? "nothing of it is taken"
        : `${taken} of its ${pixels(all)} ${taken === 1 ? "is" : "are"} taken, ${fixed(share)}`;
      if (tooMuch) return `${seen}, more than ${fixed(threshold, 2)}: dropped`;
      if (id === 0) return `${seen}, none is left: dropped`;
      return `${seen}: accepted as ${id}, with ${pixels(all - taken)}`;
    });
    const mean = rows.reduce((total, { pq }) => total + pq, 0) / rows.length;
    show({
      ...Object.fromEntries([...LETTERS].map((letter, place) => {
        const fate = merged.fates[place];
        return [letter, fate ? `${place + 1}. ${named(fate.index)}, ${fixed(scores[fate.index], 2)}: ${said[place]}` : ""];
      })),
      void: `■ void: ${pixels(merged.classes.filter((label) => label === VOID).length)} of the merged map`,
      quality: `mean PQ over ${rows.length} classes = ${fixed(mean)}`,
    });
  }

  load("4 × 6 pixels");
});
