/**
 * The page Generate: a sheet of samples, and what can be made of them.
 * @module generate
 */
import {picturesOf, postJson, warm} from "./api.js";
import {button, debounce, download, el, pageHead, segmented, select, showBlob, slider, statusLine} from "./dom.js";
import {icon} from "./icons.js";
import {chooseModel} from "./models.js";
import {PaintTool} from "./paint_tool.js";
import {PhotoTool} from "./photo_tool.js";
import {pointOf, sampleCard} from "./samples.js";
import {SliderTool} from "./slider_tool.js";
import {SumTool} from "./sum_tool.js";
import {WalkTool} from "./walk_tool.js";

const SHEET = 24; // samples that are drawn at once
const MAX_SEED = 2 ** 31;

/** @type {GeneratePage|null} */
let current = null;

export const page = {
  id: "generate",
  title: "Generate",
  icon: "generate",
  mount(root, studio) {
    current = new GeneratePage(root, studio);
  },
  show() {
    current.shown = true;
  },
  hide() {
    current.shown = false;
  },
};

/** The state of the page: the desk that cards and tools share. */
class GeneratePage {
  constructor(root, studio) {
    Object.assign(this, {
      model: null,
      chosen: null,
      label: "",
      truncation: 1,
      first: 0,
      next: 0,
      drawing: null,
      shown: true,
    });
    this.tools = [
      new SliderTool(this),
      new WalkTool(this),
      new SumTool(this),
      new PaintTool(this),
      new PhotoTool(this),
    ];
    const body = el("div", {class: "generate-grid"}, this.#sheetPanel(), this.#toolPanel());
    const {picker, none} = chooseModel({studio, pageId: "generate", body, onchoose: (model) => this.#useModel(model)});
    const text = "New pictures from a model. Choose one, then move it, walk from it, add to it, or paint on it.";
    root.append(pageHead("Generate", text, picker), body, none);
  }

  // ---- parts

  #sheetPanel() {
    this.labels = select({
      label: "Label",
      options: [["", "All"]],
      value: "",
      onchange: (label) => ((this.label = label), this.#restart()),
    });
    const redraw = debounce(() => this.#restart(), 150);
    this.truncate = slider({
      label: "Variety",
      min: 0,
      max: 1.2,
      step: 0.05,
      value: 1,
      show: (value) => value.toFixed(2),
      oninput: (value) => ((this.truncation = value), redraw()),
    });
    this.truncate.title = "Truncation: 0 is the mean picture, 1 what the model has learned";
    this.others = button("Others", () => ((this.first = Math.floor(Math.random() * MAX_SEED)), this.#restart()), {
      icon: "again",
      title: "A sheet of other seeds",
    });
    this.kept = el("div", {class: "cards sheet"});
    this.keptPart = el("div", {class: "stack", hidden: true}, el("h3", {}, "Kept"), this.kept);
    this.sheet = el("div", {class: "cards sheet"});
    this.more = button("More", () => this.#draw(), {icon: "plus"});
    this.status = statusLine();
    const wide = matchMedia("(min-width: 901px)"); // else the tools are below the sheet, and have to be reached
    new IntersectionObserver(
      ([entry]) => entry.isIntersecting && wide.matches && scrollY > 0 && this.next > this.first && this.#draw(),
      {rootMargin: "200px"},
    ).observe(this.more);
    return el(
      "section",
      {class: "panel stack sheet-panel", ariaLabel: "Samples"},
      el("div", {class: "sheet-controls"}, this.labels, this.truncate, this.others),
      this.keptPart,
      this.sheet,
      el("div", {class: "row"}, this.more, this.status),
      el(
        "p",
        {class: "muted small keys"},
        "Drag a sample onto another one to walk between them. Keys on a sample: Enter chooses it, W marks the two" +
          " ends of a walk, A, B and C put it into a sum.",
      ),
    );
  }

  #toolPanel() {
    this.image = el("img", {alt: ""});
    this.title = el("h2", {}, "No sample chosen");
    const save = button("Download", () => this.chosen && download(this.chosen.blob, this.chosen.name), {
      icon: "download",
      iconOnly: true,
      kind: "quiet",
    });
    this.choice = segmented({
      label: "What to do with it",
      value: this.tools[0].id,
      onchange: (id) => this.openTool(id),
      options: this.tools.map((tool) => [tool.id, tool.title]),
    });
    this.choice.classList.add("tool-choice");
    for (const tool of this.tools) tool.node.hidden = tool !== this.tools[0];
    return el(
      "aside",
      {class: "panel stack tool-panel", ariaLabel: "Tools"},
      el("div", {class: "panel-head"}, this.title, save),
      el("div", {class: "chosen-picture"}, icon("generate"), this.image),
      this.choice,
      ...this.tools.map((tool) => tool.node),
    );
  }

  // ---- the sheet

  #useModel(model) {
    Object.assign(this, {model, chosen: null, label: "", first: 0});
    this.labels.setOptions([["", "All"], ...model.labels.map((name) => [name, name])], "");
    this.labels.hidden = !model.labels.length;
    this.kept.replaceChildren();
    this.sheet.replaceChildren();
    this.keptPart.hidden = true;
    warm(model.name);
    for (const tool of this.tools) tool.useModel(model);
    this.#restart();
  }

  /** What seeds are drawn with. */
  get setting() {
    return {model: this.model.name, label: this.label || null, truncation: this.truncation};
  }

  #restart() {
    this.drawing?.abort();
    this.next = this.first;
    this.drawing = null;
    this.#draw();
  }

  async #draw() {
    if (this.drawing || !this.model) return;
    const job = (this.drawing = new AbortController());
    const seeds = Array.from({length: SHEET}, (_, i) => this.next + i);
    const anew = this.next === this.first;
    this.status.busy("drawing ...");
    if (!this.sheet.childElementCount)
      this.sheet.append(...seeds.map(() => el("div", {class: "card waiting"}, el("div", {class: "picture"}))));
    try {
      const samples = await this.draw(
        seeds.map((seed) => ({seed})),
        {},
        job.signal,
      );
      if (job.signal.aborted) return;
      samples.forEach((sample, i) => Object.assign(sample, {seed: seeds[i], title: `Seed ${seeds[i]}`}));
      const cards = samples.map((sample) => sampleCard(sample, this));
      if (anew) this.sheet.replaceChildren(...cards);
      else this.sheet.append(...cards);
      this.next += SHEET;
      if (anew && (!this.chosen || this.chosen.seed !== null))
        this.choose(samples[Math.max(0, seeds.indexOf(this.chosen?.seed))]);
      this.#markChosen();
      this.status.say("");
    } catch (error) {
      if (error.name !== "AbortError") this.status.fail(error.message);
    } finally {
      if (this.drawing === job) this.drawing = null;
    }
  }

  /**
   * Draw samples.
   * @param {Object[]} points seeds or styles
   * @param {Object} [more] fields of the request
   * @param {AbortSignal} [signal]
   * @returns {Promise<import("./samples.js").Sample[]>}
   */
  async draw(points, more = {}, signal) {
    return this.samplesOf(await postJson("points", {...this.setting, points, ...more}, signal));
  }

  /** The samples of an answer. */
  samplesOf(answer) {
    const setting = JSON.stringify(this.setting);
    return picturesOf(answer).map((picture) => ({
      ...picture,
      seed: null,
      setting,
      title: picture.name.replace(".png", "").replaceAll("_", " "),
    }));
  }

  // ---- what cards and tools ask for

  /** Choose a sample. @param {import("./samples.js").Sample} sample */
  choose(sample) {
    this.chosen = sample;
    this.title.textContent = sample.title;
    showBlob(this.image, sample.blob);
    this.image.alt = sample.title;
    this.#markChosen();
    for (const tool of this.tools) tool.useSample(sample);
  }

  #markChosen() {
    for (const card of this.node.querySelectorAll(".card.sample"))
      card.classList.toggle("chosen", card.sample === this.chosen);
  }

  get node() {
    return this.sheet.closest(".generate-grid");
  }

  /**
   * Keep a sample above the sheet, and choose it.
   * @param {import("./samples.js").Sample} sample
   * @param {string} title
   */
  keep(sample, title) {
    const kept = {...sample, seed: null, title};
    const card = sampleCard(kept, this, {
      tools: [
        button(
          `Remove ${title}`,
          () => {
            card.remove();
            this.keptPart.hidden = !this.kept.childElementCount;
          },
          {icon: "close", iconOnly: true},
        ),
      ],
    });
    card.querySelector(".card-tools .btn").classList.add("btn-small");
    this.kept.prepend(card);
    this.keptPart.hidden = false;
    this.choose(kept);
  }

  /** Open a tool. @param {string} id */
  openTool(id) {
    this.choice.value = id;
    for (const tool of this.tools) tool.node.hidden = tool.id !== id;
    this.tools.find((tool) => tool.id === id).opened?.();
  }

  /** Make a film from one sample to another. */
  walk(from, to) {
    this.openTool("walk");
    this.tools[1].start(from, to);
  }

  /** Take a sample as the first end of a walk, or as the second one. */
  markWalk(sample) {
    this.openTool("walk");
    this.tools[1].mark(sample);
  }

  /** Put a sample into a slot of the sum. @param {string} name "A", "B" or "C" */
  addToSum(name, sample) {
    this.openTool("sum");
    this.tools[2].add(name, sample);
  }

  /** The point of a sample in a walk: between seeds of one setting, a walk follows an arc. */
  walkPoints(samples) {
    const setting = JSON.stringify(this.setting);
    const seeds = samples.every((sample) => sample.seed !== null && sample.setting === setting);
    return samples.map((sample) => (seeds ? {seed: sample.seed} : pointOf(sample)));
  }
}
