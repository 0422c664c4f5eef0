// Places in a drawing: where a click was, and arrow keys that go by cells of any size.

/** As the step of a movable thing: an arrow key is then one cell, however large cells are. */
export const KEY = 1e6;

/** By how many cells of a size something was moved. */
export function cells(way, size) {
  return Math.abs(way) === KEY ? Math.sign(way) : Math.round(way / size);
}

/** Where a click was, in units of the drawing. */
export function pointOf(event, drawing) {
  return new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse());
}
