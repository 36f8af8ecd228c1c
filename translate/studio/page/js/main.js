/**
 * The studio: its pages, and the list of models that they share.
 * @module main
 */
import {getModels} from "./api.js";
import {page as draw} from "./draw.js";
import {page as translate} from "./translate.js";
import {page as fill} from "./fill.js";
import {page as generate} from "./generate.js";
import {page as train} from "./train.js";
import {openShell} from "./shell.js";

const PAGES = [draw, translate, fill, generate, train];

/** What pages share: the models, and the way to be told when they change. */
const studio = {
  models: [],
  error: "",
  listeners: new Set(),
  /** The models that a page can use. @param {string} pageId */
  modelsFor(pageId) {
    return studio.models.filter((model) => model.pages.includes(pageId));
  },
  /** Call `listener` now and whenever the list of models changes. @param {() => void} listener */
  onModels(listener) {
    studio.listeners.add(listener);
    listener();
  },
  /** Fetch the list of models, and tell the listeners if it differs. */
  async refresh() {
    const before = JSON.stringify([studio.models, studio.error]);
    try {
      [studio.models, studio.error] = [await getModels(), ""];
    } catch (error) {
      studio.error = error.message;
    }
    if (JSON.stringify([studio.models, studio.error]) !== before) studio.listeners.forEach((listener) => listener());
  },
};

document.addEventListener("visibilitychange", () => document.hidden || studio.refresh());
await studio.refresh();
openShell(PAGES, studio, "Studio");
