/**
 * A board to draw on, with mouse, pen or fingers.
 * @module board
 */
import {el} from "./dom.js";
import {paintEnd, paintSegment} from "./sketch.js";

const FOLLOW = 0.62; // how far a line follows the pointer at each event: less is smoother, and slower
const MIN_STEP = 0.0012; // of the width; nearer points only add noise
const ERASER_BUTTON = 32; // of PointerEvent.buttons

/**
 * @typedef {Object} Tool what the next stroke will be
 * @property {string} layer
 * @property {boolean} erase
 * @property {string} colour
 * @property {number} width share of the width of the board
 */

/** The view of a sketch: one canvas a layer, above a backdrop. */
export class Board {
  /**
   * @param {import("./sketch.js").Sketch} sketch
   * @param {string[]} layers from the lowest to the highest
   * @param {string} label read aloud
   */
  constructor(sketch, layers, label) {
    this.sketch = sketch;
    /** @type {Tool} */
    this.tool = {layer: layers.at(-1), erase: false, colour: "#000000", width: 0.012};
    this.backdrop = el("img", {class: "board-backdrop", alt: "", hidden: true, draggable: false});
    this.canvases = new Map(layers.map((layer) => [layer, el("canvas", {class: `board-layer board-${layer}`})]));
    this.ring = el("div", {class: "board-ring", hidden: true});
    this.node = el(
      "div",
      {class: "board", attrs: {role: "img", "aria-label": label}},
      this.backdrop,
      ...this.canvases.values(),
      this.ring,
    );
    this.stroke = null;
    this.pointer = null;
    this.#listen();
  }

  /** Take over a changed tool. @param {Partial<Tool>} change */
  use(change) {
    Object.assign(this.tool, change);
  }

  /** Paint all layers anew. */
  repaint() {
    const [width, height] = this.#size();
    if (!width) return;
    for (const [layer, canvas] of this.canvases) this.sketch.paint(layer, width, canvas, height);
  }

  #size() {
    const scale = Math.min(2, devicePixelRatio || 1);
    return [Math.round(this.node.clientWidth * scale), Math.round(this.node.clientHeight * scale)];
  }

  #listen() {
    const {node} = this;
    this.sketch.addEventListener("change", () => {
      node.style.setProperty("--ratio", 1 / this.sketch.aspect);
      this.repaint();
    });
    new ResizeObserver(() => this.stroke || this.repaint()).observe(node);
    node.addEventListener("pointerdown", (event) => this.#start(event));
    node.addEventListener("pointermove", (event) => this.#move(event));
    for (const kind of ["pointerup", "pointercancel"]) node.addEventListener(kind, (event) => this.#end(event));
    node.addEventListener("pointerleave", () => (this.ring.hidden = true));
    node.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  /** @param {PointerEvent} event @returns {number[]} x, y, pressure */
  #point(event) {
    const box = this.node.getBoundingClientRect();
    const pressure = event.pointerType === "pen" && event.pressure > 0 ? event.pressure : 0.5;
    return [
      (event.clientX - box.left - this.node.clientLeft) / this.node.clientWidth,
      (event.clientY - box.top - this.node.clientTop) / this.node.clientWidth,
      pressure,
    ];
  }

  #start(event) {
    if (this.pointer !== null || (event.button > 0 && !(event.buttons & ERASER_BUTTON))) return;
    event.preventDefault();
    this.pointer = event.pointerId;
    this.node.setPointerCapture(event.pointerId);
    const erase = this.tool.erase || Boolean(event.buttons & ERASER_BUTTON);
    this.stroke = {kind: "stroke", ...this.tool, erase, points: [this.#point(event)]};
    paintSegment(this.#context(), this.stroke, 0, this.#size()[0]);
    this.#showRing(event);
  }

  #move(event) {
    this.#showRing(event);
    if (event.pointerId !== this.pointer) return;
    const finer = event.getCoalescedEvents?.() ?? [];
    for (const each of finer.length ? finer : [event]) this.#follow(this.#point(each));
  }

  #follow([x, y, pressure]) {
    const [lastX, lastY, lastPressure] = this.stroke.points.at(-1);
    if (Math.hypot(x - lastX, y - lastY) < MIN_STEP) return;
    this.stroke.points.push([
      round(lastX + FOLLOW * (x - lastX)),
      round(lastY + FOLLOW * (y - lastY)),
      round(lastPressure + 0.5 * (pressure - lastPressure)),
    ]);
    paintSegment(this.#context(), this.stroke, this.stroke.points.length - 1, this.#size()[0]);
  }

  #end(event) {
    if (event.pointerId !== this.pointer) return;
    const {stroke} = this;
    const [x, y] = this.#point(event);
    if (event.type === "pointerup") stroke.points.push([round(x), round(y), stroke.points.at(-1)[2]]);
    paintEnd(this.#context(), stroke, this.#size()[0]);
    this.pointer = this.stroke = null;
    if (event.pointerType !== "mouse") this.ring.hidden = true;
    this.sketch.add(stroke);
  }

  #context() {
    return this.canvases.get(this.stroke.layer).getContext("2d");
  }

  /** Show how wide the tool is. @param {PointerEvent} event */
  #showRing(event) {
    const box = this.node.getBoundingClientRect();
    const side = Math.max(4, this.tool.width * this.node.clientWidth);
    const [x, y] = [event.clientX - box.left - this.node.clientLeft, event.clientY - box.top - this.node.clientTop];
    const transform = `translate(${x - side / 2}px, ${y - side / 2}px)`;
    Object.assign(this.ring.style, {width: `${side}px`, height: `${side}px`, transform});
    this.ring.classList.toggle("erasing", this.tool.erase);
    this.ring.hidden = false;
  }
}

/** Five digits are finer than any pixel. */
const round = (value) => Math.round(value * 1e5) / 1e5;
