/**
 * The page Draw.
 * @module draw
 */
import {el} from "./dom.js";

/** @type {import("./main.js").Page} */
export const page = {
  id: "draw",
  title: "Draw",
  icon: "draw",
  mount(root) {
    root.append(el("p", {class: "empty"}, "This page is being built."));
  },
};
