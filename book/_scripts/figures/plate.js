// Words on a plate, for drawings where lines or a picture lie beneath them.

import { set, svg, words } from "figures/base";

const HEIGHT = 18;

/** How wide the plate of a text of size 13 is. */
export function plateWidth(text) {
  return 8 + 6.9 * text.length;
}

/** A plate at the end of `parent`; `show(text, x, y)` centres it there, within 0 … `width`. */
export function plate(parent, width) {
  const group = svg(parent, "g", { class: "figure-plate" });
  const ground = svg(group, "rect", { height: HEIGHT, rx: 3 });
  const label = words(group, 0, 0, "", { size: 13, class: "figure-name" });
  function show(text, x, y) {
    const wide = plateWidth(text);
    const left = Math.min(Math.max(x - wide / 2, 0), width - wide);
    set(ground, { x: left, y: y - HEIGHT / 2, width: wide });
    set(label, { x: left + wide / 2, y });
    label.textContent = text;
  }
  return { group, show };
}
