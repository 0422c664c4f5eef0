// How many windows a classifier has to look at, how long that takes, and how many boxes there are at all.

import {
  button, clamp, controls, field, fixed, grouped, help, mount, movable, paper, pointOf, row, set, slider, svg, values,
  words,
} from "figures/base";

const LARGEST = 4000; // pixels, a side of the image or of the window
const ROOM = { left: 2, top: 22, width: 316, height: 237 }; // of the image, in units of the drawing
const APART = 4; // units between two dots that can be told apart
const SLIDE = { hw: [600, 800], boxes: 57e6 }; // what the slide says of an image of this size
const DECADES = 14; // of the chart
const TICKS = { 0: "1", 3: "thousand", 6: "million", 9: "billion", 12: "10¹²" };
const UNITS = [["years", 365.25 * 86400], ["days", 86400], ["hours", 3600], ["minutes", 60], ["seconds", 1]];
const PRESETS = {
  "the slide’s image": { image: [600, 800], size: [100, 100], stride: 60 },
  "… at stride 1": { image: [600, 800], size: [100, 100], stride: 1 },
  "by hand, 6 × 5": { image: [5, 6], size: [3, 3], stride: 1 },
};

/** Rows and columns of window positions; sizes are height, width. No window where it is too large. */
export function positions(imageHw, sizeHw, stride) {
  return imageHw.map((side, axis) => (sizeHw[axis] > side ? 0 : Math.floor((side - sizeHw[axis]) / stride) + 1));
}

/** The box of a window, xyxy. */
export function windowBox(i, j, sizeHw, stride) {
  return [j * stride, i * stride, j * stride + sizeHw[1], i * stride + sizeHw[0]];
}

/** All boxes on whole pixels, exactly: a BigInt. */
export function allBoxes([height, width]) {
  const [h, w] = [BigInt(height), BigInt(width)];
  return ((h * (h + 1n)) / 2n) * ((w * (w + 1n)) / 2n);
}

/** A time in the largest unit of which there is at least one. */
export function duration(seconds) {
  if (seconds < 1) return `${fixed(1000 * seconds, 1)} ms`;
  const [name, length] = UNITS.find(([, unit]) => seconds >= unit);
  const number = seconds / length;
  return `${number < 1000 ? fixed(number, 1) : grouped(Math.round(number))} ${name}`;
}

mount("windows", (stage) => {
  let { image, size, stride } = PRESETS["the slide’s image"];
  let cell = [3, 5]; // row and column of the window that is drawn
  let milliseconds = 0.1;

  const both = row(stage);
  const drawing = paper(both, { width: 320, height: 264, label: "An image and its windows" });
  const title = words(drawing, ROOM.left, 9, "", { size: 13, anchor: "start" });
  const dots = svg(drawing, "g");
  const frame = svg(drawing, "rect", { class: "windows-image figure-hit" });
  frame.addEventListener("click", (event) => {
    const { scale, left, top } = layout();
    const { x, y } = pointOf(event, drawing);
    go([y - top, x - left].map((way, axis) => Math.round((way / scale - size[axis] / 2) / stride)));
  });
  const next = svg(drawing, "path", { class: "figure-orange figure-line figure-dashed windows-next" });
  const shown = svg(drawing, "rect", { class: "figure-orange figure-shape windows-shown" });
  const handle = svg(drawing, "rect", { class: "figure-hit windows-handle" });
  movable(handle, {
    grab: () => cell,
    move: (start, dx, dy) => go([dy, dx].map((way, axis) => start[axis] + Math.round(way / stride / layout().scale))),
    step: () => stride * layout().scale,
  });
  const chart = paper(both, { width: 320, height: 264, label: "Numbers of windows and boxes, each mark a thousand times the one before" });

  const show = values(stage, ["windows", "time", "boxes", "slip", "window"]);
  const sizes = controls(stage);
  const fields = {};
  for (const [name, label] of [["image", "image"], ["size", "window"]]) {
    const group = controls(sizes, `${label} in pixels`);
    fields[name] = [1, 0].map((axis) =>
      field(group, { label: axis === 1 ? "width" : "height", min: 1, max: LARGEST, value: 1 }, (value) => {
        if (name === "image") image = image.with(axis, value);
        else size = size.with(axis, value);
        update();
      }));
  }
  const pace = controls(stage);
  const strideSlider = slider(pace, { label: "stride", min: 1, max: 100, value: stride }, (value) => {
    stride = value;
    update();
  });
  field(pace, { label: "milliseconds a window", min: 0.1, max: 1000, step: 0.1, value: milliseconds }, (value) => {
    milliseconds = value;
    update();
  });
  const presets = controls(stage);
  for (const [name, preset] of Object.entries(PRESETS)) {
    button(presets, name, () => {
      ({ image, size, stride } = preset);
      update();
    });
  }
  help(stage, "Drag the window, or Tab to it and use the arrow keys: it goes by the stride. Each dot is the centre of a window; " +
    "dashed are the next ones to the right and below. The chart is logarithmic: from one mark to the next it is a thousand times more.");

  function layout() {
    const scale = Math.min(ROOM.width / image[1], ROOM.height / image[0]);
    return { scale, left: ROOM.left + (ROOM.width - scale * image[1]) / 2, top: ROOM.top };
  }

  function go(to) {
    cell = to;
    update();
  }

  // A box on the drawing.
  function placed([x1, y1, x2, y2]) {
    const { scale, left, top } = layout();
    return { x: left + x1 * scale, y: top + y1 * scale, width: (x2 - x1) * scale, height: (y2 - y1) * scale };
  }

  function drawWindows([rows, columns]) {
    const { scale, left, top } = layout();
    const thin = Math.ceil(APART / (stride * scale)); // of so many windows in a line one is drawn
    dots.replaceChildren();
    let outlines = "";
    let centres = ""; // one path: thousands of circles would take seconds to draw
    for (let i = 0; i < rows; i += thin) {
      for (let j = 0; j < columns; j += thin) {
        const { x, y, width, height } = placed(windowBox(i, j, size, stride));
        centres += `M${x + width / 2} ${y + height / 2}h0`;
        if (thin === 1) outlines += `M${x} ${y}h${width}v${height}h${-width}z`;
      }
    }
    svg(dots, "path", { d: outlines, class: "figure-grid" });
    const wide = thin > 1 ? 1.8 : clamp(stride * scale * 0.24, 2, 6);
    svg(dots, "path", { d: centres, class: "windows-dots", "stroke-width": wide });
    set(frame, { x: left, y: top, width: scale * image[1], height: scale * image[0] });
    title.textContent = thin > 1 && rows * columns > 0 ? `one dot for ${thin} × ${thin} windows` : "one dot for each window";
  }

  function drawShown([rows, columns]) {
    const none = rows * columns === 0;
    const [i, j] = cell;
    const follow = [[i, j + 1], [i + 1, j]].filter(([a, b]) => a < rows && b < columns);
    const place = placed(none ? [0, 0, 0, 0] : windowBox(i, j, size, stride));
    const lines = follow.map((one) => {
      const { x, y, width, height } = placed(windowBox(...one, size, stride));
      return `M${x} ${y}h${width}v${height}h${-width}z`;
    });
    set(next, { d: lines.join("") });
    set(shown, place);
    const [wide, high] = [Math.max(place.width, 42), Math.max(place.height, 42)]; // as a finger wants it
    set(handle, {
      x: place.x - (wide - place.width) / 2, y: place.y - (high - place.height) / 2, width: wide, height: high,
      "aria-label": none ? "No window" : `Window in row ${i}, column ${j}`,
    });
  }

  function drawChart(bars) {
    chart.replaceChildren();
    const unit = 316 / DECADES;
    for (const [decade, text] of Object.entries(TICKS)) {
      svg(chart, "path", { d: `M${2 + decade * unit} 14V238`, class: "figure-grid" });
      const anchor = decade === "0" ? "start" : "middle";
      words(chart, 2 + decade * unit, 250, text, { size: 12.5, anchor, class: "figure-soft" });
    }
    bars.forEach(({ name, number, color, dashed, exact = number }, line) => {
      const y = 20 + 56 * line;
      const width = number >= 1 ? Math.max(Math.log10(number) * unit, 2) : 0;
      svg(chart, "rect", { x: 2, y: y + 17, width, height: 13, class: `figure-${color} figure-shape ${dashed ? "figure-dashed" : ""}` });
      const time = duration((number * milliseconds) / 1000);
      words(chart, 4, y + 7, `${name}: ${grouped(exact)}, ${time}`, { size: 13, anchor: "start", class: "figure-halo windows-bar" });
    });
  }

  function update() {
    const counts = positions(image, size, stride);
    const [rows, columns] = counts;
    const total = rows * columns;
    const every = positions(image, size, 1);
    const boxes = allBoxes(image);
    const ofSlide = image.every((side, axis) => side === SLIDE.hw[axis]);
    cell = cell.map((one, axis) => clamp(one, 0, Math.max(counts[axis] - 1, 0)));
    fields.image.forEach(({ show: put }, n) => put(image[1 - n]));
    fields.size.forEach(({ show: put }, n) => put(size[1 - n]));
    strideSlider.show(stride);
    drawWindows(counts);
    drawShown(counts);
    const bars = [
      { name: `windows at stride ${stride}`, number: total, color: "orange" },
      { name: "windows at stride 1", number: every[0] * every[1], color: "blue" },
      { name: "all boxes", number: Number(boxes), exact: boxes, color: "green" },
    ];
    if (ofSlide) bars.push({ name: "the slide’s slip", number: SLIDE.boxes, color: "soft", dashed: true });
    drawChart(bars);
    const along = (axis) => `(⌊(${image[axis]} − ${size[axis]}) / ${stride}⌋ + 1)`;
    const half = (side) => `${side} · ${side + 1} / 2`;
    show({
      windows: total > 0
        ? `Windows: ${along(0)} · ${along(1)} = ${rows} · ${columns} = ${grouped(total)}`
        : "Windows: the window is larger than the image = 0",
      time: `At ${milliseconds} ms each they take ${duration((total * milliseconds) / 1000)}`,
      boxes: `All boxes: (${half(image[0])}) · (${half(image[1])}) = ${grouped(boxes)}`,
      slip: ofSlide ? "The slide says 57 million for this image: a thousand times too few" : "",
      window: total > 0
        ? `Window in row ${cell[0]}, column ${cell[1]}: (${windowBox(...cell, size, stride).join(", ")}), number ${grouped(cell[0] * columns + cell[1])} from 0`
        : "",
    });
  }

  update();
});
