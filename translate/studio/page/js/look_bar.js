/**
 * Two looks and the way between them.
 * @module look_bar
 */
import {acceptDrops, button, el, showBlob, slider} from "./dom.js";
import {icon} from "./icons.js";
import {blend} from "./looks.js";

/**
 * @typedef {Object} Look
 * @property {number[]} z
 * @property {Blob} blob a picture that has this look
 * @property {string} name
 */

/** A slot for a look on each side of a slider. */
export class LookBar {
  /** @param {{onchange: () => void, onphoto: (file: File, slot: "first"|"second") => void}} options */
  constructor({onchange, onphoto}) {
    Object.assign(this, {onchange, onphoto, first: null, second: null});
    this.slots = {first: this.#slot("first", "Kept look"), second: this.#slot("second", "Second look")};
    this.mixture = slider({
      label: "Blend",
      min: 0,
      max: 1,
      step: 0.02,
      value: 0,
      show: (t) => `${Math.round(100 * t)} %`,
      oninput: () => this.onchange(),
    });
    this.node = el(
      "div",
      {class: "look-bar", attrs: {role: "group", "aria-label": "Looks"}},
      this.slots.first.node,
      this.mixture,
      this.slots.second.node,
    );
    this.#paint();
  }

  /** The look to draw in, or null. @returns {number[]|null} */
  get z() {
    if (this.first && this.second) return blend(this.first.z, this.second.z, this.mixture.value);
    return this.first?.z ?? null;
  }

  /** @param {"first"|"second"} slot @param {Look|null} look */
  set(slot, look) {
    this[slot] = look;
    if (slot === "second" && look) this.mixture.value = 0.5;
    if (slot === "first" && !look) [this.first, this.second] = [this.second, null];
    if (!this.second) this.mixture.value = 0;
    this.#paint();
  }

  clear() {
    this.first = this.second = null;
    this.mixture.value = 0;
    this.#paint();
  }

  #slot(slot, label) {
    const input = el("input", {type: "file", accept: "image/*", class: "visually-hidden"});
    input.addEventListener("change", () => {
      const [file] = input.files;
      input.value = "";
      if (file) this.onphoto(file, slot);
    });
    input.ariaLabel = `${label}: read it from a photo`;
    const image = el("img", {alt: "", hidden: true});
    const hint = el("span", {class: "look-hint"}, icon("plus"));
    const drop = el(
      "label",
      {class: "look-drop", title: `${label}: choose an answer, or drop a photo whose look is to be read`},
      input,
      image,
      hint,
    );
    const remove = button(`Let go of this look`, () => (this.set(slot, null), this.onchange()), {
      icon: "close",
      iconOnly: true,
      kind: "small",
    });
    remove.classList.add("look-remove");
    acceptDrops(drop, ([file]) => this.onphoto(file, slot));
    return {
      node: el("div", {class: "look-slot"}, drop, remove, el("span", {class: "look-label"}, label)),
      image,
      hint,
      remove,
      drop,
    };
  }

  #paint() {
    for (const [slot, parts] of Object.entries(this.slots)) {
      const look = this[slot];
      parts.image.hidden = parts.remove.hidden = !look;
      parts.hint.hidden = Boolean(look);
      parts.image.alt = look ? look.name : "";
      if (look) showBlob(parts.image, look.blob);
    }
    this.mixture.disabled = !(this.first && this.second);
  }
}
