/**
 * A faint picture under the paper, to trace.
 * @module trace_bar
 */
import {button, el, slider} from "./dom.js";
import {toCanvas} from "./pictures.js";

/** Drawings that come with the page, by the name of their file. */
const TEMPLATES = {
  sneaker: "Sneaker",
  high_top: "High-top",
  boot: "Boot",
  pump: "Pump",
  oxford: "Oxford",
  tote: "Tote",
  satchel: "Satchel",
  bucket_bag: "Bucket bag",
  backpack: "Backpack",
};
const FAINT = 0.2;

/** The row below the board. */
export class TraceBar {
  /** @param {{board: import("./board.js").Board, onadopt: (canvas: HTMLCanvasElement) => void}} options */
  constructor({board, onadopt}) {
    this.backdrop = board.backdrop;
    this.backdrop.style.opacity = FAINT;
    const none = button("Nothing to trace", () => this.use(""), {icon: "close", iconOnly: true});
    none.classList.add("template");
    const ready = Object.entries(TEMPLATES).map(([file, name]) => this.#choice(`templates/${file}.png`, name));
    this.buttons = [none, ...ready];
    this.opacity = slider({
      label: "Opacity",
      min: 0.05,
      max: 0.6,
      step: 0.05,
      value: FAINT,
      show: (x) => `${Math.round(100 * x)} %`,
      oninput: (x) => (this.backdrop.style.opacity = x),
    });
    this.adopt = button("Use its lines", () => onadopt(toCanvas(this.backdrop)), {
      title: "Lay these lines on the board, to draw on from there",
    });
    this.adopt.classList.add("btn-small");
    this.opacity.classList.add("bare");
    this.node = el(
      "div",
      {class: "trace-bar"},
      el("span", {class: "trace-title"}, "Trace"),
      el("div", {class: "templates", attrs: {role: "group", "aria-label": "A drawing to trace"}}, ...this.buttons),
      this.opacity,
      this.adopt,
    );
    this.use("");
  }

  #choice(url, name) {
    const node = el("button", {
      type: "button",
      class: "btn btn-icon template",
      title: name,
      ariaLabel: `Trace: ${name}`,
      on: {click: () => this.use(url)},
    });
    node.dataset.url = url;
    node.append(el("img", {src: url, alt: "", width: 44, height: 44}));
    return node;
  }

  /** Show a picture faintly below the drawing; "" for none. @param {string} url */
  use(url) {
    this.backdrop.hidden = !url;
    if (url) this.backdrop.src = url;
    this.opacity.disabled = this.adopt.disabled = !url;
    for (const node of this.buttons) node.setAttribute("aria-pressed", String((node.dataset.url ?? "") === url));
  }
}
