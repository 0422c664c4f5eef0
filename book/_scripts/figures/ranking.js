// A ranked list of hits and misses, its precision-recall curve, and its average precision by three rules.

import { button, choice, clamp, controls, field, fixed, help, mount, movable, paper, row, set, slider, svg, values, words } from "figures/base";

const MOST = 10; // detections
const MOST_TRUE = 12;
const SCORES = [0.98, 0.95, 0.9, 0.6, 0.3, 0.25, 0.2, 0.15, 0.1, 0.05]; // of the ranks, whoever is there
const PRESETS = {
  "the dogs": { hits: "11001", numGt: 3 },
  "a saw": { hits: "100111", numGt: 4 },
  "one sure mistake": { hits: "0111", numGt: 3 },
  "mistakes at the end": { hits: "1110000", numGt: 3 },
};
const RULES = { area: "area", voc11: "voc11: 11 recalls", coco101: "coco101: 101 recalls" };
const LIST = { width: 340, pitch: 29, top: 24 };
const COLUMNS = { grip: 10, rank: 32, score: 68, kind: 124, precision: 194, recall: 254, end: 286 };
const PLOT = { width: 340, height: 300, left: 42, right: 328, top: 14, bottom: 256 };

/** Precision and recall after each rank. */
export function precisionRecall(isTp, numGt) {
  let hits = 0;
  const precision = [];
  const recall = [];
  isTp.forEach((hit, index) => {
    hits += hit ? 1 : 0;
    precision.push(hits / (index + 1));
    recall.push(numGt > 0 ? hits / numGt : 0);
  });
  return { precision, recall };
}

/** The best precision at this rank or any later one. */
export function envelope(precision) {
  const best = [...precision];
  for (let index = best.length - 2; index >= 0; index--) best[index] = Math.max(best[index], best[index + 1]);
  return best;
}

/** The recalls at which a rule measures: none for the area, which is exact. */
export function recallsOf(method) {
  const steps = { area: -1, voc11: 10, coco101: 100 }[method];
  // As numpy.linspace(0, 1, 101) in float64: k · 0.01, so that equal recalls are equal here too.
  return Array.from({ length: steps + 1 }, (_, k) => (method === "voc11" ? k / 10 - 1e-6 : k === 100 ? 1 : k * 0.01));
}

/** The envelope's height at a recall; 0 where the list does not get that far. */
export function heightAt(precision, recall, least) {
  const first = recall.findIndex((value) => value >= least);
  return first < 0 ? 0 : Math.max(...precision.slice(first));
}

export function averagePrecision(precision, recall, method) {
  if (method === "area") {
    return envelope(precision).reduce((sum, height, index) => sum + (recall[index] - (recall[index - 1] ?? 0)) * height, 0);
  }
  const recalls = recallsOf(method);
  return recalls.reduce((sum, least) => sum + heightAt(precision, recall, least), 0) / recalls.length;
}

/** The same from hits and misses. */
export function apOfList(isTp, numGt, method) {
  const { precision, recall } = precisionRecall(isTp, numGt);
  return averagePrecision(precision, recall, method);
}

mount("ranking", (stage) => {
  let hits = []; // by rank
  let numGt = 0;
  let kept = 0; // of the first
  let rule = "area";

  const pair = row(stage);
  const list = paper(pair, { width: LIST.width, height: LIST.top + LIST.pitch * 5 + 20, label: "The detections by score, best first" });
  const plot = paper(pair, { width: PLOT.width, height: PLOT.height, label: "Precision against recall" });
  const show = values(stage, ["precision", "recall", "area", "voc11", "coco101"]);
  const line = controls(stage);
  const knob = slider(line, { label: "keep the first", min: 0, max: MOST, value: 0, text: keptText }, (value) => {
    kept = value;
    update();
  });
  const rest = controls(stage);
  const number = field(rest, { label: "true boxes", min: 1, max: MOST_TRUE, value: 1 }, (value) => {
    numGt = value;
    update();
  });
  const more = button(rest, "add a detection", () => change([...hits, false].slice(0, MOST)));
  const fewer = button(rest, "remove the last", () => change(hits.slice(0, Math.max(1, hits.length - 1))));
  choice(controls(stage), { label: "draw AP by the rule", options: RULES, value: rule }, (key) => {
    rule = key;
    update();
  });
  const presets = controls(stage, "lists");
  for (const [name, preset] of Object.entries(PRESETS)) button(presets, name, () => load(preset));
  help(stage, "Drag a detection up or down; press “hit” or “miss” to turn it into the other. With the keyboard: Tab to " +
    "a detection, arrow keys move it, Space turns it. The slider, or the handle at the dashed line, says how many of the first you keep.");

  function keptText(count) {
    return count === 0 ? "none" : `${count} (≥ ${fixed(SCORES[count - 1], 2)})`;
  }

  function change(next) {
    hits = next;
    kept = Math.min(kept, hits.length);
    update();
  }

  function load(preset) {
    hits = [...preset.hits].map((digit) => digit === "1");
    numGt = preset.numGt;
    kept = 3;
    update();
  }

  function turn(rank) {
    change(hits.with(rank, !hits[rank]));
  }

  /** The same detections with the one at `from` at another rank. */
  function moved(before, from, to) {
    const others = before.filter((_, index) => index !== from);
    return [...others.slice(0, to), before[from], ...others.slice(to)];
  }

  // The list: a slot for each rank, made once.
  for (const [column, text] of Object.entries({ score: "score", precision: "precision", recall: "recall" })) {
    words(list, COLUMNS[column], 8, text, { size: 13, class: "figure-soft" });
  }
  const slots = SCORES.map((score, rank) => {
    const top = LIST.top + LIST.pitch * rank;
    const middle = top + LIST.pitch / 2;
    const group = svg(list, "g", { "data-rank": rank + 1 });
    const body = svg(group, "rect", { x: 1, y: top + 1.5, width: COLUMNS.end - 2, height: LIST.pitch - 3, rx: 5, class: "ranking-row" });
    const grip = [-4, 0, 4].map((dy) => `M${COLUMNS.grip} ${middle + dy}h8`).join("");
    svg(group, "path", { d: grip, class: "figure-line figure-soft ranking-through" });
    const through = { size: 13, class: "ranking-through" };
    words(group, COLUMNS.rank, middle, rank + 1, { size: 13, class: "figure-name" });
    words(group, COLUMNS.score, middle, fixed(score, 2), through);
    const precision = words(group, COLUMNS.precision, middle, "", through);
    const recall = words(group, COLUMNS.recall, middle, "", through);
    const pill = svg(group, "g", { class: "ranking-pill" });
    svg(pill, "rect", { x: COLUMNS.kind - 32, y: top, width: 64, height: LIST.pitch, class: "figure-hit" });
    svg(pill, "rect", { x: COLUMNS.kind - 30, y: top + 4, width: 60, height: LIST.pitch - 8, rx: 10, class: "figure-shape ranking-thin" });
    const kind = words(pill, COLUMNS.kind, middle, "", { size: 13, class: "figure-name" });
    const carry = {
      grab: () => hits,
      move: (before, dx, dy) => {
        const to = clamp(Math.round(rank + dy / LIST.pitch), 0, before.length - 1);
        change(moved(before, rank, to));
        slots[to].body.focus({ preventScroll: true });
      },
    };
    movable(body, { ...carry, step: LIST.pitch });
    movable(pill, { ...carry, step: null, press: () => turn(rank) });
    body.addEventListener("keydown", (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      turn(rank);
    });
    return { group, body, precision, recall, pill, kind };
  });
  const cut = svg(list, "g", { class: "figure-green" });
  svg(cut, "path", { d: `M0 0H${LIST.width - 8}`, class: "figure-line figure-dashed" });
  svg(cut, "path", { d: `M${LIST.width - 18} 0m-8 -4l8 -8l8 8zm0 8l8 8l8 -8z`, class: "figure-dot" });
  const handle = svg(cut, "rect", { x: LIST.width - 44, y: -20, width: 44, height: 40, class: "figure-hit ranking-cut" });
  movable(handle, {
    grab: () => kept,
    move: (start, dx, dy) => {
      kept = clamp(Math.round(start + dy / LIST.pitch), 0, hits.length);
      update();
    },
    step: null, // by keyboard: the slider
  });

  // The plot: axes once, the rest is drawn anew.
  const x = (recall) => PLOT.left + recall * (PLOT.right - PLOT.left);
  const y = (precision) => PLOT.bottom - precision * (PLOT.bottom - PLOT.top);
  const axes = svg(plot, "g");
  const curve = svg(plot, "g");

  function drawAxes() {
    axes.textContent = "";
    for (const tick of [0, 0.5, 1]) {
      svg(axes, "path", { d: `M${x(0)} ${y(tick)}H${x(1)}`, class: "figure-grid" });
      words(axes, x(0) - 6, y(tick), tick, { size: 13, anchor: "end", class: "figure-soft" });
    }
    const every = numGt > 6 ? Math.ceil(numGt / 4) : 1;
    for (let found = 0; found <= numGt; found++) {
      svg(axes, "path", { d: `M${x(found / numGt)} ${y(1)}V${y(0)}`, class: "figure-grid" });
      const near = found % every === 0 && (found === 0 || found === numGt || numGt - found >= every);
      const text = found === 0 ? "0" : found === numGt ? "1" : `${found}/${numGt}`;
      if (near || found === numGt) words(axes, x(found / numGt), y(0) + 14, text, { size: 13, class: "figure-soft" });
    }
    words(axes, x(0.5), PLOT.height - 8, "recall", { size: 13 });
    words(axes, 0, 0, "precision", { size: 13, transform: `translate(9 ${y(0.5)}) rotate(-90)` });
  }

  function drawCurve({ precision, recall }) {
    curve.textContent = "";
    const best = envelope(precision);
    const steps = best.map((height, index) => `V${y(height)}H${x(recall[index])}`).join("");
    if (rule === "area") {
      svg(curve, "path", { d: `M${x(0)} ${y(0)}${steps}V${y(0)}Z`, class: "figure-fill figure-blue ranking-area" });
    } else {
      const stems = recallsOf(rule).map((least, k, all) => `M${x(k / (all.length - 1))} ${y(0)}V${y(heightAt(precision, recall, least))}`);
      svg(curve, "path", { d: stems.join(""), class: `figure-line figure-blue ranking-${rule}` });
    }
    const points = precision.map((height, index) => [x(recall[index]), y(height)]);
    svg(curve, "path", { d: `M${points.map((point) => point.join(" ")).join("L")}`, class: "figure-line figure-soft" });
    svg(curve, "path", { d: `M${x(0)} ${y(best[0])}${steps}V${y(0)}`, class: "figure-line figure-blue ranking-envelope" });
    if (kept > 0) {
      const [px, py] = points[kept - 1];
      svg(curve, "path", { d: `M${x(0)} ${py}H${px}V${y(0)}`, class: "figure-line figure-dashed figure-green" });
      svg(curve, "circle", { cx: px, cy: py, r: 11, class: "figure-line figure-green ranking-here" });
    }
    let last = null;
    points.forEach(([px, py], rank) => {
      if (hits[rank]) svg(curve, "circle", { cx: px, cy: py, r: 5, class: "figure-dot figure-blue" });
      else svg(curve, "path", { d: `M${px - 4.5} ${py - 4.5}l9 9m0 -9l-9 9`, class: "figure-line figure-orange ranking-miss" });
      if (last && Math.hypot(px - last[0], py - last[1]) < 15) return; // no room for its number
      words(curve, px - 10, py + 13, rank + 1, { size: 13, class: "figure-name" });
      last = [px, py];
    });
  }

  function update() {
    const found = hits.filter(Boolean).length;
    numGt = Math.max(numGt, found);
    const { precision, recall } = precisionRecall(hits, numGt);
    const height = LIST.top + LIST.pitch * hits.length + 22;
    set(list, { viewBox: `0 0 ${LIST.width} ${height}` });
    let soFar = 0;
    slots.forEach(({ group, body, precision: ratio, recall: share, pill, kind }, rank) => {
      set(group, { display: rank < hits.length ? null : "none" });
      if (rank >= hits.length) return;
      const name = hits[rank] ? "hit" : "miss";
      soFar += hits[rank] ? 1 : 0;
      ratio.textContent = `${soFar}/${rank + 1}`;
      share.textContent = `${soFar}/${numGt}`;
      kind.textContent = hits[rank] ? "● hit" : "✕ miss";
      pill.classList.toggle("figure-blue", hits[rank]);
      pill.classList.toggle("figure-orange", !hits[rank]);
      set(body, { "aria-label": `Rank ${rank + 1}, score ${fixed(SCORES[rank], 2)}, ${name}` });
    });
    set(cut, { transform: `translate(0 ${LIST.top + LIST.pitch * kept})` });
    knob.show(kept, { max: hits.length });
    number.show(numGt);
    set(more, { "aria-disabled": hits.length === MOST });
    set(fewer, { "aria-disabled": hits.length === 1 });
    drawAxes();
    drawCurve({ precision, recall });
    const inside = hits.slice(0, kept).filter(Boolean).length;
    show({
      precision: kept > 0 ? `precision of the first ${kept} = ${inside}/${kept} = ${fixed(inside / kept)}` : "precision of none: 0/0, not defined",
      recall: `recall = ${inside}/${numGt} = ${fixed(inside / numGt)}`,
      ...Object.fromEntries(Object.keys(RULES).map((name) => [name, `AP, ${name} = ${fixed(averagePrecision(precision, recall, name), 4)}`])),
    });
  }

  load(PRESETS["the dogs"]);
});
