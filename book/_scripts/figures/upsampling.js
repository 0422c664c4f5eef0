// A small map enlarged in five ways, side by side, and the weights behind any one number.

import { button, clamp, controls, field, fixed, help, html, mount, movable, paper, set, svg, values, words } from "figures/base";
import { cursor, short, show as showCell, sum, table } from "figures/numbers";

const FACTOR = 2;
const CELL = 38; // units of the drawings; a pixel of the input is twice as wide
const LARGEST = 9;
const METHODS = {
  nails: "bed of nails",
  nearest: "nearest neighbour",
  bilinear: "bilinear",
  bicubic: "bicubic",
  unpool: "max unpooling",
};
const PRESETS = {
  "the lecture's": { input: [[1, 2], [3, 4]], positions: [5, 2, 12, 15] },
  "an edge": { input: [[0, 0, 9], [0, 0, 9], [0, 0, 9]] },
  "a dot": { input: [[0, 0, 0], [0, 9, 0], [0, 0, 0]] },
  "a slope": { input: [[1, 2, 3], [2, 3, 4], [3, 4, 5]] },
};
const COLORS = ["blue", "orange", "green", "purple"]; // neighbours never share one
const SLOPE = -0.75; // torch's a

/** Keys' weight of a value at distance t. */
export function cubicWeight(t, a = SLOPE) {
  const far = Math.abs(t);
  if (far <= 1) return (a + 2) * far ** 3 - (a + 3) * far ** 2 + 1;
  return far < 2 ? a * far ** 3 - 5 * a * far ** 2 + 8 * a * far - 4 * a : 0;
}

/** The weights of n values for output j of a line; border values stand in for those beyond. */
export function lineWeights(method, n, factor, j) {
  const weights = Array(n).fill(0);
  const own = Math.floor(j / factor);
  if (method === "nails") weights[own] = j % factor === 0 ? 1 : 0;
  if (method === "nearest") weights[own] = 1;
  if (method === "bilinear" || method === "bicubic") {
    const centre = (j + 0.5) / factor - 0.5; // the centre of input 0 is 0
    for (let k = Math.floor(centre) - 1; k <= Math.floor(centre) + 2; k++) {
      const distance = Math.abs(centre - k);
      const weight = method === "bicubic" ? cubicWeight(distance) : Math.max(0, 1 - distance);
      weights[clamp(k, 0, n - 1)] += weight;
    }
  }
  return weights;
}

/**
 * The weight of each input value for the output in row i, column j.
 * `positions`: for each input value, in rows, the place of its maximum in the output, i · W + j.
 */
export function pixelWeights(method, [rows, columns], factor, [i, j], positions = []) {
  if (method === "unpool") {
    const here = i * columns * factor + j;
    return Array.from({ length: rows }, (_, k) =>
      Array.from({ length: columns }, (_, l) => (positions[k * columns + l] === here ? 1 : 0)));
  }
  const down = lineWeights(method, rows, factor, i);
  const along = lineWeights(method, columns, factor, j);
  return down.map((a) => along.map((b) => a * b));
}

/** The enlarged map: each number the sum of weights times values. */
export function upsample(method, input, factor, positions = []) {
  const shape = [input.length, input[0].length];
  return Array.from({ length: shape[0] * factor }, (_, i) =>
    Array.from({ length: shape[1] * factor }, (_, j) =>
      pixelWeights(method, shape, factor, [i, j], positions)
        .flatMap((line, k) => line.map((weight, l) => weight * input[k][l]))
        .reduce((total, term) => total + term, 0)));
}

// The upper left pixel of each window, if nobody has said where the maxima were.
function firstPositions(rows, columns) {
  return Array.from({ length: rows * columns }, (_, index) =>
    Math.floor(index / columns) * FACTOR * columns * FACTOR + (index % columns) * FACTOR);
}

function colorOf(k, l) {
  return `figure-${COLORS[(k % 2) * 2 + (l % 2)]}`;
}

mount("upsampling", (stage) => {
  let input;
  let positions;
  let method = "bilinear";
  let chosen = [1, 1]; // row and column of the output

  const grid = html(stage, "div", { class: "upsampling-grid" });
  const show = values(stage, ["pixel", "sum", "others", "beyond"]);
  const editor = controls(stage, "the map");
  const numbers = html(editor, "div", { class: "upsampling-fields" });
  const presets = controls(stage);
  for (const name of Object.keys(PRESETS)) button(presets, name, () => load(name));
  help(stage, "Click a number to see its weights on the map; the dot is the pixel's centre. Type other " +
    "numbers into the map. In max unpooling, drag a coloured number to another place in its window. With the " +
    "keyboard: Tab to a frame or to a coloured number, then arrow keys.");

  let drawn; // {source, enlarged: {method: {cells, frame}}, pegs, fields}

  function load(name) {
    input = PRESETS[name].input.map((line) => [...line]);
    positions = PRESETS[name].positions ?? firstPositions(input.length, input[0].length);
    chosen = [1, 1];
    build();
    update();
  }

  function choose(next, i, j) {
    method = next;
    chosen = [i, j];
    update();
  }

  /** The elements for a size of the map, once; update() fills them. */
  function build() {
    const [rows, columns] = [input.length, input[0].length];
    const side = columns * FACTOR * CELL;
    const size = { width: side, height: rows * FACTOR * CELL + 24, margin: 4, widest: "20rem" };
    const big = columns > 2 ? 15 : 14; // of the words: larger maps are drawn smaller
    grid.textContent = "";
    set(grid, { "data-columns": columns });
    const sheet = (title, label) => {
      const drawing = paper(grid, { ...size, label });
      const head = words(drawing, 0, 9, title, { size: 14, anchor: "start" });
      return { drawing, head };
    };

    const { drawing, head } = sheet("the map", "The map, with the weight of each of its values");
    set(head, { class: "figure-name" });
    const hues = svg(drawing, "g");
    const source = table(drawing, { y: 24, rows, columns, cell: CELL * FACTOR, size: 17 });
    source.forEach((line, k) => line.forEach((cell, l) => {
      set(cell.text, { y: cell.place.y + 0.25 * CELL * FACTOR });
      const { x, y, width, height } = cell.place;
      cell.frame = svg(drawing, "rect", { x: x + 3, y: y + 3, width: width - 6, height: height - 6 });
      cell.weight = words(drawing, x + CELL, y + 1.02 * CELL, "", { size: big, class: "upsampling-weight" });
      svg(hues, "rect", { ...cell.place, class: `figure-fill upsampling-tint ${colorOf(k, l)}` });
    }));
    const centre = svg(drawing, "circle", { r: 4, class: "figure-dot" });

    const enlarged = {};
    for (const [key, name] of Object.entries(METHODS)) {
      const part = sheet(name, `The map enlarged: ${name}`);
      const [height, width] = [rows * FACTOR, columns * FACTOR];
      const pick = (i, j) => choose(key, i, j);
      const tints = svg(part.drawing, "g");
      const cells = table(part.drawing, { y: 24, rows: height, columns: width, cell: CELL, size: big - 1.5 }, pick);
      const marks = svg(part.drawing, "path", { class: "figure-dot figure-orange" });
      const frame = cursor(part.drawing, { cell: CELL, rows: height, columns: width, at: () => chosen }, pick);
      enlarged[key] = { ...part, tints, cells, frame, marks };
    }
    const pegs = input.flatMap((line, k) => line.map((_, l) => peg(enlarged.unpool.drawing, k, l)));

    numbers.textContent = "";
    numbers.style.gridTemplateColumns = `repeat(${columns}, auto)`;
    const fields = input.map((line, k) => line.map((value, l) => {
      const made = field(numbers, { label: "", min: 0, max: LARGEST, value }, (next) => {
        input[k][l] = next;
        update();
      });
      set(made.input, { "aria-label": `row ${k}, column ${l}` });
      return made;
    }));
    drawn = { source, centre, enlarged, pegs, fields };
  }

  /** The place of one maximum, which moves inside its window. */
  function peg(drawing, k, l) {
    const columns = input[0].length;
    const index = k * columns + l;
    const hit = svg(drawing, "rect", { width: CELL, height: CELL, class: `figure-line upsampling-peg ${colorOf(k, l)}` });
    movable(hit, {
      grab: () => placeOf(index),
      move: ([i, j], dx, dy) => {
        const inside = (at, window) => clamp(at, window * FACTOR, window * FACTOR + FACTOR - 1);
        const to = [inside(i + Math.round(dy / CELL), k), inside(j + Math.round(dx / CELL), l)];
        positions = positions.with(index, to[0] * columns * FACTOR + to[1]);
        choose("unpool", ...to);
      },
      step: CELL,
    });
    hit.addEventListener("focus", () => choose("unpool", ...placeOf(index)));
    return hit;
  }

  function placeOf(index) {
    const width = input[0].length * FACTOR;
    return [Math.floor(positions[index] / width), positions[index] % width];
  }

  function update() {
    const shape = [input.length, input[0].length];
    const [i, j] = chosen;
    const weights = pixelWeights(method, shape, FACTOR, chosen, positions);
    const known = input.flat();
    const [low, high] = [Math.min(...known), Math.max(...known)];

    input.forEach((line, k) => line.forEach((value, l) => {
      const weight = weights[k][l];
      const cell = drawn.source[k][l];
      showCell(cell, value, "", "figure-name");
      set(cell.frame, {
        class: `upsampling-used ${weight < 0 ? "figure-dashed" : ""}`, display: weight === 0 ? "none" : null,
      });
      cell.weight.textContent = `× ${short(weight, 3)}`;
      set(cell.weight, { class: `upsampling-weight ${weight === 0 ? "figure-soft" : ""}` });
    }));
    const centre = [(i + 0.5) / FACTOR, (j + 0.5) / FACTOR];
    set(drawn.centre, { cx: (j + 0.5) * CELL, cy: 24 + (i + 0.5) * CELL });

    let beyond = 0;
    const others = [];
    for (const [key, { drawing, head, tints, cells, frame, marks }] of Object.entries(drawn.enlarged)) {
      const result = upsample(key, input, FACTOR, positions);
      const digits = key.startsWith("bi") ? 2 : 0;
      let triangles = "";
      tints.textContent = "";
      cells.forEach((line, row) => line.forEach((cell, column) => {
        const value = result[row][column];
        const made = pixelWeights(key, shape, FACTOR, [row, column], positions).flat();
        const only = digits === 0 ? made.indexOf(1) : -1;
        showCell(cell, fixed(value, digits), "", only < 0 && digits === 0 ? "figure-soft" : "");
        if (only >= 0) {
          const color = colorOf(Math.floor(only / shape[1]), only % shape[1]);
          svg(tints, "rect", { ...cell.place, class: `figure-fill upsampling-tint ${color}` });
        }
        if (digits > 0 && (value > high + 1e-9 || value < low - 1e-9)) {
          const [x, y] = [cell.place.x + CELL - 11, cell.place.y + 3];
          triangles += value > high ? `M${x} ${y + 7}h8l-4 -7z` : `M${x} ${y}h8l-4 7z`;
          if (key === "bicubic") beyond += 1;
        }
      }));
      set(marks, { d: triangles });
      head.classList.toggle("figure-name", key === method);
      frame(cells[i][j].place, `${METHODS[key]}, row ${i}, column ${j}: ${fixed(result[i][j], digits)}`);
      others.push(`${METHODS[key]} ${fixed(result[i][j], digits)}`);
      drawing.classList.toggle("upsampling-chosen", key === method);
    }
    drawn.pegs.forEach((hit, index) => {
      const [row, column] = placeOf(index);
      set(hit, {
        x: column * CELL, y: 24 + row * CELL,
        "aria-label": `maximum of window ${index}: row ${row}, column ${column}, position ${positions[index]}`,
      });
    });
    drawn.fields.forEach((line, k) => line.forEach((made, l) => made.show(input[k][l])));

    const terms = weights.flatMap((line, k) => line.map((weight, l) => [weight, input[k][l]])).filter(([weight]) => weight !== 0);
    const value = upsample(method, input, FACTOR, positions)[i][j];
    const where = method === "unpool" ? `positions of the maxima: ${positions.join(", ")}`
      : `centre at x = ${short(centre[1])}, y = ${short(centre[0])} of the map`;
    show({
      pixel: `${METHODS[method]}, row ${i}, column ${j}; ${where}`,
      sum: terms.length === 0 ? "no value has a weight: 0" : `${sum(terms, 4)} = ${short(value, 4)}`,
      others: `the same pixel: ${others.join(", ")}`,
      beyond: beyond === 0 ? "" : `▲ ▼ above ${high} or below ${low}: ${beyond} of the bicubic numbers`,
    });
  }

  load("the lecture's");
});
