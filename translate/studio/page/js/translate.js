/**
 * The page Translate.
 * @module translate
 */
import {el} from "./dom.js";

/** @type {import("./main.js").Page} */
export const page = {
  id: "translate",
  title: "Translate",
  icon: "translate",
  mount(root) {
    root.append(el("p", {class: "empty"}, "This page is being built."));
  },
};
