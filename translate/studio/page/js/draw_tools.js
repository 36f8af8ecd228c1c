/**
 * The tools of the page Draw: pen and eraser, width, undo, lines and colours.
 * @module draw_tools
 */
import {button, el, fileButton, segmented, slider} from "./dom.js";
import {boardKeys, commonTools} from "./board_tools.js";

const INK = "#17181c";
const COLOURS = [
  ["#c0392b", "Red"],
  ["#e08a2e", "Orange"],
  ["#e8c547", "Yellow"],
  ["#4f9d5b", "Green"],
  ["#2f7fb8", "Blue"],
  ["#8e4f9e", "Purple"],
  ["#d98bb0", "Pink"],
  ["#7b5236", "Brown"],
  ["#f4f1e8", "White"],
  ["#202022", "Black"],
];
const COMMON_BOARD_PX = 360; // the unit of widths, so that drawings do not depend on the size of the window
const WIDTHS_PX = {lines: 4, hints: 26};
const WIDTH_STEP_PX = 2;

/** Two rows: `bar`, and `layers` for models that take colours. */
export class DrawTools {
  /**
   * @param {{board: import("./board.js").Board, sketch: import("./sketch.js").Sketch,
   *   onfile: (file: File) => void, onsave: () => void}} options
   */
  constructor({board, sketch, onfile, onsave}) {
    Object.assign(this, {board, sketch, model: null, colour: COLOURS[0][0], widths: {...WIDTHS_PX}});
    this.common = commonTools({board, sketch, draw: ["pen", "Pen (P)"], clear: "Clear the board"});
    this.save = button("Download the drawing", onsave, {icon: "download", iconOnly: true, kind: "quiet"});
    this.width = slider({
      label: "Width",
      min: 1,
      max: 40,
      step: 1,
      value: WIDTHS_PX.lines,
      oninput: (px) => this.#useWidth(px),
    });
    this.width.classList.add("tool-width");
    const open = fileButton("Open a sketch or a photo (or paste one)", "image", onfile);
    const {draw, erase, undo, redo, clear} = this.common;
    this.bar = el("div", {class: "toolbar", attrs: {role: "toolbar", "aria-label": "Drawing tools"}});
    this.bar.append(draw, erase, this.width, el("span", {class: "sep"}), undo, redo, clear);
    this.bar.append(el("span", {class: "grow"}), open, this.save);
    this.layers = this.#layerRow();
  }

  #layerRow() {
    const options = [["lines", "Lines"], ["hints", "Colours"]]; // prettier-ignore
    this.layer = segmented({label: "Draw", options, value: "lines", onchange: (layer) => this.#useLayer(layer)});
    this.layer.querySelector("legend").className = "visually-hidden";
    this.swatches = COLOURS.map(([colour, name]) => {
      const node = el("button", {type: "button", class: "swatch", title: name, ariaLabel: name});
      node.addEventListener("click", () => this.#useColour(colour));
      node.style.background = colour;
      return Object.assign(node, {colour});
    });
    this.anyColour = el("input", {type: "color", class: "swatch", value: this.colour, title: "Another colour"});
    this.anyColour.ariaLabel = "Another colour";
    this.anyColour.addEventListener("input", () => this.#useColour(this.anyColour.value));
    const palette = el("div", {class: "palette", attrs: {role: "group", "aria-label": "Palette"}}, ...this.swatches);
    palette.append(this.anyColour);
    return el("div", {class: "layer-choice"}, this.layer, palette);
  }

  /** Show what a model takes: black lines, lines and colours, or drawings in colours. @param {Object} model */
  useModel(model) {
    this.model = model;
    this.layers.hidden = !model.hints && model.sketch;
    this.layer.hidden = !model.hints;
    this.#useLayer("lines");
  }

  /** @param {boolean} empty whether nothing is drawn */
  refresh(empty) {
    this.common.refresh(empty);
    this.save.disabled = empty;
  }

  /** @param {() => boolean} isShown whether the page is to be seen */
  listenToKeys(isShown) {
    const step = (px) => {
      this.width.value += px;
      this.#useWidth(this.width.value);
    };
    boardKeys(this.sketch, isShown, {
      p: () => this.common.use("draw"),
      b: () => this.common.use("draw"),
      e: () => this.common.use("erase"),
      "[": () => step(-WIDTH_STEP_PX),
      "]": () => step(WIDTH_STEP_PX),
    });
  }

  #useWidth(px) {
    this.widths[this.board.tool.layer] = px;
    this.board.use({width: px / COMMON_BOARD_PX});
  }

  #useLayer(layer) {
    this.layer.value = layer;
    this.board.use({layer});
    this.width.value = this.widths[layer];
    this.#useWidth(this.widths[layer]);
    this.#usePaint();
  }

  #useColour(colour) {
    this.colour = this.anyColour.value = colour;
    if (this.model.hints) this.#useLayer("hints");
    else this.#usePaint();
  }

  /** Lines are black where the model knows line drawings; hints, and other drawings, have the chosen colour. */
  #usePaint() {
    const black = this.board.tool.layer === "lines" && this.model.sketch;
    this.board.use({colour: black ? INK : this.colour});
    for (const node of this.swatches) {
      node.setAttribute("aria-pressed", String(!black && node.colour === this.colour));
    }
    this.common.use("draw");
  }
}
