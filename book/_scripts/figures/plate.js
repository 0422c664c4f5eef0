// Words on a plate, for drawings where lines or a picture lie beneath them.

import { clamp, set, svg, words } from "figures/base";

const HEIGHT = 18;
const SIZE = 13;
const ruler = document.createElement("canvas").getContext("2d");

/** How wide the plate of a text is, in the page's font. */
export function plateWidth(text) {
  ruler.font = `700 ${SIZE}px ${getComputedStyle(document.body).fontFamily}`;
  return 8 + ruler.measureText(text).width;
}

/** A plate at the end of `parent`; `show(text, x, y)` centres it there, within 0 … `width`. */
export function plate(parent, width) {
  const group = svg(parent, "g", { class: "figure-plate" });
  const ground = svg(group, "rect", { height: HEIGHT, rx: 3 });
  const label = words(group, 0, 0, "", { size: SIZE, class: "figure-name" });
  function show(text, x, y) {
    const wide = plateWidth(text);
    const left = clamp(x - wide / 2, 0, width - wide);
    set(ground, { x: left, y: y - HEIGHT / 2, width: wide });
    set(label, { x: left + wide / 2, y });
    label.textContent = text;
  }
  return { group, show };
}
