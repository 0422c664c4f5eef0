// A box on a feature map: RoI pool's two roundings beside RoI align's sampling points.

import {
  choice, clamp, controls, fixed, help, mount, movable, paper, pointOf, row, set, stepper, svg, values, words,
} from "figures/base";
import data from "figures/roi-data";

const { stride: STRIDE, map: MAP } = data; // values in hundredths of the largest
const FIRST = [7, 4]; // column and row of the first cell that is shown
const SHOWN = [8, 9]; // columns and rows that are shown
// Pixels. Within them all cells that either operator reads are among those shown.
const LIMITS = [60, 36, 115, 99];
const SMALLEST = 4;
const CORNERS = [[0, 1], [2, 1], [0, 3], [2, 3]]; // the coordinates that each corner moves
const OUTPUT = { width: 36, height: 24 };

const range = (count) => Array.from({ length: count }, (_, index) => index);

/** To the nearest whole number, halves away from zero. */
export function rounded(value) {
  return Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
}

// First cell of each bin and the one after its last, on a map of `size` cells.
function bins(first, last, count, size) {
  const cells = Math.max(last - first + 1, 1);
  return range(count).map((index) => [
    clamp(first + Math.floor((index * cells) / count), 0, size),
    clamp(first + Math.ceil(((index + 1) * cells) / count), 0, size),
  ]);
}

/** RoI pool of one channel: the region in whole cells, and each bin with its cells and largest value. */
export function roiPool(map, box, count, stride) {
  const region = box.map((edge) => rounded(edge / stride));
  const columns = bins(region[0], region[2], count, map[0].length);
  const found = bins(region[1], region[3], count, map.length).map((rows) => columns.map((span) => {
    let best = null;
    for (let i = rows[0]; i < rows[1]; i++) {
      for (let j = span[0]; j < span[1]; j++) if (best === null || map[i][j] > map[best[0]][best[1]]) best = [i, j];
    }
    return { rows, columns: span, best, value: best === null ? 0 : map[best[0]][best[1]] };
  }));
  return { region, bins: found };
}

// The cells on both sides of an index coordinate and their weights; none beyond the map's surroundings.
function around(position, size) {
  if (position < -1 || position > size) return [];
  const inside = clamp(position, 0, size - 1);
  const low = Math.floor(inside);
  return [[low, 1 - (inside - low)], [Math.min(low + 1, size - 1), inside - low]];
}

/** The value at a point in cells, with the four cells that it is mixed from. */
export function sample(map, x, y) {
  const cells = around(y - 0.5, map.length).flatMap(([i, down]) =>
    around(x - 0.5, map[0].length).map(([j, across]) => ({ row: i, column: j, weight: down * across })));
  const value = cells.reduce((sum, { row: i, column: j, weight }) => sum + weight * map[i][j], 0);
  return { x, y, cells, value };
}

/** RoI align of one channel, aligned and with ratio × ratio points a bin: each bin with its points and mean. */
export function roiAlign(map, box, count, ratio, stride) {
  const [x1, y1, x2, y2] = box.map((edge) => edge / stride);
  const at = (start, end, bin, point) => start + ((end - start) / count) * (bin + (point + 0.5) / ratio);
  return range(count).map((i) => range(count).map((j) => {
    const points = range(ratio * ratio).map((n) =>
      sample(map, at(x1, x2, j, n % ratio), at(y1, y2, i, Math.floor(n / ratio))));
    return { points, value: points.reduce((sum, { value }) => sum + value, 0) / points.length };
  }));
}

function moved(box, dx, dy) {
  const x = clamp(Math.round(dx), LIMITS[0] - box[0], LIMITS[2] - box[2]);
  const y = clamp(Math.round(dy), LIMITS[1] - box[1], LIMITS[3] - box[3]);
  return [box[0] + x, box[1] + y, box[2] + x, box[3] + y];
}

function withCorner(box, corner, dx, dy) {
  const next = [...box];
  corner.forEach((index, axis) => {
    const low = index < 2 ? LIMITS[index] : box[index - 2] + SMALLEST;
    const high = index < 2 ? box[index + 2] - SMALLEST : LIMITS[index];
    next[index] = clamp(Math.round(box[index] + [dx, dy][axis]), low, high);
  });
  return next;
}

mount("roi", (stage) => {
  let box = [...data.box];
  let count = 2;
  let ratio = 2;
  let chosen = 9; // a sampling point, bin by bin
  let before = null; // the outputs before the last move
  const [left, top] = [FIRST[0] * STRIDE, FIRST[1] * STRIDE];
  const [width, height] = [SHOWN[0] * STRIDE, SHOWN[1] * STRIDE];
  const outputTop = top + height + 3.5;

  const both = row(stage);
  const sides = {
    pool: side("RoI pool", "rounds twice", "orange"),
    align: side("RoI align", "rounds never", "blue"),
  };
  const show = values(stage, ["box", "region", "pool", "align", "point", "change"]);
  const options = controls(stage);
  choice(options, { label: "output", options: { 1: "1 × 1", 2: "2 × 2", 3: "3 × 3", 4: "4 × 4" }, value: count }, (key) => {
    count = Number(key);
    refit();
  });
  choice(options, { label: "sampling points a bin", options: { 1: "1 × 1", 2: "2 × 2", 3: "3 × 3" }, value: ratio }, (key) => {
    ratio = Number(key);
    refit();
  });
  const steps = stepper(controls(stage, "bin and sampling point"), {
    last: lastPoint(), value: chosen, text: (point) => place(point),
  }, choose);
  help(stage, "Drag the dashed box or a corner, in steps of one pixel. Click a bin or a point to see what it reads. " +
    "With the keyboard: Tab to a box, arrow keys move it, Shift and arrow keys resize it; Back and Next go through the points.");

  function lastPoint() {
    return count * count * ratio * ratio - 1;
  }

  // The parts of a point's number: its bin's row and column, and its own number in the bin.
  function parts(point) {
    const bin = Math.floor(point / (ratio * ratio));
    return { i: Math.floor(bin / count), j: bin % count, n: point % (ratio * ratio) };
  }

  function place(point) {
    const { i, j, n } = parts(point);
    return `bin in row ${i}, column ${j}; point ${n + 1} of ${ratio * ratio}`;
  }

  function side(title, claim, color) {
    const drawing = paper(both, { // in the image's pixels
      x: left - 5, y: top - 10, width: width + 5.5, height: height + OUTPUT.height + 14, label: `${title} on a feature map`,
    });
    drawing.classList.add(`figure-${color}`);
    words(drawing, left, top - 7.5, title, { size: 3.4, anchor: "start", class: "figure-name" });
    words(drawing, left + width, top - 7.5, claim, { size: 3, anchor: "end" });
    const numbers = svg(null, "g");
    for (let j = 0; j < SHOWN[0]; j++) {
      words(drawing, left + (j + 0.5) * STRIDE, top - 2.2, String(FIRST[0] + j), { size: 2.6, class: "figure-soft" });
    }
    for (let i = 0; i < SHOWN[1]; i++) {
      words(drawing, left - 2.4, top + (i + 0.5) * STRIDE, String(FIRST[1] + i), { size: 2.6, class: "figure-soft" });
      for (let j = 0; j < SHOWN[0]; j++) {
        const [x, y] = [left + j * STRIDE, top + i * STRIDE];
        const value = MAP[FIRST[1] + i][FIRST[0] + j];
        svg(drawing, "rect", { x, y, width: STRIDE, height: STRIDE, class: "roi-cell", "fill-opacity": 0.004 * value });
        svg(drawing, "rect", { x, y, width: STRIDE, height: STRIDE, class: "figure-grid" });
        words(numbers, x + STRIDE / 2, y + STRIDE / 2, String(value), { size: 2.7, class: "figure-halo roi-value" });
      }
    }
    const marks = svg(drawing, "g", { class: "roi-marks" });
    drawing.append(numbers); // above the marks
    const body = svg(drawing, "rect", { class: "roi-box figure-line figure-dashed figure-hit" });
    movable(body, {
      grab: () => box,
      move: (start, dx, dy, shift) => shape(shift ? withCorner(start, CORNERS[3], dx, dy) : moved(start, dx, dy)),
      press: (event) => pick(pointOf(event, drawing)),
    });
    const corners = CORNERS.map((corner) => {
      const dot = svg(drawing, "circle", { r: 1.1, class: "roi-corner figure-dot" });
      const hit = svg(drawing, "circle", { r: 4.4, class: "figure-hit" });
      movable(hit, { grab: () => box, move: (start, dx, dy) => shape(withCorner(start, corner, dx, dy)), step: null });
      return { corner, handles: [dot, hit] };
    });
    words(drawing, left, outputTop + OUTPUT.height / 2, "output", { size: 3, anchor: "start" });
    const output = svg(drawing, "g", { class: "roi-output" });
    return { marks, body, corners, output };
  }

  function shape(next) {
    if (next.every((edge, index) => edge === box[index])) return;
    before = outputs();
    box = next;
    update();
  }

  function choose(point) {
    chosen = point;
    before = null;
    update();
  }

  // The sampling point nearest to a place inside the box.
  function pick({ x, y }) {
    const fine = count * ratio;
    const across = clamp(Math.floor(((x - box[0]) / (box[2] - box[0])) * fine), 0, fine - 1);
    const down = clamp(Math.floor(((y - box[1]) / (box[3] - box[1])) * fine), 0, fine - 1);
    const bin = Math.floor(down / ratio) * count + Math.floor(across / ratio);
    choose(bin * ratio * ratio + (down % ratio) * ratio + (across % ratio));
  }

  function refit() {
    choose(Math.min(chosen, lastPoint()));
  }

  function outputs() {
    return {
      pool: roiPool(MAP, box, count, STRIDE).bins.flat().map(({ value }) => value),
      align: roiAlign(MAP, box, count, ratio, STRIDE).flat().map(({ value }) => value),
    };
  }

  // A rectangle of cells or of parts of them, `inset` pixels smaller on each side.
  function rectangle(parent, [x1, y1, x2, y2], inset, attributes) {
    const sizes = { x: x1 + inset, y: y1 + inset, width: x2 - x1 - 2 * inset, height: y2 - y1 - 2 * inset };
    return svg(parent, "rect", { ...sizes, ...attributes });
  }

  function drawPool(marks, pool, chosenBin) {
    marks.replaceChildren();
    const [x1, y1, x2, y2] = pool.region;
    rectangle(marks, [x1, y1, x2 + 1, y2 + 1].map((cell) => cell * STRIDE), 0, { class: "roi-region figure-line" });
    pool.bins.flat().forEach((bin, number) => {
      const [i, j] = [Math.floor(number / count), number % count];
      const edges = [bin.columns[0], bin.rows[0], bin.columns[1], bin.rows[1]].map((cell) => cell * STRIDE);
      const look = number === chosenBin ? "figure-shape" : "figure-line";
      rectangle(marks, edges, (i + j) % 2 === 0 ? 0.7 : 1.5, { class: look });
      const [cy, cx] = bin.best.map((cell) => (cell + 0.5) * STRIDE);
      svg(marks, "circle", { cx, cy, r: 2.9, class: number === chosenBin ? "figure-line roi-best" : "figure-line" });
    });
  }

  function drawAlign(marks, align, { i, j, n }) {
    marks.replaceChildren();
    const across = (part) => box[0] + ((box[2] - box[0]) * part) / count;
    const down = (part) => box[1] + ((box[3] - box[1]) * part) / count;
    for (let part = 1; part < count; part++) {
      svg(marks, "path", { d: `M${across(part)} ${box[1]}V${box[3]}M${box[0]} ${down(part)}H${box[2]}`, class: "figure-line" });
    }
    rectangle(marks, box, 0, { class: "figure-line" });
    rectangle(marks, [across(j), down(i), across(j + 1), down(i + 1)], 0, { class: "figure-shape" });
    const point = align[i][j].points[n];
    const [x, y] = [point.x * STRIDE, point.y * STRIDE];
    for (const { row: cellRow, column, weight } of point.cells) {
      const [cx, cy] = [(column + 0.5) * STRIDE, (cellRow + 0.5) * STRIDE];
      const edges = [column, cellRow, column + 1, cellRow + 1].map((cell) => cell * STRIDE);
      rectangle(marks, edges, 0.5, { class: "roi-neighbour figure-green figure-line" });
      const line = svg(marks, "path", { d: `M${x} ${y}L${cx} ${cy}`, class: "roi-weight figure-green" });
      line.style.strokeWidth = 1 + 5 * weight;
    }
    for (const [bin, { points }] of align.flat().entries()) {
      const mine = bin === i * count + j;
      for (const one of points) {
        svg(marks, "circle", { cx: one.x * STRIDE, cy: one.y * STRIDE, r: mine ? 0.95 : 0.6, class: "figure-dot" });
      }
    }
    svg(marks, "circle", { cx: x, cy: y, r: 1.7, class: "roi-point" });
  }

  function drawOutput(group, texts, chosenBin) {
    group.replaceChildren();
    const [wide, high] = [OUTPUT.width / count, OUTPUT.height / count];
    texts.forEach((text, number) => {
      const x = left + width - OUTPUT.width + (number % count) * wide;
      const y = outputTop + Math.floor(number / count) * high;
      const mine = number === chosenBin;
      const cell = svg(group, "g");
      svg(cell, "rect", { x, y, width: wide, height: high, class: mine ? "figure-shape" : "figure-line figure-hit" });
      words(cell, x + wide / 2, y + high / 2, text, { size: 3, class: mine ? "figure-name" : "roi-number" });
      cell.addEventListener("click", () => choose(number * ratio * ratio));
    });
  }

  function changed(now) {
    if (before === null) return "";
    const of = (name) => now[name].filter((value, index) => Math.abs(value - before[name][index]) > 1e-9).length;
    return `Numbers that the last move has changed: RoI pool ${of("pool")} of ${count * count}, RoI align ${of("align")} of ${count * count}`;
  }

  function update() {
    const pool = roiPool(MAP, box, count, STRIDE);
    const align = roiAlign(MAP, box, count, ratio, STRIDE);
    const now = outputs();
    const { i, j, n } = parts(chosen);
    const bin = i * count + j;
    drawPool(sides.pool.marks, pool, bin);
    drawAlign(sides.align.marks, align, { i, j, n });
    drawOutput(sides.pool.output, now.pool.map(String), bin);
    drawOutput(sides.align.output, now.align.map((value) => fixed(value, 1)), bin);
    for (const { body, corners } of Object.values(sides)) {
      const label = `Box in pixels: x1 ${box[0]}, y1 ${box[1]}, x2 ${box[2]}, y2 ${box[3]}`;
      set(body, { x: box[0], y: box[1], width: box[2] - box[0], height: box[3] - box[1], "aria-label": label });
      for (const { corner, handles } of corners) {
        for (const handle of handles) set(handle, { cx: box[corner[0]], cy: box[corner[1]] });
      }
    }
    const [x1, y1, x2, y2] = pool.region;
    const cells = pool.bins[i][j];
    const { points, value } = align[i][j];
    const point = points[n];
    const sum = point.cells.map(({ row: a, column: b, weight }) => `${fixed(weight, 2)} · ${MAP[a][b]}`).join(" + ");
    show({
      box: `Box: (${box.join(", ")}) / ${STRIDE} = (${box.map((edge) => edge / STRIDE).join(", ")}) in cells`,
      region: `RoI pool, corners rounded: (${pool.region.join(", ")}), the last cells included: ${x2 - x1 + 1} × ${y2 - y1 + 1} cells`,
      pool: `RoI pool, bin in row ${i}, column ${j}: columns ${cells.columns[0]}–${cells.columns[1] - 1}, rows ${cells.rows[0]}–${cells.rows[1] - 1}; maximum = ${cells.value}`,
      align: `RoI align, the same bin: mean of (${points.map((one) => fixed(one.value, 1)).join(", ")}) = ${fixed(value, 1)}`,
      point: `Point ${n + 1} at (${fixed(point.x, 2)}, ${fixed(point.y, 2)}): ${sum} = ${fixed(point.value, 1)}`,
      change: changed(now),
    });
    steps.show(chosen, lastPoint());
  }

  update();
});
