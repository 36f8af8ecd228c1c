/**
 * The page Generate: a sheet of samples.
 * @module generate
 */
import {postForPictures} from "./api.js";
import {button, download, el, pageHead, select, showBlob, statusLine} from "./dom.js";

const SHEET = 12; // samples that are drawn at once

export const page = {
  id: "generate",
  title: "Generate",
  icon: "generate",
  mount(root, studio) {
    new GeneratePage(root, studio.modelsFor("generate")[0]);
  },
};

/** The state of the page, and its parts. */
class GeneratePage {
  constructor(root, model) {
    Object.assign(this, {next: 0, label: "", chosen: null, controller: new AbortController()});
    const body = el("div", {class: "columns aside"}, this.#sheetPanel(model.labels), this.#chosenPanel());
    root.append(pageHead("Generate", "New pictures from a model. Choose one to see it large, and keep it."), body);
    this.#draw();
  }

  #sheetPanel(labels) {
    const options = [["", "All"], ...labels.map((label, i) => [String(i), label.replaceAll("_", " ")])];
    const onchange = (label) => ((this.label = label), this.#restart());
    const label = select({label: "Label", options, value: "", onchange});
    label.hidden = !labels.length;
    this.sheet = el("div", {class: "cards"});
    this.more = button("More", () => this.#draw(), {icon: "plus"});
    this.status = statusLine();
    const row = el("div", {class: "row"}, this.more, this.status);
    return el("section", {class: "panel stack", ariaLabel: "Samples"}, label, this.sheet, row);
  }

  #chosenPanel() {
    this.title = el("h2", {}, "No sample chosen");
    this.image = el("img", {alt: "", hidden: true});
    const save = () => download(this.chosen.blob, this.chosen.name);
    this.save = button("Download this picture", save, {icon: "download", iconOnly: true, kind: "quiet"});
    this.save.disabled = true;
    const head = el("div", {class: "panel-head"}, this.title, this.save);
    return el("aside", {class: "panel chosen-sample", ariaLabel: "The chosen sample"}, head, this.image);
  }

  #restart() {
    this.next = 0;
    this.sheet.replaceChildren();
    this.#draw();
  }

  /** Draw the next samples; each is shown as soon as it is there. */
  async #draw() {
    this.controller.abort();
    const {signal} = (this.controller = new AbortController());
    const [first, started] = [this.next, performance.now()];
    const show = (samples) => {
      for (const sample of samples.slice(this.next - first)) this.#show(sample);
      this.status.busy(`${this.next - first} of ${SHEET} …`);
    };
    this.status.busy("Drawing …");
    try {
      show(await postForPictures("generate", {seed: first, count: SHEET, label: this.label}, signal, show));
      this.status.say(`${SHEET} samples in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
    } catch (error) {
      if (error.name !== "AbortError") this.status.fail(error.message);
    }
  }

  #show(sample) {
    const seed = this.next;
    this.next += 1;
    const image = el("img", {alt: ""});
    showBlob(image, sample.blob);
    const label = `Sample ${seed}`;
    const choose = el("button", {type: "button", class: "picture", ariaLabel: label, title: label}, image);
    const card = el("div", {class: "card"}, choose);
    choose.addEventListener("click", () => this.#choose(card, sample, label));
    this.sheet.append(card);
    if (!this.chosen) this.#choose(card, sample, label);
  }

  #choose(card, sample, label) {
    this.chosen = sample;
    for (const other of this.sheet.children) {
      other.classList.toggle("chosen", other === card);
      other.firstChild.setAttribute("aria-pressed", String(other === card));
    }
    showBlob(this.image, sample.blob);
    Object.assign(this.image, {alt: label, hidden: false});
    this.title.textContent = label;
    this.save.disabled = false;
  }
}
