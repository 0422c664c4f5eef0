// A transposed convolution, stamp by stamp: copies of the weights are added up, then the rim is cut off.

import { choice, controls, help, mount, paper, row, set, slider, stepper, svg, values, words } from "figures/base";
import { cursor, show as showCell, table } from "figures/numbers";

const SIDE = 312; // units of the output's drawing
const LARGEST_CELL = 72;
const TOP = 24; // above the tables, for their names
const INPUT_CELL = 44;
const WEIGHT_CELL = 32;
const WEIGHTS = 168; // from where on the weights and the stamp stand
const LIMITS = { stride: 3, padding: 3, outputPadding: 2 };
const COLORS = ["blue", "orange", "green", "purple"]; // neighbours never share one

/** Rows and columns of the output, by the formula. */
export function outputSize(n, kernel, stride, padding, outputPadding) {
  return (n - 1) * stride + kernel - 2 * padding + outputPadding;
}

/** Numbers from 1 on, row by row; or 1 everywhere. */
export function numbered(side, ones = false) {
  return Array.from({ length: side }, (_, i) => Array.from({ length: side }, (_, j) => (ones ? 1 : i * side + j + 1)));
}

/** What reaches the place (i, j) of the untrimmed output: which weight of which stamp, in order. */
export function terms(n, kernel, stride, [i, j]) {
  const found = [];
  for (let number = 0; number < n * n; number++) {
    const [a, b] = [i - Math.floor(number / n) * stride, j - (number % n) * stride];
    if (a >= 0 && a < kernel && b >= 0 && b < kernel) found.push({ number, weight: [a, b] });
  }
  return found;
}

/**
 * The output before it is trimmed, after the first `stamps` stamps, with the rows and columns that
 * output padding uncovers beyond it; and the part of it that is kept, [from, to).
 */
export function stamped(input, weights, stride, padding, outputPadding, stamps = Infinity) {
  const [n, kernel] = [input.length, weights.length];
  const full = (n - 1) * stride + kernel;
  const kept = [padding, padding + outputSize(n, kernel, stride, padding, outputPadding)];
  const side = Math.max(full, kept[1]);
  const plane = Array.from({ length: side }, (_, i) => Array.from({ length: side }, (_, j) =>
    terms(n, kernel, stride, [i, j])
      .filter(({ number }) => number < stamps)
      .map(({ number, weight: [a, b] }) => input[Math.floor(number / n)][number % n] * weights[a][b])
      .reduce((total, term) => total + term, 0)));
  return { kept, side, plane };
}

/** The output as torch gives it. */
export function transposed(input, weights, stride, padding, outputPadding) {
  const { kept, plane } = stamped(input, weights, stride, padding, outputPadding);
  return plane.slice(...kept).map((line) => line.slice(...kept));
}

/** The largest padding that leaves something of the output. */
export function largestPadding(n, kernel, stride, outputPadding) {
  return Math.min(LIMITS.padding, Math.floor((outputSize(n, kernel, stride, 0, outputPadding) - 1) / 2));
}

function colorOf(number, n) {
  return `figure-${COLORS[(Math.floor(number / n) % 2) * 2 + ((number % n) % 2)]}`;
}

mount("transposed", (stage) => {
  let n = 2;
  let kernel = 3;
  let stride = 2;
  let padding = 1;
  let outputPadding = 1;
  let counting = false;
  let step = 4; // stamps that have been made
  let chosen = [2, 2]; // of the untrimmed output

  const pair = row(stage);
  const size = { width: SIDE, height: SIDE, widest: "22rem" };
  const left = paper(pair, { ...size, label: "The input, the weights and the stamp" });
  const right = paper(pair, { ...size, label: "The output, with the part that is kept" });
  const show = values(stage, ["stamp", "sum", "size"]);
  const walk = stepper(controls(stage), {
    last: 4, value: step, text: (now, last) => (now === 0 ? "nothing stamped yet" : `stamp ${now} of ${last}`),
  }, (next) => {
    step = next;
    update();
  });
  const line = controls(stage);
  const sides = (...all) => Object.fromEntries(all.map((side) => [side, `${side} × ${side}`]));
  choice(line, { label: "input", options: sides(2, 3), value: n }, (key) =>
    change(() => { n = Number(key); }));
  choice(line, { label: "weights", options: sides(1, 2, 3, 4), value: kernel }, (key) =>
    change(() => { kernel = Number(key); }));
  choice(line, { label: "show", options: { values: "values", counts: "stamps a pixel" }, value: "values" }, (key) => {
    counting = key === "counts";
    update();
  });
  const sliders = controls(stage);
  const knobs = {
    stride: slider(sliders, { label: "stride", min: 1, max: LIMITS.stride, value: stride }, (next) =>
      change(() => { stride = next; })),
    padding: slider(sliders, { label: "padding", min: 0, max: LIMITS.padding, value: padding }, (next) =>
      change(() => { padding = next; })),
    outputPadding: slider(sliders, {
      label: "output padding", min: 0, max: LIMITS.outputPadding, value: outputPadding,
    }, (next) => change(() => { outputPadding = next; })),
  };
  help(stage, "Back and Next walk through the stamps; or click a number of the input. Click a number of the output to " +
    "see its sum. With the keyboard: Tab to its frame, then arrow keys. " +
    "What lies within the thick line is kept, the hatched rest is trimmed.");

  let drawn;

  /** Another size: mend what torch would refuse, stamp everything, draw anew. */
  function change(assign) {
    assign();
    outputPadding = Math.min(outputPadding, stride - 1); // it must be smaller than the stride
    padding = Math.min(padding, largestPadding(n, kernel, stride, outputPadding));
    step = n * n;
    const { side } = stamped(numbered(n), numbered(kernel), stride, padding, outputPadding);
    chosen = chosen.map((at) => Math.min(at, side - 1));
    build();
    update();
  }

  function choose(i, j) {
    chosen = [i, j];
    update();
  }

  function build() {
    left.textContent = "";
    right.textContent = "";
    const { side } = stamped(numbered(n), numbered(kernel), stride, padding, outputPadding);
    words(left, 0, 9, "input", { size: 14, anchor: "start", class: "figure-name" });
    words(left, WEIGHTS, 9, "weights", { size: 14, anchor: "start", class: "figure-name" });
    const tints = svg(left, "g");
    const input = table(left, { y: TOP, rows: n, columns: n, cell: INPUT_CELL, size: 17 }, (i, j) =>
      walk.show(i * n + j + 1, n * n, true));
    const ring = svg(left, "rect", { width: INPUT_CELL - 6, height: INPUT_CELL - 6, class: "transposed-ring" });
    const small = { x: WEIGHTS, rows: kernel, columns: kernel, cell: WEIGHT_CELL, size: 15 };
    const weights = table(left, { y: TOP, ...small });
    const below = TOP + Math.max(n * INPUT_CELL, kernel * WEIGHT_CELL) + 18;
    const title = words(left, 0, below + WEIGHT_CELL / 2, "", { size: 14, anchor: "start", class: "figure-name" });
    const stamp = table(left, { y: below, ...small });
    set(left, { viewBox: `-4 -4 ${SIDE + 8} ${below + kernel * WEIGHT_CELL + 8}` });
    input.forEach((cells, i) => cells.forEach(({ place }, j) => {
      svg(tints, "rect", { ...place, class: `transposed-tint ${colorOf(i * n + j, n)}` });
    }));

    const cell = Math.min(LARGEST_CELL, SIDE / side);
    const size = Math.min(18, Math.max(12, cell * 0.4));
    set(right, { viewBox: `-4 -4 ${SIDE + 8} ${TOP + side * cell + 8}` });
    const head = words(right, 0, 9, "", { size: 14, anchor: "start", class: "figure-name" });
    const under = svg(right, "g");
    const output = table(right, { y: TOP, rows: side, columns: side, cell, size }, choose);
    const kept = svg(right, "rect", { class: "transposed-kept" });
    const last = svg(right, "rect", { class: "transposed-stamp" });
    const frame = cursor(right, { cell, rows: side, columns: side, at: () => chosen }, choose);
    drawn = { input, ring, weights, title, stamp, cell, head, under, output, kept, last, frame };
  }

  function update() {
    const input = numbered(n, counting);
    const weights = numbered(kernel, counting);
    const { kept, side, plane } = stamped(input, weights, stride, padding, outputPadding, step);
    const { cell } = drawn;
    knobs.stride.show(stride);
    knobs.padding.show(padding, { max: largestPadding(n, kernel, stride, outputPadding) });
    knobs.outputPadding.show(outputPadding, { max: stride - 1 });
    walk.show(step, n * n);

    const now = step - 1; // the number of the last stamp
    const [a, b] = [Math.floor(now / n), now % n];
    const color = step > 0 ? colorOf(now, n) : "";
    drawn.input.forEach((cells, i) => cells.forEach((one, j) => showCell(one, input[i][j], "", "figure-name")));
    set(drawn.ring, { x: b * INPUT_CELL + 3, y: TOP + a * INPUT_CELL + 3, display: step > 0 ? null : "none" });
    drawn.weights.forEach((cells, i) => cells.forEach((one, j) => showCell(one, weights[i][j])));
    drawn.title.textContent = step > 0 ? `stamp: ${input[a][b]} × weights` : "no stamp yet";
    drawn.stamp.forEach((cells, i) => cells.forEach((one, j) =>
      showCell(one, step > 0 ? input[a][b] * weights[i][j] : "", step > 0 ? `transposed-filled ${color}` : "")));

    drawn.under.textContent = "";
    const square = ([i, j], squares, gap = 0) => ({
      x: j * cell + gap, y: TOP + i * cell + gap, width: squares * cell - 2 * gap, height: squares * cell - 2 * gap,
    });
    drawn.output.forEach((cells, i) => cells.forEach((one, j) => {
      const reached = terms(n, kernel, stride, [i, j]).filter(({ number }) => number < step);
      const inside = [i, j].every((at) => at >= kept[0] && at < kept[1]);
      showCell(one, plane[i][j], "", inside ? "" : "figure-soft");
      if (reached.length > 0) {
        const tint = reached.length > 1 ? "transposed-shared" : colorOf(reached[0].number, n);
        svg(drawn.under, "rect", { ...one.place, class: `transposed-tint ${tint}` });
      }
      if (!inside) {
        const { x, y } = one.place;
        const half = cell / 2;
        const lines = `M${x} ${y + half}l${half} ${-half}m${half} 0l${-cell} ${cell}m${half} 0l${half} ${-half}`;
        svg(drawn.under, "rect", { ...one.place, class: "transposed-trimmed" });
        svg(drawn.under, "path", { d: lines, class: "figure-line transposed-hatch" });
      }
    }));
    const out = kept[1] - kept[0];
    set(drawn.kept, square([kept[0], kept[0]], out));
    set(drawn.last, {
      ...square([a * stride, b * stride], kernel, 4),
      class: `transposed-stamp ${color}`, display: step > 0 ? null : "none",
    });
    drawn.head.textContent = out === side ? `output, ${out} × ${out}` : `output, ${out} × ${out} of ${side} × ${side}`;

    const [i, j] = chosen;
    const parts = terms(n, kernel, stride, chosen).filter(({ number }) => number < step);
    const products = parts.map(({ number, weight: [p, q] }) =>
      `${weights[p][q]} · ${input[Math.floor(number / n)][number % n]}`);
    const inside = chosen.every((at) => at >= kept[0] && at < kept[1]);
    const place = inside ? `row ${i - kept[0]}, column ${j - kept[0]} of the output` : "a pixel that is trimmed";
    const total = `${products.length === 0 ? "no stamp" : products.join(" + ")} = ${plane[i][j]}`;
    drawn.frame(drawn.output[i][j].place, `${place}: ${plane[i][j]}`);
    const rows = (start) => `${start * stride} to ${start * stride + kernel - 1}`;
    show({
      stamp: step === 0 ? "nothing stamped yet"
        : `stamp ${step} of ${n * n}: rows ${rows(a)}, columns ${rows(b)} before trimming`,
      sum: `framed, ${place}: ${total}`,
      size: `size = (${n} − 1) · ${stride} + ${kernel} − 2 · ${padding} + ${outputPadding} = ${out}`,
    });
  }

  build();
  update();
});
