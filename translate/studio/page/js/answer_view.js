/**
 * The answers to a drawing: one large, and small ones to choose from.
 * @module answer_view
 */
import {button, download, el, showBlob, statusLine} from "./dom.js";
import {icon} from "./icons.js";

/** @typedef {{name: string, blob: Blob, z: number[]|null}} Answer */

/** Two panels. Places of pictures are kept free before they come, so that nothing jumps. */
export class AnswerView {
  /**
   * @param {{count: number, looks: HTMLElement, onkeep: (i: number) => void, onmix: (i: number) => void,
   *   onother: () => void}} options looks: is shown below the large answer
   */
  constructor({count, looks, onkeep, onmix, onother}) {
    Object.assign(this, {onkeep, onmix, chosen: 0, picture: null, answers: []});
    this.status = statusLine();
    this.large = this.#largePanel(looks);
    this.cards = Array.from({length: count}, (_, i) => this.#card(i));
    const other = button("Six other looks", onother, {icon: "again", iconOnly: true, kind: "quiet"});
    this.small = el(
      "section",
      {class: "panel six-panel", ariaLabel: "Six looks"},
      el("div", {class: "panel-head"}, el("h2", {}, "Six looks"), other),
      el("div", {class: "cards six"}, ...this.cards.map((card) => card.node)),
      el("p", {class: "muted small"}, "Choose one to keep its look while you go on drawing."),
    );
  }

  #largePanel(looks) {
    this.image = el("img", {alt: "The answer to your drawing", hidden: true});
    this.hint = el("p", {class: "hero-hint"}, "Draw a few lines, and the answers appear here.");
    this.save = button("Download this picture", () => download(this.picture.blob, this.picture.name), {
      icon: "download",
      iconOnly: true,
      kind: "quiet",
    });
    this.keptChip = el("span", {class: "chip accent", hidden: true}, icon("keep"), "look kept");
    return el(
      "section",
      {class: "panel answer-panel", ariaLabel: "The answer"},
      el("div", {class: "panel-head"}, el("h2", {}, "Answer"), this.keptChip, this.save),
      el("div", {class: "hero"}, this.image, this.hint),
      this.status,
      looks,
    );
  }

  #card(i) {
    const small = {iconOnly: true, kind: "small"};
    const image = el("img", {alt: `Answer ${i + 1}`, hidden: true});
    const choose = el("button", {type: "button", class: "picture", disabled: true}, image);
    choose.ariaLabel = `Keep the look of answer ${i + 1}`;
    choose.addEventListener("click", () => this.onkeep(i));
    const mix = button(`Blend with the look of answer ${i + 1}`, () => this.onmix(i), {...small, icon: "mix"});
    const saveThis = () => download(this.answers[i].blob, this.answers[i].name);
    const save = button(`Download answer ${i + 1}`, saveThis, {...small, icon: "download"});
    const tools = el("div", {class: "card-tools", hidden: true}, mix, save);
    return {node: el("div", {class: "card"}, choose, tools), image, choose, tools, mix};
  }

  /** @param {Object} model */
  useModel(model) {
    this.chosen = 0;
    this.answers = [];
    this.small.hidden = !model.many;
    this.small.parentElement?.classList.toggle("single", !model.many);
  }

  /** Say that answers are on their way. @param {string} text */
  wait(text) {
    this.status.busy(text);
    this.cards.forEach((card, i) => card.node.classList.toggle("waiting", !this.answers[i]));
  }

  #stopWaiting() {
    for (const card of this.cards) card.node.classList.remove("waiting");
  }

  /** @param {string} line what has come, and how soon */
  done(line) {
    this.#stopWaiting();
    this.status.say(line);
  }

  /** @param {string} line */
  fail(line) {
    this.#stopWaiting();
    this.status.fail(line);
  }

  /** Empty all places. @param {string} line why */
  showNothing(line) {
    Object.assign(this, {answers: [], picture: null});
    this.#stopWaiting();
    this.image.hidden = this.save.disabled = true;
    this.hint.hidden = false;
    for (const card of this.cards) card.image.hidden = card.tools.hidden = card.choose.disabled = true;
    this.status.say(line);
  }

  /** @param {Answer[]} answers @param {{large: boolean}} options whether the chosen one is shown large */
  show(answers, {large}) {
    this.answers = answers;
    this.#stopWaiting();
    answers.slice(0, this.cards.length).forEach((answer, i) => {
      const card = this.cards[i];
      showBlob(card.image, answer.blob);
      card.image.hidden = card.tools.hidden = card.choose.disabled = false;
      card.mix.hidden = !answer.z;
    });
    if (large) this.showLarge(answers[Math.min(this.chosen, answers.length - 1)]);
  }

  /** @param {Answer} picture */
  showLarge(picture) {
    this.picture = picture;
    showBlob(this.image, picture.blob);
    this.image.hidden = this.save.disabled = false;
    this.hint.hidden = true;
  }

  /** @param {number} i the answer that is shown large from now on */
  choose(i) {
    this.chosen = i;
  }

  /**
   * Mark the answer whose look is kept; while none is kept, the one that is shown large.
   * @param {number} kept its number, or -1
   * @param {boolean} any whether some look is kept, be it of an answer or of a photo
   */
  mark(kept, any) {
    this.keptChip.hidden = !any;
    this.cards.forEach((card, i) => {
      const shown = !any && i === this.chosen && this.answers.length > 1;
      card.node.classList.toggle("chosen", i === kept || shown);
      card.choose.setAttribute("aria-pressed", String(i === kept));
    });
  }
}
