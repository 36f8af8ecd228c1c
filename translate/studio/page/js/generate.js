/**
 * The page Generate.
 * @module generate
 */
import {el} from "./dom.js";

/** @type {import("./main.js").Page} */
export const page = {
  id: "generate",
  title: "Generate",
  icon: "generate",
  mount(root) {
    root.append(el("p", {class: "empty"}, "This page is being built."));
  },
};
