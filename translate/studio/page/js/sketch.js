/**
 * A drawing as a list of strokes, so that it can be undone, and painted at any size without losing sharpness.
 *
 * Lengths are shares of the width of the drawing: x from 0 to 1, y from 0 to `aspect`.
 * @module sketch
 */

/**
 * @typedef {Object} Stroke a line of a pen or an eraser
 * @property {"stroke"} kind
 * @property {string} layer
 * @property {boolean} erase
 * @property {string} colour
 * @property {number} width
 * @property {number[][]} points [x, y, pressure from 0 to 1]
 *
 * @typedef {Object} Stamp a picture laid on a layer, as large as fits
 * @property {"stamp"} kind
 * @property {string} layer
 * @property {CanvasImageSource & {width: number, height: number}} picture
 *
 * @typedef {{kind: "clear"}} Clear
 */

const EMPTY_TEST_PX = 96; // side of the small copy in which ink is looked for
const MIN_ALPHA = 24; // fainter rests of erased lines are no drawing

/** A drawing of several layers; dispatches "change" after every change. */
export class Sketch extends EventTarget {
  /** @param {number} [aspect] height / width */
  constructor(aspect = 1) {
    super();
    this.aspect = aspect;
    /** @type {(Stroke|Stamp|Clear)[]} */
    this.done = [];
    /** @type {(Stroke|Stamp|Clear)[]} */
    this.undone = [];
    this.version = 0; // grows with every change
  }

  get canUndo() {
    return this.done.length > 0;
  }

  get canRedo() {
    return this.undone.length > 0;
  }

  /** Add an operation; what was undone is forgotten. @param {Stroke|Stamp|Clear} operation */
  add(operation) {
    this.done.push(operation);
    this.undone = [];
    this.#changed();
  }

  undo() {
    this.#move(this.done, this.undone);
  }

  redo() {
    this.#move(this.undone, this.done);
  }

  /** Wipe all layers; can be undone. */
  clear() {
    if (this.#visible().length) this.add({kind: "clear"});
  }

  /** Begin anew, with nothing to undo. @param {number} [aspect] */
  reset(aspect = this.aspect) {
    Object.assign(this, {aspect, done: [], undone: []});
    this.#changed();
  }

  /** Whether nothing is to be seen on a layer; erased lines do not count. @param {string} layer */
  isEmpty(layer) {
    if (!this.#visible().some((operation) => operation.layer === layer && !operation.erase)) return true;
    const {data} = this.paint(layer, EMPTY_TEST_PX)
      .getContext("2d")
      .getImageData(0, 0, EMPTY_TEST_PX, this.heightFor(EMPTY_TEST_PX));
    for (let i = 3; i < data.length; i += 4) if (data[i] > MIN_ALPHA) return false;
    return true;
  }

  /** @param {number} width px @returns {number} the height, px */
  heightFor(width) {
    return Math.max(1, Math.round(width * this.aspect));
  }

  /**
   * Paint a layer, transparent where nothing is.
   * @param {string} layer
   * @param {number} width px
   * @param {HTMLCanvasElement} [canvas]
   */
  paint(layer, width, canvas = document.createElement("canvas"), height = this.heightFor(width)) {
    Object.assign(canvas, {width, height});
    const context = canvas.getContext("2d", {willReadFrequently: width === EMPTY_TEST_PX});
    for (const operation of this.#visible()) {
      if (operation.layer !== layer) continue;
      if (operation.kind === "stamp") paintStamp(context, operation.picture, width, height);
      else paintStroke(context, operation, width);
    }
    return canvas;
  }

  #visible() {
    return this.done.slice(this.done.findLastIndex((operation) => operation.kind === "clear") + 1);
  }

  #move(from, to) {
    if (!from.length) return;
    to.push(from.pop());
    this.#changed();
  }

  #changed() {
    this.version += 1;
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {CanvasRenderingContext2D} context @param {Stroke} stroke @param {number} width px of the drawing */
function paintStroke(context, stroke, width) {
  for (let i = 0; i < stroke.points.length; i += 1) paintSegment(context, stroke, i, width);
  paintEnd(context, stroke, width);
}

/**
 * Paint one piece of a stroke: a quadratic curve from one midpoint to the next, with the point between them as control,
 * so that the pieces join smoothly.
 * @param {CanvasRenderingContext2D} context
 * @param {Stroke} stroke
 * @param {number} i index of the newest point of the piece
 * @param {number} width px of the drawing
 */
export function paintSegment(context, stroke, i, width) {
  const [a, b, c] = [stroke.points[Math.max(0, i - 2)], stroke.points[Math.max(0, i - 1)], stroke.points[i]];
  preparePen(context, stroke, (b[2] + c[2]) / 2, width);
  context.beginPath();
  context.moveTo(((a[0] + b[0]) / 2) * width, ((a[1] + b[1]) / 2) * width);
  context.quadraticCurveTo(b[0] * width, b[1] * width, ((b[0] + c[0]) / 2) * width, ((b[1] + c[1]) / 2) * width);
  context.stroke();
}

/** Paint from the last midpoint to the last point. */
export function paintEnd(context, stroke, width) {
  const [b, c] = [stroke.points.at(-2) ?? stroke.points[0], stroke.points.at(-1)];
  preparePen(context, stroke, c[2], width);
  context.beginPath();
  context.moveTo(((b[0] + c[0]) / 2) * width, ((b[1] + c[1]) / 2) * width);
  context.lineTo(c[0] * width, c[1] * width);
  context.stroke();
}

function preparePen(context, stroke, pressure, width) {
  Object.assign(context, {
    lineCap: "round",
    lineJoin: "round",
    strokeStyle: stroke.colour,
    globalCompositeOperation: stroke.erase ? "destination-out" : "source-over",
    lineWidth: Math.max(0.6, stroke.width * width * (0.35 + 1.3 * pressure)), // 0.5, of a mouse, is the width itself
  });
}

function paintStamp(context, picture, width, height) {
  const scale = Math.min(width / picture.width, height / picture.height);
  const [w, h] = [picture.width * scale, picture.height * scale];
  Object.assign(context, {globalCompositeOperation: "source-over", imageSmoothingQuality: "high"});
  context.drawImage(picture, (width - w) / 2, (height - h) / 2, w, h);
}
