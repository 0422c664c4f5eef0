// One scene and what each of four tasks keeps of it; the things can be moved, doubled and taken away.

import { button, choice, clamp, controls, grouped, help, mount, movable, paper, row, set, svg, values, words } from "figures/base";
import { areaPath, borderPath, unpacked } from "figures/masks";
import { plate, plateWidth } from "figures/plate";
import data from "figures/four-tasks-data";

const MOST = 7; // things
const PIXELS = data.height * data.width;
const STUFF = unpacked(data.stuff);
const MASKS = data.things.map((thing) => unpacked(thing.mask));
const WIDTH = 340;
const SCALE = WIDTH / data.width;
const HEIGHT = data.height * SCALE;
const FINGER = 48; // units
const STEP = 2; // pixels, by arrow key
const TASKS = {
  classification: "classification",
  semantic: "semantic segmentation",
  detection: "object detection",
  instance: "instance segmentation",
};

/** Whose each pixel is: 1 + the position of the last thing that covers it, or 0. Each is {part, x, y}. */
export function owners(things) {
  const owner = Array(PIXELS).fill(0);
  things.forEach(({ part, x, y }, index) => {
    const { width } = data.things[part];
    MASKS[part].forEach((covered, at) => {
      if (covered) owner[(y + Math.floor(at / width)) * data.width + x + (at % width)] = index + 1;
    });
  });
  return owner;
}

/** The class of every pixel. */
export function semanticMap(things) {
  return owners(things).map((owner, at) => (owner ? data.things[things[owner - 1].part].label : STUFF[at]));
}

/** Of each thing that can be seen: its class, its box (xyxy, half-open) and its pixels; from back to front. */
export function instances(things) {
  const found = things.map(({ part }, index) => ({
    thing: index, label: data.things[part].label, box: [Infinity, Infinity, 0, 0], area: 0,
  }));
  owners(things).forEach((owner, at) => {
    if (owner === 0) return;
    const one = found[owner - 1];
    const [x, y] = [at % data.width, Math.floor(at / data.width)];
    one.area += 1;
    one.box = [Math.min(one.box[0], x), Math.min(one.box[1], y), Math.max(one.box[2], x + 1), Math.max(one.box[3], y + 1)];
  });
  return found.filter((one) => one.area > 0);
}

/** The connected areas of a map, each with its class and its pixels; pixels that meet at a corner belong together. */
export function regions(semantic) {
  const done = Array(semantic.length).fill(false);
  const found = [];
  for (let first = 0; first < semantic.length; first++) {
    if (done[first]) continue;
    done[first] = true;
    const pixels = [first];
    for (let next = 0; next < pixels.length; next++) {
      const [x, y] = [pixels[next] % data.width, Math.floor(pixels[next] / data.width)];
      for (let row = Math.max(0, y - 1); row <= Math.min(data.height - 1, y + 1); row++) {
        for (let column = Math.max(0, x - 1); column <= Math.min(data.width - 1, x + 1); column++) {
          const at = row * data.width + column;
          if (done[at] || semantic[at] !== semantic[first]) continue;
          done[at] = true;
          pixels.push(at);
        }
      }
    }
    found.push({ label: semantic[first], pixels });
  }
  return found;
}

/** How many numbers each task's answer has for so many things. */
export function sizes(count) {
  return { classification: 1, semantic: PIXELS, detection: 5 * count, instance: count * (PIXELS + 1) };
}

/** How often each class occurs: {label: count}. */
export function tally(labels) {
  const counts = {};
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return counts;
}

function insideOf(pixels) {
  const inside = Array(PIXELS).fill(false);
  for (const at of pixels) inside[at] = true;
  return inside;
}

// Where the name of an area stands, in units of the drawing: in the middle of its widest row, or
// above the area (below, at the upper border) where it is too small for it.
function placeOf(pixels, name) {
  const rows = {};
  for (const at of pixels) (rows[Math.floor(at / data.width)] ??= []).push(at % data.width);
  const widest = Math.max(...Object.values(rows).map((columns) => columns.length));
  const heights = Object.keys(rows).map(Number);
  const wide = heights.filter((y) => rows[y].length >= 0.95 * widest);
  const y = wide[Math.floor(wide.length / 2)];
  const columns = rows[y].sort((a, b) => a - b);
  const x = (columns[Math.floor(columns.length / 2)] + 0.5) * SCALE;
  if (widest * SCALE >= plateWidth(name) + 4) return [x, (y + 0.5) * SCALE];
  const top = Math.min(...heights) * SCALE;
  return [x, top > 20 ? top - 10 : (Math.max(...heights) + 1) * SCALE + 10];
}

function plural(count, word) {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

mount("four-tasks", (stage) => {
  let things = [];
  let chosen = 0;
  let task = "semantic";

  const pair = row(stage);
  const scene = paper(pair, { width: WIDTH, height: HEIGHT, label: "The scene" });
  const kept = paper(pair, { width: WIDTH, height: HEIGHT, label: "What the answer keeps of it" });
  const tasks = controls(stage);
  choice(tasks, { label: "task", options: TASKS, value: task }, (key) => {
    task = key;
    update();
  });
  const show = values(stage, ["answer", "lost", "numbers", "all"]);
  const buttons = controls(stage, "the thing with the dotted frame");
  const more = button(buttons, "double it", () => {
    if (things.length === MOST || things.length === 0) return;
    const one = things[chosen];
    const shift = Math.round(0.6 * data.things[one.part].width);
    const { x } = inside(one.part, one.x + shift, one.y);
    things = [...things, { ...one, x: x - one.x < shift ? one.x - shift : x }];
    chosen = things.length - 1;
    build();
  });
  const fewer = button(buttons, "take it away", () => {
    things = things.filter((_, index) => index !== chosen);
    chosen = Math.max(0, things.length - 1);
    build();
  });
  button(buttons, "all as at first", restart);
  help(stage, "Drag the things of the scene. With the keyboard: Tab to a thing, arrow keys move it. Choose a task to see " +
    "what its answer keeps; the last line says which answers change their size when you double a thing or take it away.");

  svg(scene, "image", { href: data.background, width: WIDTH, height: HEIGHT, class: "tasks-picture" });
  const layer = svg(scene, "g");
  const frame = svg(scene, "rect", { class: "figure-line tasks-frame", "pointer-events": "none" });
  let sprites = [];

  function restart() {
    things = data.things.map(({ x, y }, part) => ({ part, x, y }));
    chosen = 0;
    build();
  }

  function inside(part, x, y) {
    const { width, height } = data.things[part];
    return {
      part,
      x: clamp(Math.round(x), 0, data.width - width),
      y: clamp(Math.round(y), 0, data.height - height),
    };
  }

  /** Pictures and hit areas of the things; update() puts them into their places. */
  function build() {
    layer.textContent = "";
    sprites = things.map(({ part }, index) => {
      const { width, height, picture } = data.things[part];
      const group = svg(layer, "g", { "data-part": part });
      svg(group, "image", { href: picture, width: width * SCALE, height: height * SCALE, class: "tasks-picture" });
      const [wide, high] = [width, height].map((side) => Math.max(side * SCALE, FINGER));
      const hit = svg(group, "rect", {
        x: (width * SCALE - wide) / 2, y: (height * SCALE - high) / 2, width: wide, height: high, class: "figure-hit",
      });
      movable(hit, {
        grab: () => {
          chosen = index;
          update();
          return things[index];
        },
        move: (start, dx, dy) => {
          things = things.with(index, inside(start.part, start.x + dx / SCALE, start.y + dy / SCALE));
          update();
        },
        step: STEP * SCALE,
      });
      hit.addEventListener("focus", () => {
        chosen = index;
        update();
      });
      return { group, hit };
    });
    update();
  }

  function blank() {
    kept.textContent = "";
    svg(kept, "rect", { width: WIDTH, height: HEIGHT, class: "figure-line figure-soft" });
    return svg(kept, "g", { transform: `scale(${SCALE})` });
  }

  const drawings = {
    classification(seen) {
      blank();
      const largest = seen.reduce((best, one) => (one.area > (best?.area ?? 0) ? one : best), null);
      const word = largest ? `“${data.names[largest.label]}”` : "?";
      words(kept, WIDTH / 2, HEIGHT / 2, word, { size: 40, class: "figure-name" });
      return {
        answer: largest ? `${word}, here the class of the largest thing` : "one class, though none of them is right",
        lost: "where, how many, and all but one thing",
      };
    },
    semantic(seen, areas) {
      const map = blank();
      for (const { label, pixels } of areas) svg(map, "path", { d: areaPath(insideOf(pixels), data.width), class: "tasks-pixels", style: colour(label) });
      for (const { label, pixels } of areas) {
        if (pixels.length >= 60) plate(kept, WIDTH).show(data.names[label], ...placeOf(pixels, data.names[label]));
      }
      const pixels = {};
      for (const { label, pixels: own } of areas) pixels[label] = (pixels[label] ?? 0) + own.length;
      const inMap = tally(areas.map((area) => area.label));
      const inScene = Object.entries(tally(seen.map((one) => one.label)));
      const counts = inScene.map(([label, count]) =>
        `${data.names[label]}: ${plural(count, "thing")}, ${plural(inMap[label], "area")}`);
      return {
        answer: `pixels of ${Object.entries(pixels).map(([label, count]) => `${data.names[label]} ${grouped(count)}`).join(", ")}`,
        lost: `which pixels belong to the same thing${counts.length ? ` (${counts.join("; ")})` : ""}`,
      };
    },
    detection(seen) {
      const map = blank();
      for (const { label, box } of seen) {
        const [x1, y1, x2, y2] = box;
        svg(map, "rect", { x: x1, y: y1, width: x2 - x1, height: y2 - y1, class: "figure-shape", style: colour(label) });
      }
      for (const { label, box } of seen) {
        const y = box[1] * SCALE < 20 ? box[3] * SCALE + 10 : box[1] * SCALE - 10;
        plate(kept, WIDTH).show(data.names[label], ((box[0] + box[2]) / 2) * SCALE, y);
      }
      return {
        answer: seen.map(({ label, box }) => `${data.names[label]} (${box.join(", ")})`).join("; ") || "an empty list",
        lost: "shape, and everything that is not a thing",
      };
    },
    instance(seen, areas, owner) {
      const map = blank();
      const masks = seen.map(({ thing }) => owner.flatMap((whose, at) => (whose === thing + 1 ? [at] : [])));
      seen.forEach(({ label }, index) => {
        const inside = insideOf(masks[index]);
        svg(map, "path", { d: areaPath(inside, data.width), class: "tasks-pixels tasks-mask", style: colour(label) });
        svg(map, "path", { d: borderPath(inside, data.width, false), class: "figure-line tasks-border" });
      });
      const names = seen.map(({ label }, index) =>
        `${data.names[label]} ${1 + seen.slice(0, index).filter((one) => one.label === label).length}`);
      seen.forEach((_, index) => plate(kept, WIDTH).show(names[index], ...placeOf(masks[index], names[index])));
      return {
        answer: seen.map(({ area }, index) => `${names[index]}: ${grouped(area)} pixels`).join("; ") || "an empty list",
        lost: "everything that is not a thing",
      };
    },
  };

  function colour(label) {
    return `--color: var(--figure-${data.names[label]})`;
  }

  function update() {
    things.forEach(({ part, x, y }, index) => {
      set(sprites[index].group, { transform: `translate(${x * SCALE} ${y * SCALE})` });
      set(sprites[index].hit, { "aria-label": `${data.names[data.things[part].label]}, x ${x}, y ${y}` });
    });
    const one = things[chosen];
    const { width, height } = one ? data.things[one.part] : {};
    set(frame, one ? { x: one.x * SCALE - 3, y: one.y * SCALE - 3, width: width * SCALE + 6, height: height * SCALE + 6, display: null } : { display: "none" });
    for (const press of [more, fewer]) set(press, { "aria-disabled": !one || (press === more && things.length === MOST) });

    const seen = instances(things);
    const { answer, lost } = drawings[task](seen, regions(semanticMap(things)), owners(things));
    const size = sizes(seen.length);
    const count = seen.length;
    const worked = {
      classification: "1",
      semantic: `H · W = ${data.height} · ${data.width} = ${grouped(PIXELS)}`,
      detection: `5 N = 5 · ${count} = ${size.detection}`,
      instance: `N (H · W + 1) = ${count} · ${grouped(PIXELS + 1)} = ${grouped(size.instance)}`,
    };
    show({
      answer: `kept: ${answer}`,
      lost: `thrown away: ${lost}`,
      numbers: `numbers in the answer: ${worked[task]}`,
      all: `all four: ${Object.entries(TASKS).map(([key, name]) => `${name} ${grouped(size[key])}`).join(", ")}`,
    });
  }

  restart();
});
