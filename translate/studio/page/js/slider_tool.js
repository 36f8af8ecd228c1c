/**
 * Sliders of the directions along which the pictures of a model vary most.
 * @module slider_tool
 */
import {getJson} from "./api.js";
import {button, el, showBlob, slider, statusLine} from "./dom.js";
import {newestOnly, pointOf} from "./samples.js";

const SHOWN = 6; // directions
const REACH = 3; // standard deviations

export class SliderTool {
  id = "sliders";
  title = "Move";

  constructor(desk) {
    this.desk = desk;
    this.sliders = [];
    this.row = el("div", {class: "stack sliders"});
    this.status = statusLine();
    this.reset = button("Reset", () => this.useSample(desk.chosen, true), {icon: "undo"});
    this.keepIt = button(
      "Keep",
      () => this.result && desk.keep(this.result, `Moved ${desk.chosen.title.toLowerCase()}`),
      {icon: "keep", kind: "primary"},
    );
    this.node = el(
      "div",
      {class: "stack tool"},
      this.row,
      this.status,
      el("div", {class: "row"}, this.keepIt, this.reset),
    );
    this.move = newestOnly((amounts) => this.#move(amounts));
  }

  async useModel(model) {
    this.row.replaceChildren();
    try {
      const {directions} = await getJson(`directions?model=${encodeURIComponent(model.name)}`);
      if (this.desk.model !== model) return;
      this.sliders = directions.slice(0, SHOWN).map(({index, share}) =>
        slider({
          label: `Direction ${index + 1} · ${Math.round(100 * share)} %`,
          min: -REACH,
          max: REACH,
          step: 0.1,
          value: 0,
          show: (value) => value.toFixed(1),
          oninput: () => this.move(this.amounts),
        }),
      );
      this.row.replaceChildren(...this.sliders);
    } catch (error) {
      this.status.fail(error.message);
    }
  }

  /**
   * Start from a sample.
   * @param {import("./samples.js").Sample} sample
   * @param {boolean} [show] whether to show it again
   */
  useSample(sample, show = false) {
    this.result = null;
    this.keepIt.disabled = this.reset.disabled = true;
    for (const one of this.sliders) one.value = 0;
    if (show && sample) showBlob(this.desk.image, sample.blob);
    this.status.say("");
  }

  get amounts() {
    return this.sliders.map((one) => one.value);
  }

  async #move(amounts) {
    const {desk} = this;
    const sample = desk.chosen;
    if (!sample) return;
    try {
      const [moved] = await desk.draw([pointOf(sample)], {amounts});
      if (desk.chosen !== sample) return;
      this.result = moved;
      this.keepIt.disabled = this.reset.disabled = false;
      showBlob(desk.image, moved.blob);
      this.status.say("");
    } catch (error) {
      this.status.fail(error.message);
    }
  }
}
