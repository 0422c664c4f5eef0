// Tables of numbers in a drawing, one square a number, and a frame that walks over them.

import { clamp, movable, set, svg, words } from "figures/base";

/**
 * Squares with a number each, the upper left corner at (x, y). `press(i, j)` hears of clicks, and
 * with `hover` also of a mouse that comes over a square.
 */
export function table(parent, { x = 0, y = 0, rows, columns, cell, size, hover = false }, press = null) {
  const group = svg(parent, "g");
  const cells = Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) => {
    const place = { x: x + j * cell, y: y + i * cell, width: cell, height: cell };
    const square = svg(group, "rect", { ...place, class: "numbers-square" });
    const text = words(group, place.x + cell / 2, place.y + cell / 2, "", { size, class: "numbers-text" });
    return { square, text, place };
  }));
  if (press) {
    // On top of all squares and texts, so that a finger always meets one.
    cells.forEach((line, i) => line.forEach(({ place }, j) => {
      const hit = svg(group, "rect", { ...place, class: "figure-hit numbers-press" });
      hit.addEventListener("click", () => press(i, j));
      if (hover) hit.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && press(i, j));
    }));
  }
  return cells;
}

/** What a square shows: a text, and the names of classes for the square and for its text. */
export function show({ square, text }, value, kind = "", weight = "") {
  text.textContent = value;
  set(square, { class: `numbers-square ${kind}` });
  set(text, { class: `numbers-text ${weight}` });
}

/** A frame around one square of a table, moved by arrow keys; `choose(i, j)` is called with where to. */
export function cursor(parent, { cell, rows, columns, at }, choose) {
  const frame = svg(parent, "rect", { width: cell, height: cell, class: "numbers-cursor" });
  movable(frame, {
    grab: at,
    move: ([i, j], dx, dy) =>
      choose(clamp(i + Math.round(dy / cell), 0, rows - 1), clamp(j + Math.round(dx / cell), 0, columns - 1)),
    step: cell,
  });
  return (place, label) => set(frame, { x: place.x, y: place.y, "aria-label": label });
}

/** A number with at most so many digits, and none that say nothing. */
export function short(number, digits = 2) {
  const text = String(Number(number.toFixed(digits)));
  return (text === "-0" ? "0" : text).replace("-", "−");
}

/** A sum in words: 0.75 · 1 + 0.25 · 2; a bracket where the second number would have a sign. */
export function sum(terms, digits = 3) {
  const parts = terms.map(([weight, value], index) => {
    const product = `${short(index > 0 ? Math.abs(weight) : weight, digits)} · ${value}`;
    if (index === 0) return product;
    return `${weight < 0 ? "−" : "+"} ${product}`;
  });
  return parts.length > 0 ? parts.join(" ") : "0";
}
