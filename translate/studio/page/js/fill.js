/**
 * The page Fill.
 * @module fill
 */
import {el} from "./dom.js";

/** @type {import("./main.js").Page} */
export const page = {
  id: "fill",
  title: "Fill",
  icon: "fill",
  mount(root) {
    root.append(el("p", {class: "empty"}, "This page is being built."));
  },
};
