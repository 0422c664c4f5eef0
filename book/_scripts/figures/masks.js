// Masks and maps of classes, flat and in rows: unpacked from runs, and drawn as paths of one unit a pixel.

/** Runs, as a flat list of value, length, value, length …, as a flat list of values. */
export function unpacked(runs) {
  const flat = [];
  for (let at = 0; at < runs.length; at += 2) flat.push(...Array(runs[at + 1]).fill(runs[at]));
  return flat;
}

/** Runs of pixels of which `inside` is true, none longer than a row: [first, behind the last]. */
export function* rowsOf(inside, width) {
  for (let start = 0; start < inside.length; start++) {
    if (!inside[start]) continue;
    let end = start + 1;
    while (end % width !== 0 && inside[end]) end += 1;
    yield [start, end];
    start = end - 1;
  }
}

/** A path over all of them. */
export function areaPath(inside, width) {
  return [...rowsOf(inside, width)]
    .map(([start, end]) => `M${start % width} ${Math.floor(start / width)}h${end - start}v1h${start - end}z`)
    .join("");
}

/** The lines between pixels with different keys; what is beyond the picture has the key `beyond`, or no line. */
export function borderPath(keys, width, beyond = null) {
  const height = keys.length / width;
  const key = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? beyond : keys[y * width + x]);
  const differ = (a, b) => a !== b && a !== null && b !== null;
  const parts = [];
  for (let y = 0; y <= height; y++) {
    for (let x = 0; x <= width; x++) {
      if (differ(key(x, y), key(x, y - 1))) parts.push(`M${x} ${y}h1`);
      if (differ(key(x, y), key(x - 1, y))) parts.push(`M${x} ${y}v1`);
    }
  }
  return parts.join("");
}
