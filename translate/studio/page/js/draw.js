/**
 * The page Draw: a board on the left, what the model makes of it on the right.
 * @module draw
 */
import {AnswerView} from "./answer_view.js";
import {drawLines, postForPictures, readLook, warm} from "./api.js";
import {Board} from "./board.js";
import {acceptDrops, debounce, download, el, pageHead, toast} from "./dom.js";
import {DrawTools} from "./draw_tools.js";
import {askWhatToDo} from "./dropped.js";
import {icon} from "./icons.js";
import {LookBar} from "./look_bar.js";
import {sameLook} from "./looks.js";
import {chooseModel} from "./models.js";
import {decode, filesOf, keepInk, onWhite, toCanvas, toPng} from "./pictures.js";
import {Sketch} from "./sketch.js";
import {TraceBar} from "./trace_bar.js";

const SIX = 6;
const ANSWER_DELAY_MS = 120; // after the pen is lifted: two strokes that follow each other closely are one question
const SAVED_SIDE_PX = 1024; // of a drawing that is downloaded
const BOARD_LABEL = "Drawing board. With the keyboard: choose a drawing to trace below, and use its lines.";

/** @type {DrawPage|null} */
let current = null;

export const page = {
  id: "draw",
  title: "Draw",
  icon: "draw",
  mount(root, studio) {
    current = new DrawPage(root, studio);
  },
  show() {
    current.shown = true;
  },
  hide() {
    current.shown = false;
  },
};

/** The state of the page, and its parts. */
class DrawPage {
  constructor(root, studio) {
    Object.assign(this, {model: null, seed: 0, answers: [], shown: true, controller: new AbortController()});
    this.ask = debounce(() => this.#ask(), ANSWER_DELAY_MS);
    this.sketch = new Sketch();
    this.board = new Board(this.sketch, ["hints", "lines"], BOARD_LABEL);
    this.looks = new LookBar({
      onchange: () => this.#looksChanged(),
      onphoto: (file, slot) => this.#readLook(file, slot),
    });
    this.view = new AnswerView({
      count: SIX,
      looks: this.looks.node,
      onkeep: (i) => this.#keep(i),
      onmix: (i) => this.#mix(i),
      onother: () => this.#otherSix(),
    });
    const body = el("div", {class: "draw-grid"}, this.#boardPanel(), this.view.large, this.view.small);
    const {picker, none} = chooseModel({studio, pageId: "draw", body, onchoose: (model) => this.#useModel(model)});
    root.append(pageHead("Draw", "Draw on the left; the model answers on the right.", picker), body, none);
    this.sketch.addEventListener("change", () => this.#changed());
    this.#changed();
  }

  #boardPanel() {
    this.tools = new DrawTools({
      board: this.board,
      sketch: this.sketch,
      onfile: (file) => this.#dropped(file),
      onsave: async () => download(await this.#drawing(SAVED_SIDE_PX), "drawing.png"),
    });
    this.tools.listenToKeys(() => this.shown);
    this.trace = new TraceBar({board: this.board, onadopt: (picture) => this.#adopt(picture)});
    this.invitation = el("div", {class: "board-invitation"}, icon("draw"), el("p", {}, "Draw here"));
    this.invitation.append(el("p", {class: "small"}, "or drop a sketch or a photo"));
    this.board.node.append(this.invitation);
    acceptDrops(this.board.node, ([file]) => this.#dropped(file));
    addEventListener("paste", (event) => {
      const [file] = filesOf(event.clipboardData);
      if (this.shown && file) this.#dropped(file);
    });
    const {bar, layers} = this.tools;
    return el(
      "section",
      {class: "panel board-panel", ariaLabel: "Your drawing"},
      bar,
      layers,
      this.board.node,
      this.trace.node,
    );
  }

  #useModel(model) {
    Object.assign(this, {model, answers: [], sixAreOf: ""});
    warm(model.name);
    this.looks.clear();
    this.looks.node.hidden = !model.latent;
    this.tools.useModel(model);
    this.view.useModel(model);
    this.ask();
  }

  #changed() {
    const empty = this.sketch.isEmpty("lines") && this.sketch.isEmpty("hints");
    this.invitation.hidden = !empty;
    this.tools.refresh(empty);
    this.ask();
  }

  // ---- pictures from outside

  /** Ask what a picture is meant for, and do it. @param {File} file */
  async #dropped(file) {
    const picture = await decode(file);
    if (!picture) return toast(`${file.name}: this browser cannot show such a file`, "error");
    const choice = await askWhatToDo(file, {look: this.model.latent, lines: !this.model.local});
    try {
      if (choice === "drawing") this.#adopt(toCanvas(picture));
      if (choice === "lines") this.#adopt(toCanvas(await decode(await drawLines(file))));
      if (choice === "trace") this.trace.use(URL.createObjectURL(file));
      if (choice === "look") await this.#readLook(file, "first");
    } catch (error) {
      toast(error.message, "error");
    }
  }

  /** Lay a picture on the board, to draw on from there. @param {HTMLCanvasElement} canvas */
  #adopt(canvas) {
    const picture = this.model.sketch ? keepInk(canvas) : canvas;
    this.sketch.add({kind: "stamp", layer: "lines", picture});
  }

  // ---- questions and answers

  /** The drawing on white paper. @param {number} side px */
  #drawing(side) {
    return toPng(onWhite(this.sketch.paint("lines", side)));
  }

  async #fields() {
    const side = this.model.size || 256;
    const hinted = this.model.hints && !this.sketch.isEmpty("hints");
    return {
      image: new File([await this.#drawing(side)], "drawing.png", {type: "image/png"}),
      hints: hinted ? await toPng(this.sketch.paint("hints", side)) : null,
      model: this.model.name,
    };
  }

  /** What the six answers depend on; while only the blend of looks changes, they need not be asked for again. */
  #question() {
    return JSON.stringify([this.model.name, this.model.updated, this.seed, this.sketch.version]);
  }

  /** Ask the model; an older question is withdrawn. The kept look is asked for first, since one answer is quicker. */
  async #ask() {
    this.controller.abort();
    const {signal} = (this.controller = new AbortController());
    if (!this.model) return;
    if (this.sketch.isEmpty("lines")) return this.#showNothing();
    const started = performance.now();
    const passed = () => `${((performance.now() - started) / 1000).toFixed(2)} s`;
    this.view.wait("Drawing …");
    try {
      const fields = await this.#fields();
      const {z} = this.looks;
      if (z) {
        const [picture] = await postForPictures("translate", {...fields, z}, signal);
        this.view.showLarge(picture);
        if (this.sixAreOf === this.#question()) return this.view.done(`Your look in ${passed()}.`);
        this.view.wait(`Your look in ${passed()}; six others …`);
      }
      const question = this.#question();
      const many = this.model.many ? {count: SIX, seed: this.seed} : {};
      const onsome = (answers) => this.#showSome(answers, !z);
      this.answers = await postForPictures("translate", {...fields, ...many}, signal, onsome);
      this.sixAreOf = question;
      this.view.show(this.answers, {large: !z});
      this.view.done(`${this.answers.length === 1 ? "The answer" : `${this.answers.length} answers`} in ${passed()}.`);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.view.fail(error.message);
    }
    this.#mark();
  }

  /** Show the first of several answers while the others are on their way. */
  #showSome(answers, large) {
    this.answers = answers;
    this.view.show(answers, {large: large && answers.length > this.view.chosen});
    this.view.wait(`${answers.length} of ${SIX} …`);
  }

  #showNothing() {
    Object.assign(this, {answers: [], sixAreOf: ""});
    this.view.showNothing(this.sketch.isEmpty("hints") ? "" : "Colours alone are no drawing yet: add a line.");
    this.#mark();
  }

  #otherSix() {
    this.seed += 1;
    this.ask();
  }

  // ---- looks

  #mark() {
    const kept = this.looks.first;
    this.view.mark(
      this.answers.findIndex((answer) => sameLook(kept?.z, answer.z)),
      Boolean(kept),
    );
  }

  #looksChanged() {
    this.#mark();
    this.ask();
  }

  #lookOf(i) {
    const {z, blob} = this.answers[i];
    return z && {z, blob, name: `answer ${i + 1}`};
  }

  /** Keep the look of an answer, or let go of it. @param {number} i */
  #keep(i) {
    const isKept = sameLook(this.looks.first?.z, this.answers[i].z);
    this.looks.set("first", isKept ? null : this.#lookOf(i));
    this.view.choose(i);
    if (this.looks.second) this.ask();
    else this.view.showLarge(this.answers[i]);
    this.#mark();
  }

  #mix(i) {
    if (!this.looks.first) this.looks.set("first", this.#lookOf(this.view.chosen));
    this.looks.set("second", this.#lookOf(i));
    this.#looksChanged();
  }

  /** Read the look of a photo. @param {File} file @param {"first"|"second"} slot */
  async #readLook(file, slot) {
    try {
      this.looks.set(slot, {z: await readLook(file, this.model.name), blob: file, name: file.name});
      this.#looksChanged();
    } catch (error) {
      toast(error.message, "error");
    }
  }
}
