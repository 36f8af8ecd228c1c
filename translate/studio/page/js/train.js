/**
 * The page Train.
 * @module train
 */
import {el} from "./dom.js";

/** @type {import("./main.js").Page} */
export const page = {
  id: "train",
  title: "Train",
  icon: "train",
  mount(root) {
    root.append(el("p", {class: "empty"}, "This page is being built."));
  },
};
