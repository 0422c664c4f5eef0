// The window of 14 × 14 pixels behind each output of the lecture's converted network, and what windows share.

import { check, clamp, controls, grouped, help, mount, movable, paper, row, set, slider, svg, values, words } from "figures/base";
import { cursor, show as showCell, table } from "figures/numbers";
import { area as areaOf, intersection } from "figures/overlap";

const WINDOW = 14;
const LAYERS = [[5, 1], [2, 2], [5, 1], [1, 1]]; // kernel and stride, from the input on
const CONVOLUTION = { from: 3, to: 16, kernel: 5 };
const CONNECTED = [[16, 400, 5], [400, 4, 1]]; // were fully connected: channels in, out, kernel
const STRIDE = 2; // of the windows
const LARGEST = 28;
const SIDE = 312; // units of the drawings
const TOP = 24; // above the maps, for their names
const POOLED = 88;
const OUTPUTS = { x: 112, side: 200 };

/** Sides of the maps of an image with n × n pixels, the image first. */
export function mapSides(n) {
  const sides = [n];
  for (const [kernel, stride] of LAYERS) sides.push(Math.floor((sides.at(-1) - kernel) / stride) + 1);
  return sides;
}

/** The window of an output, xyxy, in the image and in every map behind it, the image first. */
export function windowsOf(output) {
  const found = [[output[1], output[0], output[1] + 1, output[0] + 1]];
  for (const [kernel, stride] of LAYERS.toReversed()) {
    const [x1, y1, x2, y2] = found[0];
    found.unshift([x1 * stride, y1 * stride, (x2 - 1) * stride + kernel, (y2 - 1) * stride + kernel]);
  }
  return found;
}

/** Pixels that the windows of two outputs share. */
export function sharedPixels(one, other) {
  return areaOf(intersection(windowsOf(one)[0], windowsOf(other)[0]));
}

/** Multiply-adds for an image with n × n pixels: every window as a crop, and all in one pass. */
export function multiplyAdds(n) {
  const outputs = mapSides(n).at(-1) ** 2;
  const connected = CONNECTED.reduce((total, [from, to, kernel]) => total + from * to * kernel ** 2, 0);
  const convolution = (side) => CONVOLUTION.from * CONVOLUTION.to * CONVOLUTION.kernel ** 2 * mapSides(side)[1] ** 2;
  return {
    outputs,
    crops: { convolution: outputs * convolution(WINDOW), connected: outputs * connected },
    onePass: { convolution: convolution(n), connected: outputs * connected },
  };
}

function total({ convolution, connected }) {
  return convolution + connected;
}

mount("shared-window", (stage) => {
  let n = 16;
  let chosen = [0, 0]; // row and column of the output
  let counting = false;

  const pair = row(stage);
  const size = { width: SIDE, height: SIDE + TOP, margin: 4, widest: "23rem" };
  const left = paper(pair, { ...size, label: "The image, with the window of an output" });
  const right = paper(pair, { ...size, label: "The maps behind it, down to the outputs" });
  const show = values(stage, ["window", "shared", "unused", "crops", "pass", "ratio"]);
  const line = controls(stage);
  slider(line, { label: "side of the image", min: WINDOW, max: LARGEST, value: n, text: (side) => `${side} × ${side}` }, (side) => {
    n = side;
    build();
    update();
  });
  check(line, { label: "count the multiply-adds", value: counting }, (on) => {
    counting = on;
    update();
  });
  help(stage, "Point at an output, or tap it; or drag the window. With the keyboard: Tab to the window or to the frame " +
    "of an output, then arrow keys. " +
    "Dashed are the windows of the outputs beside it; the dark part is what all three share.");

  let drawn;

  function choose(i, j) {
    const last = mapSides(n).at(-1) - 1;
    chosen = [i, j].map((at) => clamp(at, 0, last));
    update();
  }

  /** A bar for the multiply-adds of the crops, and one for those of one pass. */
  function drawBars({ crops, onePass, outputs }) {
    const { bars, bottom } = drawn;
    bars.textContent = "";
    set(right, { viewBox: `-4 -4 ${SIDE + 8} ${bottom + (counting ? 112 : 0) + 8}` });
    if (!counting) return;
    const longest = Math.max(total(crops), total(onePass));
    const works = [[outputs > 1 ? `${outputs} crops` : "1 crop", crops], ["one pass", onePass]];
    works.forEach(([name, work], index) => {
      const y = bottom + 8 + index * 46;
      words(bars, 0, y + 8, `${name}: ${grouped(total(work))}`, { size: 13, anchor: "start", class: "figure-name" });
      const first = (SIDE * work.convolution) / longest;
      svg(bars, "rect", { x: 0, y: y + 18, width: first, height: 14, class: "figure-dot figure-blue" });
      const rest = { x: first, y: y + 18, width: (SIDE * work.connected) / longest, height: 14 };
      svg(bars, "rect", { ...rest, class: "figure-dot figure-soft shared-window-connected" });
    });
    const legend = "solid: the convolution; pale: was fully connected";
    words(bars, 0, bottom + 104, legend, { size: 12.5, anchor: "start", class: "figure-soft" });
  }

  function grid(parent, side, cell, x, y) {
    const lines = Array.from({ length: side + 1 }, (_, k) =>
      `M${x + k * cell} ${y}v${side * cell}M${x} ${y + k * cell}h${side * cell}`);
    svg(parent, "path", { d: lines.join(""), class: "figure-grid" });
  }

  function build() {
    const [, first, pooled, , outputs] = mapSides(n);
    chosen = chosen.map((at) => Math.min(at, outputs - 1));
    left.textContent = "";
    right.textContent = "";
    const pixel = SIDE / n;
    words(left, 0, 9, `image, ${n} × ${n}`, { size: 14, anchor: "start", class: "figure-name" });
    grid(left, n, pixel, 0, TOP);
    const unused = svg(left, "path", { class: "shared-window-unused" });
    const frame = svg(left, "rect", { class: "figure-shape figure-blue" });
    const common = svg(left, "rect", { class: "figure-fill figure-blue", "pointer-events": "none" });
    const beside = ["orange", "green"].map((color) =>
      svg(left, "rect", { class: `figure-line figure-dashed shared-window-beside figure-${color}` }));
    movable(frame, {
      grab: () => chosen,
      move: ([i, j], dx, dy) => choose(i + Math.round(dy / pixel / STRIDE), j + Math.round(dx / pixel / STRIDE)),
      step: pixel * STRIDE,
    });

    words(right, 0, 9, "pooled", { size: 14, anchor: "start", class: "figure-name" });
    grid(right, pooled, POOLED / pooled, 0, TOP);
    const filter = svg(right, "rect", { class: "figure-shape figure-blue" });
    words(right, OUTPUTS.x, 9, `outputs, ${outputs} × ${outputs}`, { size: 14, anchor: "start", class: "figure-name" });
    const cell = Math.min(60, OUTPUTS.side / outputs);
    const shape = { rows: outputs, columns: outputs, cell };
    const cells = table(right, { ...shape, x: OUTPUTS.x, y: TOP, size: cell > 40 ? 15 : 12, hover: true }, choose);
    const small = { size: 12.5, anchor: "start", class: "figure-soft" };
    words(right, OUTPUTS.x, TOP + outputs * cell + 16, "% of the pixels shared", small);
    const mark = cursor(right, { ...shape, at: () => chosen }, choose);
    words(right, 0, TOP + POOLED + 16, `${pooled} × ${pooled}`, small);
    words(right, 0, TOP + POOLED + 32, `from ${first} × ${first}`, small);
    const bottom = TOP + Math.max(POOLED + 16, outputs * cell) + 26;
    const bars = svg(right, "g");
    drawn = { bars, bottom, pixel, unused, frame, common, beside, filter, cells, mark };
  }

  function update() {
    const sides = mapSides(n);
    const [pooled, outputs] = [sides[2], sides.at(-1)];
    const { pixel, unused, frame, common, beside, filter, cells, mark } = drawn;
    const windows = windowsOf(chosen);
    const place = (rectangle, [x1, y1, x2, y2], unit, gap = 0) => set(rectangle, {
      x: x1 * unit + gap, y: TOP + y1 * unit + gap, width: (x2 - x1) * unit - 2 * gap, height: (y2 - y1) * unit - 2 * gap,
    });
    place(frame, windows[0], pixel);
    place(filter, windows[2], POOLED / pooled);
    const [x1, y1, x2, y2] = windows[0];
    set(frame, { "aria-label": `window: x1 ${x1}, y1 ${y1}, x2 ${x2}, y2 ${y2}` });

    // The outputs on its right and below it; at the border those on the other side.
    const [i, j] = chosen;
    const sideways = outputs > 1 ? [i, j + 1 < outputs ? j + 1 : j - 1] : null;
    const down = outputs > 1 ? [i + 1 < outputs ? i + 1 : i - 1, j] : null;
    [sideways, down].forEach((other, index) => {
      set(beside[index], { display: other ? null : "none" });
      if (other) place(beside[index], windowsOf(other)[0], pixel, 3);
    });
    // What all three share.
    const others = [sideways, down].filter(Boolean).map((other) => windowsOf(other)[0]);
    place(common, others.reduce(intersection, windows[0]), pixel);

    const area = WINDOW ** 2;
    cells.forEach((cellsInRow, line) => cellsInRow.forEach((cell, column) => {
      const shared = sharedPixels(chosen, [line, column]);
      const here = line === i && column === j;
      const percent = String(Math.round((100 * shared) / area));
      showCell(cell, percent, "shared-window-share figure-blue", here ? "figure-name" : "");
      cell.square.style.fillOpacity = 0.5 * (shared / area);
    }));
    mark(cells[i][j].place, `output in row ${i}, column ${j}`);

    const edge = (outputs - 1) * STRIDE + WINDOW; // behind the last pixel that a window reaches
    const rest = edge < n;
    set(unused, { d: rest ? `M${edge * pixel} ${TOP}H${SIDE}V${TOP + SIDE}H0V${TOP + edge * pixel}H${edge * pixel}Z` : "" });
    const work = multiplyAdds(n);
    const { crops, onePass } = work;
    drawBars(work);
    const near = sideways ? sharedPixels(chosen, sideways) : 0;
    const said = (amounts, name) => (counting
      ? `${name}: convolution ${grouped(amounts.convolution)} + was fully connected ${grouped(amounts.connected)} = ` +
        grouped(total(amounts)) : "");
    show({
      window: `output in row ${i}, column ${j}: its window is (${x1}, ${y1}, ${x2}, ${y2}), xyxy`,
      shared: sideways ? `it shares ${WINDOW - STRIDE} · ${WINDOW} = ${near} of its ${area} pixels, ` +
        `${Math.round((100 * near) / area)} %, with the output beside it` : "one output: there is nothing to share",
      unused: rest ? "grey: the last row and column are in no window" : "",
      crops: said(crops, "crop by crop"),
      pass: said(onePass, "one pass"),
      ratio: counting ? `times as many crop by crop: ${(crops.convolution / onePass.convolution).toFixed(2)} in the ` +
        `convolution, in all = ${(total(crops) / total(onePass)).toFixed(2)}` : "",
    });
  }

  build();
  update();
});
