/**
 * Colours and lines painted onto a sample, and the samples that have them.
 * @module paint_tool
 */
import {postWithProgress} from "./api.js";
import {Board} from "./board.js";
import {button, checkbox, el, progressBar, segmented, showBlob, slider, statusLine} from "./dom.js";
import {pointOf, sampleCard} from "./samples.js";
import {Sketch} from "./sketch.js";
import {toPng} from "./pictures.js";

const LAYER_PX = 256; // side of the layers that are sent
const COLOURS = [
  "#1c1d22",
  "#ffffff",
  "#d8443c",
  "#e8a33d",
  "#f1d84b",
  "#4b9e5a",
  "#3f7fc4",
  "#7a4fb0",
  "#8a5a3c",
  "#e9c3a6",
];

export class PaintTool {
  id = "paint";
  title = "Paint";

  constructor(desk) {
    Object.assign(this, {desk, job: null, colour: COLOURS[2]});
    this.sketch = new Sketch();
    this.board = new Board(
      this.sketch,
      ["strokes", "lines"],
      "The chosen sample. Paint colours and lines that it should have.",
    );
    this.board.backdrop.hidden = false;
    this.mode = segmented({
      label: "Brush",
      value: "colour",
      options: [
        ["colour", "Colour"],
        ["line", "Line"],
        ["erase", "Erase"],
      ],
      onchange: () => this.#useBrush(),
    });
    this.width = slider({
      label: "Width",
      min: 2,
      max: 24,
      step: 1,
      value: 9,
      show: (value) => `${value} %`,
      oninput: () => this.#useBrush(),
    });
    this.swatches = COLOURS.map((colour) => this.#swatch(colour));
    this.palette = el("div", {class: "palette", attrs: {role: "group", "aria-label": "Colours"}}, ...this.swatches);
    this.near = checkbox({label: "change the sample as little as possible", checked: true, onchange: () => {}});
    this.go = button("Find samples", () => this.search(), {icon: "brush", kind: "primary"});
    this.cancel = button("Cancel", () => this.job?.abort(), {icon: "stop"});
    this.undo = button("Undo", () => this.sketch.undo(), {icon: "undo", iconOnly: true, kind: "quiet"});
    this.wipe = button("Clear", () => this.sketch.clear(), {icon: "clear", iconOnly: true, kind: "quiet"});
    this.bar = progressBar("Search");
    this.status = statusLine();
    this.found = el("div", {class: "cards found"});
    this.node = el(
      "div",
      {class: "stack tool"},
      this.mode,
      this.palette,
      this.width,
      this.board.node,
      this.near,
      el("div", {class: "row"}, this.go, this.cancel, this.undo, this.wipe),
      this.bar,
      this.status,
      this.found,
    );
    this.sketch.addEventListener("change", () => this.#refresh());
    this.#useBrush();
    this.#refresh();
  }

  useModel() {
    this.job?.abort();
    this.sketch.reset(1);
    this.found.replaceChildren();
    this.status.say("");
  }

  useSample(sample) {
    showBlob(this.board.backdrop, sample.blob);
  }

  opened() {
    this.board.repaint();
  }

  #swatch(colour) {
    const node = el("button", {
      type: "button",
      class: "swatch",
      ariaLabel: `Colour ${colour}`,
      title: colour,
      on: {
        click: () => {
          this.colour = colour;
          this.mode.value = "colour";
          this.#useBrush();
        },
      },
    });
    node.style.background = colour;
    return node;
  }

  #useBrush() {
    const erase = this.mode.value === "erase";
    if (!erase) this.layer = this.mode.value === "line" ? "lines" : "strokes"; // what was painted last is erased
    const line = this.layer === "lines" && !erase;
    this.board.use({
      layer: this.layer,
      erase,
      colour: line ? "#000000" : this.colour,
      width: line ? 0.02 : this.width.value / 100,
    });
    this.width.disabled = line;
    this.swatches.forEach((node, i) => node.setAttribute("aria-pressed", String(!line && COLOURS[i] === this.colour)));
  }

  #refresh() {
    const nothing = this.sketch.isEmpty("strokes") && this.sketch.isEmpty("lines");
    this.go.disabled = nothing;
    this.undo.disabled = !this.sketch.canUndo;
    this.wipe.disabled = nothing;
    this.go.hidden = Boolean(this.job);
    this.cancel.hidden = this.bar.hidden = !this.job;
  }

  async search() {
    const {desk} = this;
    const job = (this.job = new AbortController());
    this.#refresh();
    this.status.busy("searching ...");
    const layer = async (name) => (this.sketch.isEmpty(name) ? null : toPng(this.sketch.paint(name, LAYER_PX)));
    const start = this.near.checked && desk.chosen ? JSON.stringify(pointOf(desk.chosen)) : "";
    try {
      const fields = {
        model: desk.model.name,
        label: desk.label,
        start,
        strokes: await layer("strokes"),
        lines: await layer("lines"),
        count: 8,
      };
      const answer = await postWithProgress("edit", fields, (share) => this.bar.set(share, 1), job.signal);
      this.#show(desk.samplesOf(answer));
    } catch (error) {
      if (error.name === "AbortError") this.status.say("cancelled");
      else this.status.fail(error.message);
    } finally {
      this.job = null;
      this.bar.set(0, 1);
      this.#refresh();
    }
  }

  #show(samples) {
    samples.forEach((sample, i) => (sample.title = `Painted ${i + 1}`));
    this.found.replaceChildren(
      ...samples.map((sample) =>
        sampleCard(sample, {...handlers(this.desk), choose: () => this.desk.keep(sample, sample.title)}),
      ),
    );
    this.status.say(`${samples.length} found, the best first; click one to keep it.`);
  }
}

/** What cards need of the desk. */
const handlers = (desk) => ({
  walk: (from, to) => desk.walk(from, to),
  markWalk: (sample) => desk.markWalk(sample),
  addToSum: (name, sample) => desk.addToSum(name, sample),
});
