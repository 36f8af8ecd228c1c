/**
 * Sums of samples, A - B + C: what A has and B lacks, given to C.
 * @module sum_tool
 */
import {postJson} from "./api.js";
import {button, el, showBlob, statusLine} from "./dom.js";
import {newestOnly, pointOf, slot} from "./samples.js";

const SIGNS = {A: 1, B: -1, C: 1};

export class SumTool {
  id = "sum";
  title = "Add";

  constructor(desk) {
    this.desk = desk;
    this.sum = newestOnly(() => this.#sum());
    this.slots = Object.fromEntries(
      Object.keys(SIGNS).map((name) => [name, slot({label: name, desk, many: true, onchange: () => this.sum(true)})]),
    );
    const sign = (text) => el("span", {class: "sign", ariaHidden: "true"}, text);
    this.image = el("img", {alt: "The sum", hidden: true});
    this.keepIt = button("Keep", () => this.result && desk.keep(this.result, "Sum"), {icon: "keep", kind: "primary"});
    this.clear = button("Clear", () => Object.values(this.slots).forEach((one) => one.set([])), {icon: "clear"});
    this.status = statusLine();
    this.node = el(
      "div",
      {class: "stack tool"},
      el(
        "p",
        {class: "muted small"},
        "Drop samples into A − B + C, several into each: glasses_men − men + women gives women with glasses.",
      ),
      el("div", {class: "slots sum"}, this.slots.A, sign("−"), this.slots.B, sign("+"), this.slots.C),
      this.status,
      el("div", {class: "result"}, this.image),
      el("div", {class: "row"}, this.keepIt, this.clear),
    );
    this.#sum();
  }

  useModel() {
    Object.values(this.slots).forEach((one) => one.set([]));
  }

  useSample() {}

  add(name, sample) {
    this.slots[name].add(sample);
  }

  async #sum() {
    const terms = Object.entries(this.slots ?? {})
      .filter(([, one]) => one.samples.length)
      .map(([name, one]) => ({factor: SIGNS[name], points: one.samples.map(pointOf)}));
    if (!this.status) return;
    const ready = terms.some((term) => term.factor > 0);
    this.keepIt.disabled = this.image.hidden = !ready;
    this.status.say(ready ? "" : "A or C first: something has to be added.");
    if (!ready) return;
    try {
      [this.result] = this.desk.samplesOf(await postJson("arithmetic", {...this.desk.setting, terms}));
      showBlob(this.image, this.result.blob);
    } catch (error) {
      this.status.fail(error.message);
    }
  }
}
