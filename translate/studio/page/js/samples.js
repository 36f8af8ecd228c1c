/**
 * Samples of a model as cards that can be chosen, and dragged to each other and into slots.
 * @module samples
 */
import {button, el, showBlob} from "./dom.js";

const TYPE = "application/x-studio-sample"; // of what is dragged

/**
 * @typedef {Object} Sample
 * @property {string} name of the file it is saved as
 * @property {Blob} blob
 * @property {number[]} w its style
 * @property {number|null} seed null for what sliders, sums and searches have made
 * @property {string} setting label and truncation that it was drawn with
 * @property {string} title read aloud
 */

/** What is being dragged; `dragover` may not read it from the event. @type {Sample|null} */
let dragged = null;

/** The point that stands for a sample in a request. @param {Sample} sample */
export const pointOf = (sample) => ({w: sample.w});

/**
 * A card that shows a sample.
 * @param {Sample} sample
 * @param {Object} desk the page's: `choose`, `walk`
 * @param {{tools?: HTMLElement[]}} [options] buttons in its corner
 */
export function sampleCard(sample, desk, {tools = []} = {}) {
  const image = el("img", {alt: "", draggable: false});
  showBlob(image, sample.blob);
  const picture = el(
    "button",
    {
      type: "button",
      class: "picture",
      draggable: true,
      ariaLabel: sample.title,
      title: sample.title,
      on: {click: () => desk.choose(sample), keydown: (event) => onKey(event, sample, desk)},
    },
    image,
  );
  const node = el(
    "div",
    {class: "card sample"},
    picture,
    tools.length ? el("div", {class: "card-tools"}, ...tools) : null,
  );
  node.sample = sample;
  picture.addEventListener("dragstart", (event) => {
    dragged = sample;
    event.dataTransfer.setData(TYPE, sample.title);
    event.dataTransfer.effectAllowed = "copy";
  });
  picture.addEventListener("dragend", () => (dragged = null));
  acceptSamples(node, (other) => other !== sample && desk.walk(other, sample));
  return node;
}

/** Keys on a sample: W walks, A, B and C are the slots of a sum. */
function onKey(event, sample, desk) {
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey || event.altKey || !"wabc".includes(key) || key.length !== 1) return;
  event.preventDefault();
  if (key === "w") desk.markWalk(sample);
  else desk.addToSum(key.toUpperCase(), sample);
}

/**
 * Call `onsample` with a sample that is dropped on `node`.
 * @param {HTMLElement} node
 * @param {(sample: Sample) => void} onsample
 */
export function acceptSamples(node, onsample) {
  const over = (event) => {
    if (!dragged || node.sample === dragged) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    node.classList.add("sample-over");
  };
  node.addEventListener("dragenter", over);
  node.addEventListener("dragover", over);
  node.addEventListener(
    "dragleave",
    (event) => node.contains(event.relatedTarget) || node.classList.remove("sample-over"),
  );
  node.addEventListener("drop", (event) => {
    node.classList.remove("sample-over");
    if (!dragged) return;
    event.preventDefault();
    event.stopPropagation();
    onsample(dragged);
    dragged = null;
  });
}

/**
 * A place for samples: they are dropped on it, or the chosen one is put there by its button.
 * @param {{label: string, desk: Object, many?: boolean, onchange: (samples: Sample[]) => void}} options
 * @returns {HTMLElement & {samples: Sample[], add: (sample: Sample) => void, set: (samples: Sample[]) => void}}
 */
export function slot({label, desk, many = false, onchange}) {
  const row = el("div", {class: "slot-samples"});
  const put = button(`Put the chosen sample into ${label}`, () => desk.chosen && node.add(desk.chosen), {
    icon: "plus",
    iconOnly: true,
    kind: "quiet",
  });
  put.classList.add("btn-small");
  const node = el(
    "div",
    {class: "slot", attrs: {role: "group", "aria-label": label}},
    el("span", {class: "slot-label"}, label),
    row,
    put,
  );
  node.samples = [];
  node.set = (samples) => {
    node.samples = samples;
    row.replaceChildren(
      ...samples.map((sample) =>
        thumbnail(sample, label, () => node.set(node.samples.filter((other) => other !== sample))),
      ),
    );
    node.classList.toggle("filled", samples.length > 0);
    onchange(samples);
  };
  node.add = (sample) => node.set(many ? [...node.samples.filter((other) => other !== sample), sample] : [sample]);
  acceptSamples(node, node.add);
  return node;
}

/** A small picture in a slot, which a click removes. */
function thumbnail(sample, label, onremove) {
  const image = el("img", {alt: ""});
  showBlob(image, sample.blob);
  return el(
    "button",
    {
      type: "button",
      class: "slot-sample",
      title: `Remove ${sample.title}`,
      ariaLabel: `Remove ${sample.title} from ${label}`,
      on: {click: onremove},
    },
    image,
  );
}

/**
 * Run the newest call of many, one at a time: sliders ask faster than models answer.
 * @param {(value: any) => Promise<void>} action
 */
export function newestOnly(action) {
  let running = false;
  let next;
  const run = async () => {
    running = true;
    while (next !== undefined) {
      const value = next;
      next = undefined;
      await action(value);
    }
    running = false;
  };
  return (value) => {
    next = value;
    if (!running) run();
  };
}
