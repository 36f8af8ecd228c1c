/**
 * The page Translate: one or many pictures through a model, or through two for comparison.
 * @module translate
 */
import {postForFile} from "./api.js";
import {compare} from "./compare.js";
import {button, debounce, download, dropzone, el, pageHead, progressBar, select} from "./dom.js";
import {showBlob, statusLine, toast} from "./dom.js";
import {chooseModel} from "./models.js";
import {decode, filesOf, toCanvas, toPng} from "./pictures.js";
import {TranslateOptions} from "./translate_options.js";
import {zip} from "./zip.js";

const THUMBNAIL_PX = 160;
const CHANGE_DELAY_MS = 250; // of an option, until pictures are translated anew

/** @type {TranslatePage|null} */
let current = null;

export const page = {
  id: "translate",
  title: "Translate",
  icon: "translate",
  mount(root, studio) {
    current = new TranslatePage(root, studio);
  },
  show() {
    current.shown = true;
  },
  hide() {
    current.shown = false;
  },
};

/**
 * @typedef {Object} Item a picture and what became of it
 * @property {File} file
 * @property {HTMLElement} card
 * @property {boolean} visible whether this browser can show it
 * @property {number} aspect height / width
 * @property {Map<number, Result>} results by the number of the model, 0 or 1
 * @property {string} error the line that says why there is no result, or ""
 *
 * @typedef {{key: string, name: string, blob: Blob, visible: boolean}} Result
 */

/** The state of the page, and its parts. */
class TranslatePage {
  constructor(root, studio) {
    Object.assign(this, {studio, model: null, second: null, items: [], item: null, shown: true, job: null});
    this.local = studio.models.some((model) => model.local);
    this.status = statusLine();
    this.rerun = debounce(() => this.run(this.job ? this.items : [this.item].filter(Boolean)), CHANGE_DELAY_MS);
    const body = el("div", {class: "columns aside translate-columns"}, this.#viewPanel(), this.#optionPanel());
    const {picker, none} = chooseModel({studio, pageId: "translate", body, onchoose: (model) => this.#useModel(model)});
    const keeps = this.local ? "its name" : "its name, size and format";
    const text = `Drop one picture or a whole pile. Each keeps ${keeps}.`;
    root.append(pageHead("Translate", text, picker), body, none);
    addEventListener("paste", (event) => this.shown && this.add(filesOf(event.clipboardData)));
    this.#refresh();
  }

  // ---- what is seen

  #viewPanel() {
    const take = {multiple: true, onfiles: (files) => this.add(files)};
    this.first = dropzone({
      ...take,
      label: "Drop pictures here",
      hint: this.local ? "or choose them, or paste one" : "or choose them; photos, scans, 16-bit TIFF, HEIC …",
    });
    this.first.classList.add("large");
    this.more = dropzone({...take, label: "More", icon: "plus"});
    this.more.classList.add("compact", "more-pictures");
    const moved = (percent) => this.views.forEach((view) => (view.position = percent)); // both dividers at one place
    this.views = [compare({onmove: moved}), compare({onmove: moved})];
    this.viewRow = el("div", {class: "view-row"}, ...this.views);
    this.unseen = el("p", {class: "empty", hidden: true});
    this.strip = el("div", {class: "strip", attrs: {role: "group", "aria-label": "Pictures"}});
    this.stripRow = el("div", {class: "strip-row"}, this.strip, this.more);
    const parts = [this.first, this.viewRow, this.unseen, this.stripRow];
    return el("section", {class: "panel view-panel", ariaLabel: "Pictures"}, ...parts);
  }

  #optionPanel() {
    this.options = new TranslateOptions(() => this.changed());
    this.other = select({
      label: "Beside it, a second model",
      options: [["", "None"]],
      value: "",
      onchange: (name) => this.#useSecond(name),
    });
    this.studio.onModels(() => this.#listOthers());
    this.start = button("Translate all", () => this.run(this.items), {icon: "translate", kind: "primary"});
    this.cancel = button("Cancel", () => this.job?.abort(), {icon: "stop"});
    this.bar = progressBar("Pictures translated");
    this.saveOne = button("Download this picture", () => this.#saveOne(), {icon: "download"});
    this.saveAll = button("Download all as a zip", () => this.#saveAll(), {icon: "download"});
    this.clear = button("Begin anew", () => this.#removeAll(), {icon: "clear", kind: "quiet"});
    const work = [this.start, this.cancel, this.bar, this.status, this.saveOne, this.saveAll, this.clear];
    return el("aside", {class: "panel stack", ariaLabel: "Options"}, this.other, ...this.options.nodes, ...work);
  }

  #useModel(model) {
    this.model = model;
    this.options.useModel(model);
    this.#listOthers();
    this.changed();
  }

  #listOthers() {
    const models = this.studio.modelsFor("translate").filter((model) => model.name !== this.model?.name);
    this.other.setOptions([["", "None"], ...models.map((model) => [model.name, model.name])]);
    this.other.hidden = !models.length;
    this.#useSecond(this.other.value);
  }

  #useSecond(name) {
    const model = this.studio.modelsFor("translate").find((candidate) => candidate.name === name) ?? null;
    if (model?.name === this.second?.name) return;
    this.second = model;
    this.#refresh();
    this.changed();
  }

  /** Translate the shown picture by the new options; a job that is under way begins anew. */
  changed() {
    if (this.items.length) this.rerun();
  }

  // ---- pictures

  /** Take pictures, and translate them. @param {File[]} files */
  async add(files) {
    if (!files.length) return;
    const items = files.map((file) => this.#newItem(file));
    this.items.push(...items);
    this.strip.append(...items.map((item) => item.card));
    this.item ??= items[0];
    items.forEach((item) => this.#thumbnail(item));
    await this.run(this.items.filter((item) => !this.#isDone(item)));
  }

  #newItem(file) {
    const image = el("img", {alt: ""});
    const choose = el(
      "button",
      {type: "button", class: "picture", title: file.name, ariaLabel: file.name, on: {click: () => this.#choose(item)}},
      image,
    );
    const card = el("div", {class: "card thumb"}, choose, el("span", {class: "thumb-state"}));
    const item = {file, card, image, visible: true, aspect: 2 / 3, results: new Map(), error: ""};
    return item;
  }

  async #thumbnail(item) {
    const picture = await decode(item.file);
    item.visible = Boolean(picture);
    if (picture) {
      item.aspect = picture.height / picture.width;
      showBlob(item.image, await toPng(toCanvas(picture, THUMBNAIL_PX)));
      picture.close();
    } else {
      item.image.replaceWith(
        el("span", {class: "thumb-kind"}, item.file.name.split(".").pop().slice(0, 5).toUpperCase()),
      );
    }
    if (item === this.item) this.#refresh();
  }

  #choose(item) {
    this.item = item;
    this.#refresh();
    if (item && !item.error && !this.job && !this.#isDone(item)) this.changed();
  }

  #removeAll() {
    this.job?.abort();
    Object.assign(this, {items: [], item: null});
    this.strip.replaceChildren();
    this.status.say("");
    this.#refresh();
  }

  // ---- the work

  #models() {
    return [this.model, this.second].filter(Boolean);
  }

  #key(model) {
    return JSON.stringify([this.options.fields(model), model.updated]);
  }

  #isDone(item) {
    return this.#models().every((model, i) => item.results.get(i)?.key === this.#key(model));
  }

  /** Translate pictures one after the other; a job that is under way is withdrawn. @param {Item[]} items */
  async run(items) {
    const todo = items.filter((item) => !this.#isDone(item));
    if (!this.model || !todo.length) return this.#refresh();
    this.job?.abort();
    const job = (this.job = new AbortController());
    const started = performance.now();
    for (const item of todo) item.error = "";
    this.bar.set(0, todo.length);
    this.#refresh();
    for (const [i, item] of todo.entries()) {
      this.status.busy(todo.length === 1 ? "Translating …" : `Picture ${i + 1} of ${todo.length} …`);
      await this.#translate(item, job.signal);
      if (job.signal.aborted) break;
      this.bar.set(i + 1, todo.length);
      this.#refresh();
    }
    if (this.job !== job) return;
    this.job = null;
    this.#report(todo, job.signal.aborted, performance.now() - started);
    this.#refresh();
  }

  async #translate(item, signal) {
    for (const [i, model] of this.#models().entries()) {
      const key = this.#key(model);
      if (item.results.get(i)?.key === key) continue;
      try {
        const result = await postForFile("translate", {image: item.file, ...this.options.fields(model)}, signal);
        item.results.set(i, {...result, key, visible: Boolean(await decode(result.blob))});
      } catch (error) {
        if (error.name === "AbortError") return;
        item.error = error.message;
      }
    }
  }

  #report(items, aborted, ms) {
    const [failed, done] = [items.filter((item) => item.error), items.filter((item) => this.#isDone(item))];
    if (aborted) this.status.say(`Cancelled; ${done.length} of ${items.length} are done.`);
    else if (failed.length)
      this.status.fail(
        items.length === 1 ? failed[0].error : `${failed.length} of ${items.length} failed; choose one to see why.`,
      );
    else this.status.say(`${done.length === 1 ? "Done" : `${done.length} pictures`} in ${(ms / 1000).toFixed(1)} s.`);
  }

  // ---- the view

  #refresh() {
    const {item} = this;
    const any = this.items.length > 0;
    const [busy, stale] = [
      Boolean(this.job),
      this.items.filter((other) => !other.error && !this.#isDone(other)).length,
    ];
    this.first.hidden = any;
    this.viewRow.hidden = this.stripRow.hidden = !any;
    this.start.hidden = busy || !any;
    this.saveOne.hidden = !any;
    this.start.disabled = !stale;
    this.cancel.hidden = !busy;
    this.bar.classList.toggle("off", !busy);
    this.saveOne.disabled = !item?.results.size;
    this.saveAll.hidden = this.items.length < 2 && !this.second;
    this.saveAll.disabled = busy || !this.items.some((other) => other.results.size);
    this.clear.hidden = !any;
    for (const other of this.items) this.#refreshCard(other);
    if (item) this.#showItem(item);
    else this.unseen.hidden = true;
  }

  #refreshCard(item) {
    const state = item.error ? "failed" : this.#isDone(item) ? "done" : "";
    item.card.classList.toggle("chosen", item === this.item);
    item.card.querySelector(".picture").setAttribute("aria-pressed", String(item === this.item));
    const mark = item.card.querySelector(".thumb-state");
    mark.className = `thumb-state ${state}`;
    mark.textContent = {failed: "!", done: "✓"}[state] ?? "";
    mark.title = item.error || state;
  }

  #showItem(item) {
    const hidden = [];
    this.views.forEach((view, i) => {
      const model = this.#models()[i];
      view.hidden = !model;
      if (!model) return;
      const result = item.results.get(i);
      view.style.setProperty("--ratio", 1 / item.aspect);
      view.setNames("Before", this.second ? model.name : "After");
      const identity = `${item.file.name} ${item.visible} ${result?.key}`;
      if (view.identity === identity && view.item === item && view.blob === result?.blob) return;
      Object.assign(view, {identity, item, blob: result?.blob});
      view.show(item.visible ? item.file : null, result?.visible ? result.blob : null);
    });
    if (!item.visible) hidden.push(item.file.name);
    this.viewRow.classList.toggle("two", Boolean(this.second));
    this.unseen.hidden = !item.error && item.visible;
    this.unseen.textContent =
      item.error ||
      (item.visible
        ? ""
        : `Browsers cannot show ${item.file.name}; it is translated all the same, and can be downloaded.`);
    this.unseen.classList.toggle("error", Boolean(item.error));
  }

  #saveOne() {
    for (const result of this.item.results.values()) download(result.blob, result.name);
  }

  async #saveAll() {
    const models = this.#models();
    const files = this.items.flatMap((item) =>
      [...item.results]
        .filter(([i]) => models[i])
        .map(([i, {name, blob}]) => ({name, blob, folder: this.second ? models[i].name : ""})),
    );
    try {
      download(await zip(files), "translated.zip");
    } catch (error) {
      toast(error.message, "error");
    }
  }
}
