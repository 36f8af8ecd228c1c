/**
 * The page Fill: paint over what should go, and the model fills the hole.
 * @module fill
 */
import {postForPictures, warm} from "./api.js";
import {Board} from "./board.js";
import {compare} from "./compare.js";
import {boardKeys, commonTools} from "./board_tools.js";
import {acceptDrops, button, download, dropzone, el, fileButton, pageHead, segmented, showBlob} from "./dom.js";
import {slider, statusLine, toast} from "./dom.js";
import {icon} from "./icons.js";
import {chooseModel} from "./models.js";
import {decode, filesOf, maskToStamp, toCanvas, toMask, toPng} from "./pictures.js";
import {Sketch} from "./sketch.js";

const HOLE = "#e5484d"; // seen well on most pictures
const HOLE_RGB = [229, 72, 77];
const MAX_MASK_SIDE_PX = 16384; // more than any browser's canvas
const MAX_ANSWERS = 4;
const COMMON_BOARD_PX = 480; // the unit of widths, so that holes do not depend on the size of the window
const WIDTH_PX = 36;
const BOARD_LABEL = "Your picture. Paint over what should be filled; with the keyboard, choose a mask file.";

/** @type {FillPage|null} */
let current = null;

export const page = {
  id: "fill",
  title: "Fill",
  icon: "fill",
  mount(root, studio) {
    current = new FillPage(root, studio);
  },
  show() {
    current.shown = true;
  },
  hide() {
    current.shown = false;
  },
};

/** The state of the page, and its parts. */
class FillPage {
  constructor(root, studio) {
    Object.assign(this, {model: null, file: null, size: null, transparent: false, shown: true});
    Object.assign(this, {answers: [], chosen: 0, seed: 0, job: null});
    this.sketch = new Sketch();
    this.board = new Board(this.sketch, ["hole"], BOARD_LABEL);
    this.board.use({colour: HOLE, layer: "hole"});
    this.status = statusLine();
    const body = el("div", {class: "columns fill-columns"}, this.#boardPanel(), this.#answerPanel());
    const {picker, none} = chooseModel({studio, pageId: "fill", body, onchoose: (model) => this.#useModel(model)});
    const text = "Paint over what should go. Everything else stays as it is, bit for bit.";
    root.append(pageHead("Fill", text, picker), body, none);
    this.sketch.addEventListener("change", () => this.#refresh());
    addEventListener("paste", (event) => {
      const [file] = filesOf(event.clipboardData);
      if (this.shown && file) this.open(file);
    });
    this.#refresh();
  }

  #boardPanel() {
    this.tools = commonTools({
      board: this.board,
      sketch: this.sketch,
      draw: ["brush", "Brush (B)"],
      clear: "Clear the hole",
    });
    boardKeys(this.sketch, () => this.shown, {b: () => this.tools.use("draw"), e: () => this.tools.use("erase")});
    const useWidth = (px) => this.board.use({width: px / COMMON_BOARD_PX});
    this.width = slider({label: "Width", min: 4, max: 120, step: 2, value: WIDTH_PX, oninput: useWidth});
    this.width.classList.add("tool-width");
    useWidth(WIDTH_PX);
    const hint = "or choose one, or paste it";
    this.drop = dropzone({label: "Drop a picture here", hint, accept: "image/*", onfiles: ([file]) => this.open(file)});
    this.drop.classList.add("large");
    this.toolbar = this.#toolbar();
    this.board.backdrop.hidden = false;
    acceptDrops(this.board.node, ([file]) => this.open(file));
    const parts = [this.toolbar, this.drop, this.board.node];
    return el("section", {class: "panel board-panel", ariaLabel: "Your picture"}, ...parts);
  }

  #toolbar() {
    const {draw, erase, undo, redo, clear} = this.tools;
    const maskLabel = "Use a mask file: white, or transparent, is the hole";
    const mask = fileButton(maskLabel, "fill", (file) => this.useMask(file));
    const other = fileButton("Another picture", "image", (file) => this.open(file));
    const bar = el("div", {class: "toolbar", attrs: {role: "toolbar", "aria-label": "Tools"}});
    bar.append(draw, erase, this.width, el("span", {class: "sep"}), undo, redo, clear);
    bar.append(el("span", {class: "grow"}), mask, other);
    return bar;
  }

  #answerPanel() {
    this.view = compare({before: "Before", after: "Filled"});
    this.hint = el("div", {class: "empty fill-hint"}, icon("fill"), (this.hintText = el("p", {})));
    this.count = segmented({
      label: "Answers",
      options: [
        ["1", "1"],
        ["2", "2"],
        ["4", "4"],
      ],
      value: "1",
      onchange: () => {},
    });
    this.count.classList.add("inline");
    this.go = button("Fill the hole", () => this.fill(), {icon: "fill", kind: "primary"});
    this.cancel = button("Cancel", () => this.job?.abort(), {icon: "stop"});
    this.again = button("Others", () => ((this.seed += 1), this.fill()), {
      icon: "again",
      title: "Other answers to the same hole",
    });
    this.save = button("Download", () => this.#save(), {icon: "download", iconOnly: true, kind: "quiet"});
    this.goOn = button("Go on from this answer", () => this.#goOn(), {icon: "brush", iconOnly: true, kind: "quiet"});
    this.cards = Array.from({length: MAX_ANSWERS}, (_, i) => this.#card(i));
    this.row = el("div", {class: "cards fill-cards"}, ...this.cards.map((card) => card.node));
    const bar = el("div", {class: "toolbar"}, this.go, this.cancel, this.count, this.again);
    bar.append(el("span", {class: "grow"}), this.goOn, this.save);
    const parts = [bar, this.view, this.hint, this.row, this.status];
    return el("section", {class: "panel answer-panel stack", ariaLabel: "Answers"}, ...parts);
  }

  #card(i) {
    const image = el("img", {alt: `Answer ${i + 1}`});
    const choose = el(
      "button",
      {type: "button", class: "picture", ariaLabel: `Show answer ${i + 1}`, on: {click: () => this.#choose(i)}},
      image,
    );
    return {node: el("div", {class: "card", hidden: true}, choose), image, choose};
  }

  #useModel(model) {
    this.model = model;
    if (this.shown) warm(model.name);
    this.count.hidden = !model.many;
    this.#refresh();
  }

  // ---- the picture and its hole

  /** Take a picture. @param {File|Blob} file */
  async open(file) {
    const picture = await decode(file);
    if (!picture)
      return toast(
        `${file.name}: browsers cannot show such a file, so nothing can be painted on it; translate_folder fills it`,
        "error",
      );
    this.job?.abort();
    Object.assign(this, {
      file,
      size: [picture.width, picture.height],
      answers: [],
      transparent: hasTransparency(picture),
    });
    showBlob(this.board.backdrop, file);
    for (const node of [this.view, this.row]) node.style.setProperty("--ratio", picture.width / picture.height);
    this.sketch.reset(picture.height / picture.width);
    picture.close();
    this.status.say("");
    this.#showAnswers([]);
  }

  /** Take the hole from a mask. @param {File} file */
  async useMask(file) {
    const mask = await decode(file);
    if (!this.file || !mask)
      return toast(this.file ? `${file.name}: this browser cannot read it` : "Choose a picture first", "error");
    if (mask.width !== this.size[0] || mask.height !== this.size[1]) {
      return toast(
        `${file.name}: is ${mask.width} x ${mask.height} px, the picture ${this.size.join(" x ")}; make them one size`,
        "error",
      );
    }
    this.sketch.clear();
    this.sketch.add({kind: "stamp", layer: "hole", picture: maskToStamp(toCanvas(mask, MAX_MASK_SIDE_PX), HOLE_RGB)});
  }

  #refresh() {
    const painted = !this.sketch.isEmpty("hole");
    const [busy, ready] = [Boolean(this.job), Boolean(this.file && this.model && (painted || this.transparent))];
    this.tools.refresh(!painted);
    this.drop.hidden = Boolean(this.file);
    this.board.node.hidden = this.toolbar.hidden = !this.file;
    this.go.disabled = this.again.disabled = !ready;
    this.go.hidden = busy;
    this.cancel.hidden = !busy;
    this.again.hidden = !this.answers.length || !this.model?.many;
    this.save.disabled = this.goOn.disabled = !this.answers.length;
    this.view.hidden = !this.answers.length;
    this.hint.hidden = this.answers.length > 0;
    this.hintText.textContent = !this.file
      ? "Choose a picture first."
      : painted
        ? "Now fill the hole."
        : this.transparent
          ? "The transparent part of this picture is the hole. Fill it, or paint another."
          : "Paint over what should go, then fill the hole.";
  }

  // ---- the answers

  async fill() {
    this.job?.abort();
    const job = (this.job = new AbortController());
    const started = performance.now();
    const count = this.model.many ? Number(this.count.value) : 1;
    this.#refresh();
    this.status.busy("Filling …");
    try {
      const mask = this.sketch.isEmpty("hole")
        ? null
        : await toPng(toMask(this.sketch.paint("hole", this.size[0], undefined, this.size[1])));
      const many = this.model.many && (count > 1 || this.seed) ? {count, seed: this.seed} : {};
      const answers = await postForPictures(
        "fill",
        {image: this.file, mask, model: this.model.name, ...many},
        job.signal,
      );
      this.#showAnswers(answers);
      const seconds = ((performance.now() - started) / 1000).toFixed(2);
      this.status.say(answers.length === 1 ? `Filled in ${seconds} s.` : `${answers.length} answers in ${seconds} s.`);
    } catch (error) {
      if (error.name === "AbortError") this.status.say("Cancelled.");
      else this.status.fail(error.message);
    }
    if (this.job === job) this.job = null;
    this.#refresh();
  }

  #showAnswers(answers) {
    this.answers = answers;
    this.cards.forEach((card, i) => {
      card.node.hidden = answers.length < 2 || !answers[i];
      if (answers[i]) showBlob(card.image, answers[i].blob);
    });
    if (answers.length) this.#choose(Math.min(this.chosen, answers.length - 1));
    this.#refresh();
  }

  #choose(i) {
    this.chosen = i;
    this.view.show(this.file, this.answers[i].blob);
    this.cards.forEach((card, k) => {
      card.node.classList.toggle("chosen", k === i);
      card.choose.setAttribute("aria-pressed", String(k === i));
    });
  }

  #save() {
    const answer = this.answers[this.chosen];
    download(answer.blob, answer.name);
  }

  #goOn() {
    const answer = this.answers[this.chosen];
    this.open(new File([answer.blob], answer.name, {type: answer.blob.type}));
  }
}

/** Whether some pixels of a picture are not opaque. @param {ImageBitmap} picture */
function hasTransparency(picture) {
  const canvas = toCanvas(picture, 512);
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 3; i < data.length; i += 4) if (data[i] < 250) return true;
  return false;
}
