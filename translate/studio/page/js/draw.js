/**
 * The page Draw: a board on the left, what the model makes of it on the right.
 * @module draw
 */
import {drawLines, postForPictures, readLook, warm} from "./api.js";
import {Board} from "./board.js";
import {askWhatToDo} from "./dropped.js";
import {acceptDrops, button, debounce, download, el, segmented, showBlob, slider, statusLine, toast} from "./dom.js";
import {icon} from "./icons.js";
import {LookBar} from "./look_bar.js";
import {chooseModel} from "./models.js";
import {decode, filesOf, keepInk, onWhite, toCanvas, toPng} from "./pictures.js";
import {Sketch} from "./sketch.js";
import {TraceBar} from "./trace_bar.js";

const SIX = 6;
const ANSWER_DELAY_MS = 120; // after the pen is lifted: two strokes that follow each other closely are one question
const KIND_LINE = "Draw a few lines, and the answers appear here.";
const COLOURS = ["#c0392b", "#e08a2e", "#e8c547", "#4f9d5b", "#2f7fb8", "#8e4f9e", "#d98bb0", "#7b5236", "#f4f1e8", "#202022"];

/** @type {DrawPage|null} */
let current = null;

export const page = {
  id: "draw",
  title: "Draw",
  icon: "draw",
  mount(root, studio) {
    current = new DrawPage(root, studio);
  },
  show() { current.shown = true; },
  hide() { current.shown = false; },
};

/** The state of the page, and its parts. */
class DrawPage {
  constructor(root, studio) {
    this.sketch = new Sketch();
    this.board = new Board(this.sketch, ["hints", "lines"], "Drawing board. With the keyboard: choose a drawing to trace below, and take it over.");
    this.model = null;
    this.seed = 0;
    this.chosen = 0; // the answer that is shown large
    this.answers = [];
    this.shown = true;
    this.controller = new AbortController();
    this.status = statusLine();
    this.ask = debounce(() => this.#ask(), ANSWER_DELAY_MS);
    const body = el("div", {class: "draw-grid"}, this.#boardPanel(), this.#answerPanel(), this.#sixPanel());
    const {picker, none} = chooseModel({studio, pageId: "draw", body, onchoose: (model) => this.#useModel(model)});
    root.append(el("div", {class: "page-head"}, el("div", {class: "titles"}, el("h1", {}, "Draw"), el("p", {}, "Draw on the left; the model answers on the right.")), picker), body, none);
    this.sketch.addEventListener("change", () => this.#changed());
    this.#listenToKeys();
    this.#changed();
  }

  // ---- the board

  #boardPanel() {
    const tool = (name, label, key, change) => {
      const node = button(`${label} (${key})`, () => this.#useTool(name), {icon: name, iconOnly: true, kind: "quiet"});
      return Object.assign(node, {change});
    };
    this.tools = {pen: tool("pen", "Pen", "P", {erase: false}), eraser: tool("eraser", "Eraser", "E", {erase: true})};
    this.undo = button("Undo (Ctrl+Z)", () => this.sketch.undo(), {icon: "undo", iconOnly: true, kind: "quiet"});
    this.redo = button("Redo (Ctrl+Shift+Z)", () => this.sketch.redo(), {icon: "redo", iconOnly: true, kind: "quiet"});
    this.wipe = button("Clear the board", () => this.sketch.clear(), {icon: "clear", iconOnly: true, kind: "quiet"});
    this.save = button("Download the drawing", async () => download(await this.#drawing(1024), "drawing.png"), {icon: "download", iconOnly: true, kind: "quiet"});
    this.widths = {lines: 4, hints: 26};
    this.width = slider({label: "Width", min: 1, max: 40, step: 1, value: this.widths.lines, show: (px) => `${px}`, oninput: (px) => this.#useWidth(px)});
    this.width.classList.add("tool-width");
    const open = this.#openButton();
    this.layerChoice = this.#layerChoice();
    this.trace = new TraceBar({board: this.board, onadopt: (picture) => this.#adopt(picture)});
    this.board.node.append(this.invitation = el("div", {class: "board-invitation"}, icon("draw"), el("p", {}, "Draw here"), el("p", {class: "small"}, "or drop a sketch or a photo")));
    acceptDrops(this.board.node, (files) => this.#dropped(files[0]));
    this.#useTool("pen");
    this.#useWidth(this.widths.lines);
    return el("section", {class: "panel board-panel", ariaLabel: "Your drawing"},
      el("div", {class: "toolbar", attrs: {role: "toolbar", "aria-label": "Drawing tools"}},
        this.tools.pen, this.tools.eraser, this.width, el("span", {class: "sep"}), this.undo, this.redo, this.wipe, el("span", {class: "grow"}), open, this.save),
      this.layerChoice, this.board.node, this.trace.node);
  }

  #openButton() {
    const input = el("input", {type: "file", accept: "image/*", class: "visually-hidden", tabIndex: -1, ariaHidden: "true"});
    input.addEventListener("change", () => {
      const [file] = input.files;
      input.value = "";
      if (file) this.#dropped(file);
    });
    return el("span", {}, input, button("Open a sketch or a photo (or paste one)", () => input.click(), {icon: "image", iconOnly: true, kind: "quiet"}));
  }

  #layerChoice() {
    this.layer = segmented({label: "Draw", options: [["lines", "Lines"], ["hints", "Colours"]], value: "lines", onchange: (layer) => this.#useLayer(layer)});
    this.layer.querySelector("legend").className = "visually-hidden";
    this.swatches = COLOURS.map((colour) => {
      const node = button(`Colour ${colour}`, () => this.#useColour(colour), {iconOnly: true});
      node.className = "swatch";
      node.style.background = colour;
      return Object.assign(node, {colour});
    });
    this.anyColour = el("input", {type: "color", value: "#c0392b", ariaLabel: "Another colour", title: "Another colour", class: "swatch", on: {input: () => this.#useColour(this.anyColour.value)}});
    this.palette = el("div", {class: "palette", attrs: {role: "group", "aria-label": "Palette"}}, ...this.swatches, this.anyColour);
    return el("div", {class: "layer-choice"}, this.layer, this.palette);
  }

  #useTool(name) {
    for (const [other, node] of Object.entries(this.tools)) node.setAttribute("aria-pressed", String(other === name));
    this.board.use(this.tools[name].change);
  }

  #useWidth(px) {
    this.widths[this.board.tool.layer] = px;
    this.board.use({width: px / 360}); // px of a board of a common size, so that drawings do not depend on the window
  }

  #useLayer(layer) {
    this.layer.value = layer;
    this.board.use({layer});
    this.#usePaint();
    this.width.value = this.widths[layer];
    this.#useWidth(this.widths[layer]);
    this.#useTool("pen");
  }

  #useColour(colour) {
    this.colour = colour;
    this.anyColour.value = colour;
    if (this.model.hints && this.board.tool.layer === "lines") this.#useLayer("hints");
    this.#usePaint();
    this.#useTool("pen");
  }

  /** Lines are black where the model knows line drawings; hints, and other drawings, have the chosen colour. */
  #usePaint() {
    const black = this.board.tool.layer === "lines" && this.model.sketch !== false;
    this.board.use({colour: black ? "#17181c" : this.colour});
    for (const node of this.swatches) node.setAttribute("aria-pressed", String(!black && node.colour === this.colour));
  }

  #listenToKeys() {
    addEventListener("keydown", (event) => {
      if (!this.shown || event.target.closest("input:not([type=range]):not([type=radio]), select, textarea, dialog")) return;
      const key = event.key.toLowerCase();
      const action = event.ctrlKey || event.metaKey
        ? {z: () => (event.shiftKey ? this.sketch.redo() : this.sketch.undo()), y: () => this.sketch.redo()}[key]
        : {p: () => this.#useTool("pen"), b: () => this.#useTool("pen"), e: () => this.#useTool("eraser"),
          "[": () => this.#stepWidth(-2), "]": () => this.#stepWidth(2)}[key];
      if (!action || event.altKey) return;
      event.preventDefault();
      action();
    });
    addEventListener("paste", (event) => {
      const [file] = filesOf(event.clipboardData);
      if (this.shown && file) this.#dropped(file);
    });
  }

  #stepWidth(step) {
    this.width.value += step;
    this.#useWidth(this.width.value);
  }

  // ---- pictures from outside

  /** Ask what a picture is meant for, and do it. @param {File} file */
  async #dropped(file) {
    const picture = await decode(file);
    if (!picture) return toast(`${file.name}: this browser cannot show such a file`, "error");
    const choice = await askWhatToDo(file, {look: this.model.latent});
    try {
      if (choice === "drawing") this.#adopt(toCanvas(picture));
      if (choice === "lines") this.#adopt(toCanvas(await decode(await drawLines(file))));
      if (choice === "trace") this.trace.use(URL.createObjectURL(file));
      if (choice === "look") await this.#look(file);
    } catch (error) {
      toast(error.message, "error");
    }
  }

  /** Lay a picture on the board, to draw on from there. @param {HTMLCanvasElement} canvas */
  #adopt(canvas) {
    this.sketch.add({kind: "stamp", layer: "lines", picture: this.model.sketch === false ? canvas : keepInk(canvas)});
  }

  // ---- the answers

  #answerPanel() {
    this.hero = el("img", {alt: "The answer to your drawing", hidden: true});
    this.heroHint = el("p", {class: "hero-hint"}, KIND_LINE);
    this.heroSave = button("Download this picture", () => this.#download(this.heroPicture), {icon: "download", iconOnly: true, kind: "quiet"});
    this.looks = new LookBar({onchange: () => this.ask(), onphoto: (file, slot) => this.#look(file, slot)});
    this.keptChip = el("span", {class: "chip accent", hidden: true}, icon("keep"), "look kept");
    return el("section", {class: "panel answer-panel", ariaLabel: "The answer"},
      el("div", {class: "panel-head"}, el("h2", {}, "Answer"), this.keptChip, this.heroSave),
      el("div", {class: "hero"}, this.hero, this.heroHint), this.status, this.looks.node);
  }

  #sixPanel() {
    this.cards = Array.from({length: SIX}, (_, i) => this.#card(i));
    const again = button("Six other looks", () => this.#otherSix(), {icon: "again", iconOnly: true, kind: "quiet"});
    this.six = el("section", {class: "panel six-panel", ariaLabel: "Six looks"},
      el("div", {class: "panel-head"}, el("h2", {}, "Six looks"), again),
      el("div", {class: "cards six"}, ...this.cards.map((card) => card.node)),
      el("p", {class: "muted small"}, "Choose one to keep its look while you go on drawing."));
    return this.six;
  }

  #card(i) {
    const image = el("img", {alt: `Answer ${i + 1}`, hidden: true});
    const choose = el("button", {type: "button", class: "picture", disabled: true, ariaLabel: `Keep the look of answer ${i + 1}`, on: {click: () => this.#keep(i)}}, image);
    const mix = button(`Blend with the look of answer ${i + 1}`, () => this.#mix(i), {icon: "mix", iconOnly: true, kind: "small"});
    const save = button(`Download answer ${i + 1}`, () => this.#download(this.answers[i]), {icon: "download", iconOnly: true, kind: "small"});
    const tools = el("div", {class: "card-tools", hidden: true}, mix, save);
    return {node: el("div", {class: "card"}, choose, tools), image, choose, tools, mix};
  }

  #useModel(model) {
    this.model = model;
    warm(model.name);
    this.answers = [];
    this.looks.clear();
    this.chosen = 0;
    this.six.hidden = !model.many;
    this.looks.node.hidden = !model.latent;
    this.six.parentElement?.classList.toggle("single", !model.many);
    this.layerChoice.hidden = !model.hints && model.sketch !== false;
    this.layer.hidden = !model.hints;
    this.colour ??= COLOURS[0];
    this.#useLayer("lines");
    this.ask();
  }

  #changed() {
    this.undo.disabled = !this.sketch.canUndo;
    this.redo.disabled = !this.sketch.canRedo;
    const empty = this.sketch.isEmpty("lines");
    this.invitation.hidden = !empty || !this.sketch.isEmpty("hints");
    this.wipe.disabled = this.save.disabled = this.invitation.hidden === false;
    this.ask();
  }

  /** The drawing on white paper. @param {number} side px */
  #drawing(side) { return toPng(onWhite(this.sketch.paint("lines", side))); }

  /** Ask the model; an older question is withdrawn. */
  async #ask() {
    this.controller.abort();
    const {signal} = (this.controller = new AbortController());
    if (!this.model) return;
    if (this.sketch.isEmpty("lines")) return this.#showNothing();
    const started = performance.now();
    this.#wait(true);
    this.status.busy("Drawing …");
    try {
      const fields = await this.#fields();
      const z = this.looks.z;
      if (z) {
        const [picture] = await postForPictures("translate", {...fields, z}, signal);
        this.#showHero(picture);
        this.status.busy(`Your look in ${seconds(started)}; six others …`);
      }
      const many = this.model.many ? {count: SIX, seed: this.seed} : {};
      const answers = await postForPictures("translate", {...fields, ...many}, signal);
      this.#showAnswers(answers, Boolean(z));
      this.status.say(`${answers.length === 1 ? "The answer" : `${answers.length} answers`} in ${seconds(started)}.`);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.status.fail(error.message);
    }
    this.#wait(false);
  }

  async #fields() {
    const side = this.model.size || 256;
    const hints = this.model.hints && !this.sketch.isEmpty("hints") ? await toPng(this.sketch.paint("hints", side)) : null;
    return {image: new File([await this.#drawing(side)], "drawing.png", {type: "image/png"}), model: this.model.name, hints};
  }

  #wait(waiting) {
    this.cards.forEach((card, i) => card.node.classList.toggle("waiting", waiting && !this.answers[i]));
  }

  #showNothing() {
    this.answers = [];
    this.#wait(false);
    this.hero.hidden = true;
    this.heroHint.hidden = false;
    this.heroSave.disabled = true;
    this.heroPicture = null;
    for (const card of this.cards) card.image.hidden = card.tools.hidden = card.choose.disabled = true;
    this.status.say(this.sketch.isEmpty("hints") ? "" : "Colours alone are no drawing yet: add a line.");
    this.#mark();
  }

  #showAnswers(answers, heroIsShown) {
    this.answers = answers;
    answers.forEach((answer, i) => {
      const card = this.cards[i];
      if (!card) return;
      showBlob(card.image, answer.blob);
      card.image.hidden = card.tools.hidden = card.choose.disabled = false;
      card.mix.hidden = !answer.z;
    });
    if (!heroIsShown) this.#showHero(answers[Math.min(this.chosen, answers.length - 1)]);
    this.#mark();
  }

  #showHero(picture) {
    this.heroPicture = picture;
    showBlob(this.hero, picture.blob);
    this.hero.hidden = false;
    this.heroHint.hidden = true;
    this.heroSave.disabled = false;
  }

  /** Mark the answer whose look is kept. */
  #mark() {
    const kept = this.looks.first;
    this.keptChip.hidden = !kept;
    this.cards.forEach((card, i) => {
      const isKept = Boolean(kept) && sameLook(kept.z, this.answers[i]?.z);
      card.node.classList.toggle("chosen", isKept || (!kept && this.chosen === i && this.answers.length > 1));
      card.choose.setAttribute("aria-pressed", String(isKept));
    });
  }

  // ---- looks

  #keep(i) {
    const answer = this.answers[i];
    this.chosen = i;
    if (answer.z && sameLook(this.looks.first?.z, answer.z)) this.looks.set("first", null);
    else if (answer.z) this.looks.set("first", {z: answer.z, blob: answer.blob, name: `answer ${i + 1}`});
    if (this.looks.second) this.ask();
    else this.#showHero(answer);
    this.#mark();
  }

  #mix(i) {
    const answer = this.answers[i];
    if (!this.looks.first) this.#keep(this.chosen);
    this.looks.set("second", {z: answer.z, blob: answer.blob, name: `answer ${i + 1}`});
    this.ask();
  }

  /** Read the look of a photo. @param {File} file @param {"first"|"second"} [slot] */
  async #look(file, slot = "first") {
    try {
      this.looks.set(slot, {z: await readLook(file, this.model.name), blob: file, name: file.name});
      this.ask();
      this.#mark();
    } catch (error) {
      toast(error.message, "error");
    }
  }

  #otherSix() {
    this.seed += 1;
    this.ask();
  }

  #download(picture) {
    if (picture) download(picture.blob, picture.name);
  }
}

const seconds = (started) => `${((performance.now() - started) / 1000).toFixed(2)} s`;

const sameLook = (one, two) => Boolean(one && two) && one.every((value, i) => value === two[i]);
