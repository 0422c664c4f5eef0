// What all interactive figures share: elements, controls, things to move, values that are read out.

const SVG = "http://www.w3.org/2000/svg";
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const SECONDS_A_STEP = 0.9;
const STILL = 3; // pixels that a finger moves while it presses

/** Call `build` with every place on the page for the figure `name`, emptied of its still picture. */
export function mount(name, build) {
  for (const figure of document.querySelectorAll(`[data-figure="${name}"]`)) {
    const stage = figure.querySelector(".figure-stage");
    stage.textContent = "";
    build(stage);
    figure.dataset.ready = ""; // for those who wait for it
  }
}

/** Set attributes; null takes one away. */
export function set(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null) element.removeAttribute(key);
    else element.setAttribute(key, value);
  }
  return element;
}

/** A new element at the end of `parent` (or of nothing, where that is null). */
export function html(parent, name, attributes = {}, text = "") {
  return added(parent, document.createElement(name), attributes, text);
}

export function svg(parent, name, attributes = {}, text = "") {
  return added(parent, document.createElementNS(SVG, name), attributes, text);
}

function added(parent, element, attributes, text) {
  set(element, attributes);
  if (text !== "") element.textContent = text;
  if (parent) parent.appendChild(element);
  return element;
}

/** A drawing of `width` × `height` units from (x, y), as wide as there is room; `label` says what it is. */
export function paper(stage, { x = 0, y = 0, width, height, label, margin = 0, widest = "36rem" }) {
  const box = `${x - margin} ${y - margin} ${width + 2 * margin} ${height + 2 * margin}`;
  const drawing = svg(stage, "svg", { viewBox: box, class: "figure-paper", role: "group" });
  drawing.setAttribute("aria-label", label);
  drawing.style.maxWidth = widest;
  return drawing;
}

/** Places side by side, one below the other on a phone. */
export function row(stage) {
  return html(stage, "div", { class: "figure-row" });
}

/** Words in a drawing, by default centred on a point; `size` in units of the drawing. */
export function words(parent, x, y, text, { size, anchor = "middle", ...attributes }) {
  const place = { x, y, "font-size": size, "text-anchor": anchor, "dominant-baseline": "central" };
  return svg(parent, "text", { ...place, ...attributes }, text);
}

/** A row of controls, or a group of them under a name. */
export function controls(stage, name = "") {
  if (!name) return html(stage, "div", { class: "figure-controls" });
  const group = html(stage, "fieldset", { class: "figure-controls" });
  html(group, "legend", {}, name);
  return group;
}

/**
 * A slider with its value in words; `change` is called with a number. `show(value, limits)` sets it,
 * and other limits before: {min, max}.
 */
export function slider(parent, { label, min, max, step = 1, value, text = String }, change) {
  const line = html(parent, "label", { class: "figure-slider" });
  html(line, "span", {}, label);
  const input = html(line, "input", { type: "range", min, max, step });
  const output = html(line, "output");
  function show(next, limits = {}) {
    set(input, limits);
    input.value = next;
    output.textContent = text(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  }
  input.addEventListener("input", () => {
    show(input.value);
    change(Number(input.value));
  });
  show(value);
  return { input, show };
}

/** A field for a number, whole if `step` is; what is not a number, or out of range, is mended. */
export function field(parent, { label, min, max, step = 1, value }, change) {
  const line = html(parent, "label", { class: "figure-field" }, label);
  const input = html(line, "input", { type: "number", min, max, step, value });
  const show = (next) => { input.value = next; };
  let last = value;
  input.addEventListener("change", () => {
    const typed = input.value === "" ? last : Number(input.value);
    const whole = min + Math.round((typed - min) / step) * step;
    last = clamp(Number(whole.toFixed(6)), min, max);
    show(last);
    change(last);
  });
  return { input, show: (next) => { last = next; show(next); } };
}

let groups = 0;

/** One of several: `options` maps keys to what is read; `change` is called with a key. */
export function choice(parent, { label, options, value }, change) {
  const name = `figure-choice-${(groups += 1)}`;
  const group = html(parent, "fieldset", { class: "figure-choice" });
  html(group, "legend", {}, label);
  const inputs = {};
  for (const [key, text] of Object.entries(options)) {
    const line = html(group, "label");
    inputs[key] = html(line, "input", { type: "radio", name, value: key });
    html(line, "span", {}, text);
    inputs[key].addEventListener("change", () => change(key));
  }
  const show = (key) => { inputs[key].checked = true; };
  show(value);
  return { inputs, show };
}

/** A box to tick; `change` is called with true or false. */
export function check(parent, { label, value }, change) {
  const line = html(parent, "label", { class: "figure-check" });
  const input = html(line, "input", { type: "checkbox" });
  html(line, "span", {}, label);
  input.checked = value;
  input.addEventListener("change", () => change(input.checked));
  return { input, show: (next) => { input.checked = next; } };
}

export function button(parent, text, press) {
  const element = html(parent, "button", { type: "button" }, text);
  element.addEventListener("click", press);
  return element;
}

/**
 * Buttons that walk through steps 0 … last. `change` is called with the step.
 * Play is not offered to readers who asked for less motion.
 */
export function stepper(parent, { last, value = 0, text = (step) => `step ${step}` }, change) {
  const row = html(parent, "div", { class: "figure-stepper", role: "group", "aria-label": "Steps" });
  let step = value;
  let end = last;
  let timer = null;
  const back = button(row, "Back", () => go(step - 1));
  const next = button(row, "Next", () => go(step + 1));
  const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const play = still ? null : button(row, "Play", () => (timer === null ? start() : stop()));
  const said = html(row, "span", { class: "figure-step" });

  function start() {
    if (step === end) go(0);
    timer = window.setInterval(() => (step < end ? show(step + 1, end, true) : stop()), 1000 * SECONDS_A_STEP);
    play.textContent = "Pause";
  }
  function stop() {
    if (timer === null) return;
    window.clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  }
  function go(to) {
    stop();
    show(to, end, true);
  }
  /** Go to a step of another number of steps, and tell `change` unless it is the one that asks. */
  function show(to, newLast = end, tell = false) {
    end = newLast;
    step = clamp(to, 0, end);
    // A disabled button would lose the focus of those who press it by keyboard.
    set(back, { "aria-disabled": step === 0 });
    set(next, { "aria-disabled": step === end });
    said.textContent = text(step, end);
    if (tell) change(step);
  }
  show(value);
  return { show, stop, get step() { return step; } };
}

/**
 * Let an element of a drawing be moved, by pointer and by arrow keys.
 *
 * `grab()` tells where it is, in a form of the figure's own; `move(start, dx, dy, shift)` moves it
 * by so many units of the drawing from there. `shift` says whether that key is down. `step` is how
 * far an arrow key moves it, or tells that when asked; null leaves the keyboard out: something else
 * must do the same. `press(event)` hears of a click that was not the end of a way.
 */
export function movable(element, { grab, move, step = 1, press = null, label = "" }) {
  let far = false;
  element.classList.add("figure-movable");
  // An application gets the arrow keys also from a screen reader.
  if (step !== null) set(element, { tabindex: 0, role: "application", "aria-label": label });
  element.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    element.setPointerCapture(event.pointerId);
    if (step !== null) element.focus({ preventScroll: true });
    const pixels = element.ownerSVGElement.getScreenCTM().a; // of the screen, for one unit
    const start = grab();
    const from = [event.clientX, event.clientY];
    far = false;
    const follow = (next) => {
      const [dx, dy] = [next.clientX - from[0], next.clientY - from[1]];
      far ||= Math.hypot(dx, dy) > STILL;
      move(start, dx / pixels, dy / pixels, next.shiftKey);
    };
    const stop = () => {
      element.removeEventListener("pointermove", follow);
      for (const kind of ["pointerup", "pointercancel"]) element.removeEventListener(kind, stop);
    };
    element.addEventListener("pointermove", follow);
    for (const kind of ["pointerup", "pointercancel"]) element.addEventListener(kind, stop);
  });
  if (press) element.addEventListener("click", (event) => !far && press(event));
  if (step === null) return;
  element.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const units = typeof step === "function" ? step() : step;
    move(grab(), arrow[0] * units, arrow[1] * units, event.shiftKey);
  });
}

/** Where a pointer is, in units of a drawing. */
export function pointOf(event, drawing) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse());
}

/** Lines of values that are read out after a change: `show({name: text})`. */
export function values(stage, names) {
  const area = html(stage, "div", { class: "figure-values", role: "status" });
  const lines = {};
  for (const name of names) lines[name] = html(area, "p", { "data-value": name });
  return (texts) => {
    for (const [name, text] of Object.entries(texts)) {
      if (lines[name].textContent !== text) lines[name].textContent = text;
    }
  };
}

/** How the figure is used, in one or two sentences. */
export function help(stage, text) {
  html(stage, "p", { class: "figure-help" }, text);
}

/** The value, or the limit that it is beyond. */
export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** A number with so many digits, and a minus that is as wide as a plus. */
export function fixed(number, digits = 3) {
  const text = number.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** A whole number with thin spaces between thousands. */
export function grouped(number) {
  return String(number).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}
