// Two boxes to drag on squared paper, with their areas, IoU and GIoU as you go.
// Self-contained: it fills every element of class `iou-explorer` and needs nothing else.
(function () {
  "use strict";

  const COLUMNS = 16;
  const ROWS = 10;
  const SVG = "http://www.w3.org/2000/svg";
  const PRESETS = {
    "worked case": { A: [2, 1, 8, 5], B: [5, 3, 9, 7] },
    "half a width": { A: [3, 2, 9, 7], B: [6, 2, 12, 7] },
    "one inside": { A: [3, 1, 13, 9], B: [6, 3, 10, 8] },
    apart: { A: [1, 1, 5, 5], B: [10, 4, 15, 9] },
  };
  const FIELDS = ["x1", "y1", "x2", "y2"];
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  function svg(name, attributes, parent) {
    const element = document.createElementNS(SVG, name);
    for (const key of Object.keys(attributes)) element.setAttribute(key, attributes[key]);
    if (parent) parent.appendChild(element);
    return element;
  }

  function html(name, className, text, parent) {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text) element.textContent = text;
    if (parent) parent.appendChild(element);
    return element;
  }

  function area(box) {
    return Math.max(0, box[2] - box[0]) * Math.max(0, box[3] - box[1]);
  }

  function measure(a, b) {
    const shared = [
      Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3]),
    ];
    const hull = [
      Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3]),
    ];
    const intersection = area(shared);
    const union = area(a) + area(b) - intersection;
    const iou = intersection / union;
    const giou = iou - (area(hull) - union) / area(hull);
    return { shared, hull, intersection, union, hullArea: area(hull), iou, giou };
  }

  // Boxes keep whole coordinates, at least one square, and stay on the paper.
  function moved(box, dx, dy) {
    const x = Math.min(Math.max(dx, -box[0]), COLUMNS - box[2]);
    const y = Math.min(Math.max(dy, -box[1]), ROWS - box[3]);
    return [box[0] + x, box[1] + y, box[2] + x, box[3] + y];
  }

  function withCoordinate(box, index, value) {
    const limit = index % 2 === 0 ? COLUMNS : ROWS;
    const low = index < 2 ? 0 : box[index - 2] + 1;
    const high = index < 2 ? box[index + 2] - 1 : limit;
    const result = box.slice();
    result[index] = Math.min(Math.max(Math.round(value), low), high);
    return result;
  }

  function build(root) {
    const boxes = { A: PRESETS["worked case"].A.slice(), B: PRESETS["worked case"].B.slice() };
    const parts = {};
    root.textContent = "";

    const paper = svg("svg", { viewBox: `-0.3 -0.3 ${COLUMNS + 0.6} ${ROWS + 0.6}`, class: "iou-paper",
      role: "group", "aria-label": "Two boxes on squared paper" }, null);
    root.appendChild(paper);
    for (let x = 0; x <= COLUMNS; x++) svg("line", { x1: x, x2: x, y1: 0, y2: ROWS, class: "iou-grid" }, paper);
    for (let y = 0; y <= ROWS; y++) svg("line", { x1: 0, x2: COLUMNS, y1: y, y2: y, class: "iou-grid" }, paper);
    const hull = svg("rect", { class: "iou-hull" }, paper);
    const shared = svg("rect", { class: "iou-shared" }, paper);

    for (const name of ["A", "B"]) {
      const group = svg("g", { class: `iou-box iou-${name}` }, paper);
      const body = svg("rect", { class: "iou-body", tabindex: 0, role: "group",
        "aria-roledescription": "movable box" }, group);
      const label = svg("text", { class: "iou-name" }, group);
      label.textContent = name;
      const handles = [[0, 1], [2, 1], [0, 3], [2, 3]].map(function (corner) {
        const hit = svg("circle", { r: 0.75, class: "iou-hit" }, group);
        const dot = svg("circle", { r: 0.2, class: "iou-dot" }, group);
        drag(hit, function (start, dx, dy) {
          const resized = withCoordinate(start, corner[0], start[corner[0]] + dx);
          return withCoordinate(resized, corner[1], start[corner[1]] + dy);
        }, name);
        return { corner, hit, dot };
      });
      drag(body, moved, name);
      body.addEventListener("keydown", function (event) {
        const step = ARROWS[event.key];
        if (!step) return;
        event.preventDefault();
        event.stopPropagation();
        if (event.shiftKey) {
          const wider = withCoordinate(boxes[name], 2, boxes[name][2] + step[0]);
          boxes[name] = withCoordinate(wider, 3, wider[3] + step[1]);
        } else {
          boxes[name] = moved(boxes[name], step[0], step[1]);
        }
        update();
      });
      parts[name] = { body, label, handles, inputs: [] };
    }

    function drag(element, change, name) {
      element.addEventListener("pointerdown", function (event) {
        event.preventDefault();
        element.setPointerCapture(event.pointerId);
        parts[name].body.focus();
        const scale = paper.getScreenCTM().a; // screen pixels a square
        const start = boxes[name].slice();
        const from = [event.clientX, event.clientY];
        function follow(next) {
          const dx = Math.round((next.clientX - from[0]) / scale);
          const dy = Math.round((next.clientY - from[1]) / scale);
          boxes[name] = change(start, dx, dy);
          update();
        }
        function stop() {
          element.removeEventListener("pointermove", follow);
          element.removeEventListener("pointerup", stop);
          element.removeEventListener("pointercancel", stop);
        }
        element.addEventListener("pointermove", follow);
        element.addEventListener("pointerup", stop);
        element.addEventListener("pointercancel", stop);
      });
    }

    const side = html("div", "iou-side", "", root);
    const result = html("div", "iou-result", "", side);
    result.setAttribute("role", "status"); // read out after a change
    const lines = {};
    for (const key of ["intersection", "union", "iou", "giou"]) lines[key] = html("p", `iou-${key}`, "", result);

    const controls = html("div", "iou-controls", "", side);
    for (const name of ["A", "B"]) {
      const set = html("fieldset", `iou-numbers iou-${name}`, "", controls);
      html("legend", "", `box ${name}`, set);
      FIELDS.forEach(function (field, index) {
        const label = html("label", "", field, set);
        const input = html("input", "", "", label);
        input.type = "number";
        input.min = 0;
        input.max = index % 2 === 0 ? COLUMNS : ROWS;
        input.addEventListener("change", function () {
          if (input.value !== "") boxes[name] = withCoordinate(boxes[name], index, Number(input.value));
          update();
        });
        parts[name].inputs.push(input);
      });
    }
    const presets = html("div", "iou-presets", "", side);
    for (const name of Object.keys(PRESETS)) {
      const button = html("button", "", name, presets);
      button.type = "button";
      button.addEventListener("click", function () {
        boxes.A = PRESETS[name].A.slice();
        boxes.B = PRESETS[name].B.slice();
        update();
      });
    }
    html("p", "iou-help", "Drag a box or one of its corners, or type its coordinates. " +
      "With the keyboard: Tab to a box, arrow keys move it, Shift and arrow keys resize it. " +
      "Green is the intersection, the dashed line the hull of both boxes.", side);

    function place(rectangle, box) {
      rectangle.setAttribute("x", box[0]);
      rectangle.setAttribute("y", box[1]);
      rectangle.setAttribute("width", Math.max(0, box[2] - box[0]));
      rectangle.setAttribute("height", Math.max(0, box[3] - box[1]));
    }

    function update() {
      const values = measure(boxes.A, boxes.B);
      place(hull, values.hull);
      place(shared, values.intersection > 0 ? values.shared : [0, 0, 0, 0]);
      for (const name of ["A", "B"]) {
        const box = boxes[name];
        const part = parts[name];
        place(part.body, box);
        part.body.setAttribute("aria-label", `Box ${name}: ${FIELDS.map((f, i) => `${f} ${box[i]}`).join(", ")}`);
        part.label.setAttribute("x", name === "A" ? box[0] + 0.2 : box[2] - 0.7);
        part.label.setAttribute("y", name === "A" ? box[1] + 0.8 : box[3] - 0.25);
        for (const handle of part.handles) {
          for (const circle of [handle.hit, handle.dot]) {
            circle.setAttribute("cx", box[handle.corner[0]]);
            circle.setAttribute("cy", box[handle.corner[1]]);
          }
        }
        part.inputs.forEach(function (input, index) { input.value = box[index]; });
      }
      const minus = (number) => number.toFixed(3).replace("-", "−");
      lines.intersection.textContent = `intersection = ${values.intersection}`;
      lines.union.textContent = `union = ${area(boxes.A)} + ${area(boxes.B)} − ${values.intersection} = ${values.union}`;
      lines.iou.textContent = `IoU = ${values.intersection} / ${values.union} = ${minus(values.iou)}`;
      lines.giou.textContent = `GIoU = ${minus(values.iou)} − ${values.hullArea - values.union} / ` +
        `${values.hullArea} = ${minus(values.giou)}`;
    }

    update();
  }

  function start() {
    document.querySelectorAll(".iou-explorer").forEach(build);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
