/**
 * The choice of a model, and what to say where there is none.
 * @module models
 */
import {el, select} from "./dom.js";
import {icon} from "./icons.js";

/** How to get a model for a page: a sentence, and commands. */
const HOW_TO = {
  draw: [
    "There is no model yet that turns drawings into pictures. This one learns shoes, in ten minutes:",
    "python tools/train_pix2pix.py --data sketch2shoe --minutes 10",
  ],
  translate: [
    "There is no model yet that translates pictures. This one learns to paint like Monet, in five minutes:",
    "python tools/train_cycle.py --a photos --b monet --minutes 5",
  ],
  fill: [
    "There is no model yet that fills holes. This one learns it from landscapes, in ten minutes:",
    "python tools/train_inpaint.py --images photos --minutes 10",
  ],
  generate: [
    "There is no model yet that makes pictures of its own. This one learns faces, in twelve minutes:",
    "python tools/train_gan.py --images faces --minutes 12",
  ],
};

/**
 * A card that says how to get a model for a page.
 * @param {string} pageId
 * @param {string} [error] why the list of models is missing
 */
export function noModel(pageId, error = "") {
  const [sentence, command] = HOW_TO[pageId];
  return el(
    "div",
    {class: "panel empty no-model"},
    icon(pageId),
    el("h2", {}, error ? "The models cannot be listed" : "No model for this page yet"),
    el("p", {}, error || sentence),
    error ? null : el("code", {class: "code"}, command),
    error ? null : el("a", {class: "btn btn-primary", href: "#train"}, icon("train"), el("span", {}, "Train one here")),
  );
}

/**
 * Build a page around the choice of a model: `body` while there is one, `noModel` while there is none.
 * @param {{studio: Object, pageId: string, body: HTMLElement, label?: string,
 *   onchoose: (model: Object) => void}} options
 *   onchoose is called when another model is chosen, and when the chosen one was trained anew
 * @returns {{picker: HTMLElement, none: HTMLElement}}
 */
export function chooseModel({studio, pageId, body, label = "Model", onchoose}) {
  let current = "";
  const choose = (name) => {
    const model = studio.modelsFor(pageId).find((candidate) => candidate.name === name);
    const identity = JSON.stringify(model);
    if (!model || identity === current) return;
    current = identity;
    onchoose(model);
  };
  const picker = select({label, options: [], value: "", onchange: choose});
  picker.classList.add("model-picker");
  const none = el("div", {});
  studio.onModels(() => {
    const models = studio.modelsFor(pageId);
    const newest = [...models].sort((a, b) => (b.updated ?? 0) - (a.updated ?? 0))[0];
    picker.setOptions(
      models.map((model) => [model.name, model.name]),
      picker.value || newest?.name,
    );
    picker.hidden = !models.length || Boolean(models[0].local); // a model that runs in the page itself is the only one
    body.hidden = !models.length;
    none.replaceChildren(...(models.length ? [] : [noModel(pageId, studio.error)]));
    choose(picker.value);
  });
  return {picker, none};
}

/** "a → b" of a direction. @param {Object} model @param {string} direction "ab" or "ba" */
export function directionName(model, direction) {
  const [a, b] = (model.domains ?? ["A", "B"]).map((name) => name.replaceAll("_", " "));
  return direction === "ba" ? `${b} → ${a}` : `${a} → ${b}`;
}
