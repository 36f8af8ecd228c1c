/**
 * Elements and small controls. Text reaches the document by `textContent` alone.
 * @module dom
 */
import {icon} from "./icons.js";

/**
 * Create an element.
 * @param {string} tag
 * @param {Object} [props] properties of the element; `class`, `data: {}`, `attrs: {}` and
 *   `on: {event: listener}` are special
 * @param {...(Node|string|null|undefined|false)} children strings become text
 * @returns {HTMLElement}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key === "class") node.className = value;
    else if (key === "data") Object.assign(node.dataset, value);
    else if (key === "attrs") for (const [name, text] of Object.entries(value)) node.setAttribute(name, text);
    else if (key === "on")
      for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
    else node[key] = value;
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/**
 * A button with an icon, a text, or both.
 * @param {string} label read aloud, and shown unless `iconOnly`
 * @param {(event: Event) => void} onclick
 * @param {{icon?: string, iconOnly?: boolean, kind?: string, title?: string}} [options] kind: "primary", "quiet" or ""
 * @returns {HTMLButtonElement}
 */
export function button(label, onclick, {icon: name = "", iconOnly = false, kind = "", title = ""} = {}) {
  const classes = ["btn", kind && `btn-${kind}`, iconOnly && "btn-icon"].filter(Boolean).join(" ");
  const node = el("button", {
    type: "button",
    class: classes,
    title: title || (iconOnly ? label : ""),
    on: {click: onclick},
  });
  if (iconOnly) node.ariaLabel = label;
  node.append(...[name && icon(name), !iconOnly && el("span", {}, label)].filter(Boolean));
  return node;
}

let nextId = 0;

/** An id that no other element has. @returns {string} */
export const uniqueId = () => `id-${++nextId}`;

/**
 * A labelled slider that shows its value.
 * @param {{label: string, min: number, max: number, step: number, value: number, show?: (value: number) => string,
 *   oninput: (value: number) => void, onchange?: (value: number) => void}} options
 * @returns {HTMLElement & {value: number, max: number, disabled: boolean}}
 */
export function slider({label, min, max, step, value, show = String, oninput, onchange}) {
  const id = uniqueId();
  const output = el("output", {class: "range-value", htmlFor: id}, show(value));
  const input = el("input", {type: "range", id, min, max, step, value});
  const paint = () => {
    output.textContent = show(input.valueAsNumber);
    input.style.setProperty("--filled", `${(100 * (input.valueAsNumber - min)) / (max - min || 1)}%`);
  };
  input.addEventListener("input", () => (paint(), oninput(input.valueAsNumber)));
  if (onchange) input.addEventListener("change", () => onchange(input.valueAsNumber));
  paint();
  const node = el("div", {class: "range"}, el("label", {htmlFor: id}, label), output, input);
  return Object.defineProperties(node, {
    value: {get: () => input.valueAsNumber, set: (next) => ((input.value = next), paint())},
    max: {get: () => max, set: (next) => ((max = next), (input.max = next), paint())},
    disabled: {get: () => input.disabled, set: (next) => ((input.disabled = next), node.classList.toggle("off", next))},
  });
}

/**
 * A row of buttons of which one is pressed, as radio buttons.
 * @param {{label: string, options: [string, string][], value: string, onchange: (value: string) => void}} options
 *   options: pairs of value and text
 * @returns {HTMLFieldSetElement & {value: string}}
 */
export function segmented({label, options, value, onchange}) {
  const name = uniqueId();
  const inputs = options.map(([key]) =>
    el("input", {type: "radio", name, value: key, checked: key === value, on: {change: () => onchange(key)}}),
  );
  const node = el("fieldset", {class: "segmented"}, el("legend", {}, label));
  node.append(...options.map(([, text], i) => el("label", {}, inputs[i], el("span", {}, text))));
  return Object.defineProperty(node, "value", {
    get: () => inputs.find((input) => input.checked)?.value,
    set: (next) => inputs.forEach((input) => (input.checked = input.value === next)),
  });
}

/**
 * A labelled list to choose from.
 * @param {{label: string, options: [string, string][], value: string, onchange: (value: string) => void}} options
 * @returns {HTMLElement & {value: string, setOptions: (options: [string, string][], value?: string) => void}}
 */
export function select({label, options, value, onchange}) {
  const id = uniqueId();
  const input = el("select", {id, on: {change: () => onchange(input.value)}});
  const node = el("div", {class: "field"}, el("label", {htmlFor: id}, label), input);
  node.setOptions = (next, chosen = input.value) => {
    input.replaceChildren(...next.map(([key, text]) => el("option", {value: key}, text)));
    if (next.some(([key]) => key === chosen)) input.value = chosen;
  };
  node.setOptions(options, value);
  return Object.defineProperty(node, "value", {get: () => input.value, set: (next) => (input.value = next)});
}

/**
 * A labelled check box.
 * @param {{label: string, checked: boolean, onchange: (checked: boolean) => void}} options
 * @returns {HTMLLabelElement & {checked: boolean}}
 */
export function checkbox({label, checked, onchange}) {
  const input = el("input", {type: "checkbox", checked, on: {change: () => onchange(input.checked)}});
  const node = el("label", {class: "check"}, input, el("span", {}, label));
  return Object.defineProperty(node, "checked", {get: () => input.checked, set: (next) => (input.checked = next)});
}

/**
 * A place to drop files on, or to choose them by mouse and keyboard.
 * @param {{label: string, hint?: string, multiple?: boolean, accept?: string, icon?: string,
 *   onfiles: (files: File[]) => void}} options
 * @returns {HTMLElement}
 */
export function dropzone({label, hint = "", multiple = false, accept = "", icon: name = "upload", onfiles}) {
  const input = el("input", {type: "file", multiple, accept, class: "visually-hidden"});
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = "";
    if (files.length) onfiles(files);
  });
  const node = el("label", {class: "dropzone"}, input, icon(name), el("span", {class: "dropzone-label"}, label));
  if (hint) node.append(el("span", {class: "dropzone-hint"}, hint));
  acceptDrops(node, (files) => onfiles(multiple ? files : files.slice(0, 1)));
  return node;
}

/**
 * Take files that are dropped on an element.
 * @param {HTMLElement} node
 * @param {(files: File[]) => void} onfiles
 */
export function acceptDrops(node, onfiles) {
  let depth = 0; // dragenter and dragleave also come from children
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  node.addEventListener(
    "dragenter",
    (event) => carriesFiles(event) && ((depth += 1), node.classList.add("dragged-over")),
  );
  node.addEventListener("dragleave", (event) => {
    if (carriesFiles(event) && (depth -= 1) <= 0) ((depth = 0), node.classList.remove("dragged-over"));
  });
  node.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    ((depth = 0), node.classList.remove("dragged-over"));
    const files = [...event.dataTransfer.files];
    if (files.length) onfiles(files);
  });
}

/**
 * Say something at the bottom of the page for some seconds.
 * @param {string} text
 * @param {""|"error"} [kind]
 */
export function toast(text, kind = "") {
  const node = el("div", {class: `toast ${kind}`}, icon(kind === "error" ? "warning" : "check"), el("span", {}, text));
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), kind === "error" ? 8000 : 4000);
}

/**
 * A line that says what goes on: `say(text)`, `busy(text)`, `fail(text)`.
 * @returns {HTMLElement & {say: (text: string) => void, busy: (text: string) => void, fail: (text: string) => void}}
 */
export function statusLine() {
  const node = el("p", {class: "status", attrs: {role: "status", "aria-live": "polite"}});
  const set = (kind) => (text) => {
    node.className = `status ${kind}`;
    node.textContent = text;
  };
  return Object.assign(node, {say: set(""), busy: set("busy"), fail: set("error")});
}

/**
 * A bar of progress.
 * @param {string} label
 * @returns {HTMLElement & {set: (done: number, total: number) => void}}
 */
export function progressBar(label) {
  const bar = el("progress", {max: 1, value: 0, ariaLabel: label});
  const node = el("div", {class: "progress"}, bar);
  node.set = (done, total) => Object.assign(bar, {max: total || 1, value: done});
  return node;
}

/** Object URLs of an element's pictures, revoked when they are replaced. @type {WeakMap<HTMLImageElement, string>} */
const urls = new WeakMap();

/**
 * Show a blob in an image, and give back the memory of the one before.
 * @param {HTMLImageElement} image
 * @param {Blob} blob
 */
export function showBlob(image, blob) {
  const old = urls.get(image);
  const url = URL.createObjectURL(blob);
  urls.set(image, url);
  image.src = url;
  if (old) URL.revokeObjectURL(old);
}

/** Save a blob under a name. @param {Blob} blob @param {string} name */
export function download(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = el("a", {href: url, download: name});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** Call `action` once, `delay` milliseconds after the last call. @param {() => void} action @param {number} delay */
export function debounce(action, delay) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, delay);
  };
}

/**
 * A button that asks for a picture file.
 * @param {string} label
 * @param {string} name of the icon
 * @param {(file: File) => void} onfile
 */
export function fileButton(label, name, onfile) {
  const input = el("input", {type: "file", accept: "image/*", class: "visually-hidden", tabIndex: -1});
  input.ariaHidden = "true";
  input.addEventListener("change", () => {
    const [file] = input.files;
    input.value = "";
    if (file) onfile(file);
  });
  return el(
    "span",
    {},
    input,
    button(label, () => input.click(), {icon: name, iconOnly: true, kind: "quiet"}),
  );
}

/** The head of a page. @param {string} title @param {string} text what one does here @param {...Node} controls */
export const pageHead = (title, text, ...controls) =>
  el("div", {class: "page-head"}, el("div", {class: "titles"}, el("h1", {}, title), el("p", {}, text)), ...controls);
