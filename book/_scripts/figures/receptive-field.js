// What one output of a chain of layers sees: the values below it, layer by layer, down to the pixels.

import { button, clamp, controls, field, help, html, mount, movable, paper, row, set, stepper, svg, values, words } from "figures/base";
import data from "figures/receptive-field-data";

const MOST = 8; // layers
const LIMITS = { kernel: [1, 7], stride: [1, 3], dilation: [1, 4] };
const WIDTH = 320;
const FAN = { left: 76, right: 234 }; // between the names and the numbers of the rows
const PITCH = 40; // from one row to the next
const MOST_LINES = 400; // more of them would be a blot
const SMALLEST_DOT = 3; // units from one value to the next, below which a row is drawn as bars
const PRESETS = {
  "with pooling": [[3, 1, 1], [2, 2, 1], [3, 1, 1], [2, 2, 1], [3, 1, 1]],
  "convolutions alone": [[3, 1, 1], [3, 1, 1], [3, 1, 1]],
  "dilation 1, 2, 4": [[3, 1, 1], [3, 1, 2], [3, 1, 4]],
  "dilation 2, 2, 2": [[3, 1, 2], [3, 1, 2], [3, 1, 2]],
};

/** Size of the field and jump of a chain of [kernel, stride, dilation], input first. */
export function receptiveField(layers) {
  let [field, spacing] = [1, 1];
  for (const [kernel, stride, dilation = 1] of layers) {
    field += dilation * (kernel - 1) * spacing;
    spacing *= stride;
  }
  return { size: field, jump: spacing };
}

/** Which values output 0 sees, in every layer from the input to its own, numbered along the axis. */
export function seen(layers) {
  const rows = [[0]];
  for (const [kernel, stride, dilation = 1] of layers.toReversed()) {
    const below = new Set();
    for (const place of rows[0]) for (let i = 0; i < kernel; i++) below.add(place * stride + i * dilation);
    rows.unshift([...below].sort((a, b) => a - b));
  }
  return rows;
}

/** Where value 0 of every layer has its centre, in pixels of the input. */
export function centres(layers) {
  const starts = [0.5];
  let spacing = 1;
  for (const [kernel, stride, dilation = 1] of layers) {
    starts.push(starts.at(-1) + (dilation * (kernel - 1) * spacing) / 2);
    spacing *= stride;
  }
  return starts;
}

/** Neighbours together: sorted whole numbers as [first, behind the last]. */
export function runs(places) {
  const found = [];
  for (const place of places) {
    if (found.length > 0 && found.at(-1)[1] === place) found.at(-1)[1] += 1;
    else found.push([place, place + 1]);
  }
  return found;
}

mount("receptive-field", (stage) => {
  let layers = PRESETS["with pooling"].map((layer) => [...layer]);
  let depth = layers.length; // of the layer whose output is followed
  let spot = [...data.start];

  const pair = row(stage);
  const fan = paper(pair, {
    width: WIDTH, height: PITCH, widest: "26rem", label: "What one output sees, layer by layer, along one axis",
  });
  const scene = paper(pair, {
    width: data.side, height: data.side, margin: 1, widest: "20rem", label: "A scene, and the pixels that one output sees",
  });
  svg(scene, "image", { href: data.scene, width: data.side, height: data.side, class: "receptive-field-scene" });
  const cover = svg(scene, "path", { class: "receptive-field-cover", "fill-rule": "evenodd" });
  const square = svg(scene, "rect", { class: "receptive-field-square" });
  const cross = svg(scene, "path", { class: "receptive-field-cross" });
  const handle = svg(scene, "circle", { r: 9, class: "figure-hit" });
  movable(handle, {
    grab: () => spot,
    move: ([x, y], dx, dy) => {
      spot = [x + dx, y + dy].map((value) => clamp(Math.round(value), 0, data.side - 1));
      update();
    },
  });

  const show = values(stage, ["size", "seen", "scene"]);
  const walk = stepper(controls(stage), {
    last: layers.length, value: depth,
    text: (now, last) => (now === 0 ? "the input alone" : `an output of layer ${now} of ${last}`),
  }, (next) => {
    depth = next;
    update();
  });
  const list = html(stage, "div", { class: "receptive-field-list" });
  const line = controls(stage);
  button(line, "Add a convolution", () => add([3, 1, 1]));
  button(line, "Add a pooling", () => add([2, 2, 1]));
  const presets = controls(stage);
  for (const [name, chain] of Object.entries(PRESETS)) {
    button(presets, name, () => load(chain.map((layer) => [...layer])));
  }
  help(stage, "Change the layers, add some or remove one; Back and Next follow an output of another layer. Drag the " +
    "cross on the scene, or Tab to it and use the arrow keys.");

  function load(next) {
    layers = next;
    depth = layers.length;
    build();
    update();
  }

  function add(layer) {
    if (layers.length < MOST) load([...layers, layer]);
  }

  let lines = [];

  /** One line of controls for each layer. */
  function build() {
    list.textContent = "";
    lines = layers.map((layer, index) => {
      const group = html(list, "fieldset", { class: "receptive-field-layer" });
      html(group, "legend", {}, `layer ${index + 1}`);
      Object.entries(LIMITS).forEach(([label, [min, max]], place) => {
        field(group, { label, min, max, value: layer[place] }, (next) => {
          layers[index][place] = next;
          update();
        });
      });
      const remove = button(group, "Remove", () => {
        load(layers.filter((_, other) => other !== index));
        const near = list.querySelectorAll("button")[Math.min(index, layers.length - 1)];
        (near ?? line.querySelector("button")).focus();
      });
      set(remove, { "aria-label": `Remove layer ${index + 1}` });
      return html(group, "output");
    });
  }

  /** A row of values: those that are seen, and the others around them, faint. */
  function drawRow(group, level, { y, places, start, jump, scale, from, to }) {
    const at = (place) => FAN.left + (start + place * jump - from) * scale;
    const step = jump * scale;
    if (step < SMALLEST_DOT) {
      const path = runs(places).map(([first, behind]) =>
        `M${at(first) - step / 2} ${y - 5}H${at(behind) - step / 2}V${y + 5}H${at(first) - step / 2}Z`);
      svg(group, "path", { d: path.join(""), class: "receptive-field-value" });
      return at;
    }
    const lit = new Set(places);
    const side = Math.min(12, 0.82 * step);
    const first = Math.ceil((from - start + 0.5) / jump);
    const last = Math.floor((to - start - 0.5) / jump);
    for (let place = first; place <= last; place++) {
      const kind = lit.has(place) ? "receptive-field-value" : "receptive-field-other";
      if (level > 0) svg(group, "circle", { cx: at(place), cy: y, r: side / 2, class: kind });
      else svg(group, "rect", { x: at(place) - side / 2, y: y - side / 2, width: side, height: side, class: kind });
    }
    return at;
  }

  function drawFan(chain, rows) {
    fan.textContent = "";
    const height = PITCH * (layers.length + 1);
    set(fan, { viewBox: `0 0 ${WIDTH} ${height}` });
    const { size } = receptiveField(chain);
    const around = Math.max(2, 0.12 * size);
    const [from, to] = [-around, size + around];
    const scale = (FAN.right - FAN.left) / (to - from);
    const starts = centres(layers);
    const fans = svg(fan, "path", { class: "receptive-field-line" });
    let jump = 1;
    const spots = [];
    for (let level = 0; level <= layers.length; level++) {
      const y = height - PITCH * (level + 0.5);
      if (level > 0) jump *= layers[level - 1][1];
      const [kernel, stride, dilation] = level > 0 ? layers[level - 1] : [];
      const places = level <= chain.length ? rows[level] : [];
      const name = level === 0 ? "input" : `layer ${level}`;
      const kind = level > chain.length ? "figure-soft" : "figure-name";
      words(fan, 0, y - (level > 0 ? 7 : 0), name, { size: 12.5, anchor: "start", class: kind });
      if (level > 0) {
        const more = [stride > 1 ? `stride ${stride}` : "", dilation > 1 ? `dil. ${dilation}` : ""].filter(Boolean);
        const said = more.length > 1 ? `${kernel} / ${stride}, dil. ${dilation}` : [kernel, ...more].join(", ");
        words(fan, 0, y + 8, said, { size: 12, anchor: "start", class: "figure-soft" });
      }
      if (level > chain.length) continue;
      const at = drawRow(fan, level, { y, places, start: starts[level], jump, scale, from, to });
      const noun = level === 0 ? "pixel" : level === chain.length ? "output" : "value";
      const count = `${places.length} ${noun}${places.length === 1 ? "" : "s"}`;
      words(fan, WIDTH - 3, y, count, { size: 12.5, anchor: "end" });
      spots.push({ y, at });
    }
    set(fans, { d: joined(chain, rows, spots) });
  }

  /** Lines from every value to those that it is made from; from the outer ones only if they are many. */
  function joined(chain, rows, spots) {
    const parts = chain.map(([kernel, stride, dilation], index) => {
      const upper = rows[index + 1];
      const all = upper.length * kernel <= MOST_LINES;
      const taps = (place) => Array.from({ length: kernel }, (_, i) => [place, place * stride + i * dilation]);
      const pairs = all ? upper.flatMap(taps)
        : [[upper[0], rows[index][0]], [upper.at(-1), rows[index].at(-1)]];
      return pairs.map(([above, below]) =>
        `M${spots[index + 1].at(above)} ${spots[index + 1].y}L${spots[index].at(below)} ${spots[index].y}`).join("");
    });
    return parts.join("");
  }

  function drawScene(size, pixels) {
    const corner = spot.map((value) => Math.round(value + 0.5 - size / 2));
    const hole = ([x1, x2], [y1, y2]) => {
      const [left, top, right, bottom] = [x1, y1, x2, y2].map((value, index) =>
        clamp(corner[index % 2] + value, 0, data.side));
      return `M${left} ${top}H${right}V${bottom}H${left}Z`;
    };
    const [along, down] = corner.map((start) =>
      runs(pixels).filter(([first, behind]) => start + behind > 0 && start + first < data.side));
    const holes = down.flatMap((y) => along.map((x) => hole(x, y)));
    set(cover, { d: `M0 0H${data.side}V${data.side}H0Z${holes.join("")}` });
    const [x1, y1] = corner.map((value) => Math.max(value, 0));
    const [x2, y2] = corner.map((value) => Math.min(value + size, data.side));
    set(square, { x: x1, y: y1, width: x2 - x1, height: y2 - y1 });
    const [x, y] = spot.map((value) => value + 0.5);
    set(cross, { d: `M${x - 4} ${y}h8M${x} ${y - 4}v8` });
    set(handle, { cx: x, cy: y, "aria-label": `the output's place: x ${spot[0]}, y ${spot[1]}` });
    return corner.every((value) => value >= 0 && value + size <= data.side);
  }

  function update() {
    depth = Math.min(depth, layers.length);
    walk.show(depth, layers.length);
    const chain = layers.slice(0, depth);
    const { size, jump } = receptiveField(chain);
    const rows = seen(chain);
    drawFan(chain, rows);
    const whole = drawScene(size, rows[0]);
    lines.forEach((output, index) => {
      const before = receptiveField(layers.slice(0, index));
      const after = receptiveField(layers.slice(0, index + 1));
      output.textContent = `adds ${after.size - before.size} → ${after.size}, jump ${after.jump}`;
    });
    const terms = chain.map(([kernel, , dilation], index) => {
      const { jump: at } = receptiveField(chain.slice(0, index));
      return `${dilation > 1 ? `${dilation} · ` : ""}${kernel - 1} · ${at}`;
    });
    const gaps = size - rows[0].length;
    show({
      size: `receptive field: ${["1", ...terms].join(" + ")} = ${size}`,
      seen: `jump ${jump}: the next output sees ${jump} ${jump === 1 ? "pixel" : "pixels"} further` +
        (gaps > 0 ? `; gaps: only ${rows[0].length} of the ${size} are seen` : ""),
      scene: whole ? `${size} × ${size} of the scene's ${data.side} × ${data.side} pixels`
        : "the field sticks out of the scene",
    });
  }

  build();
  update();
});
