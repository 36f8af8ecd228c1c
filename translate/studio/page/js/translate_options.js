/**
 * What can be chosen for a translation: direction, strength, look, and statistics or size.
 * @module translate_options
 */
import {el, segmented, select, slider} from "./dom.js";
import {directionName} from "./models.js";

const LAST_LOOK = 24; // as many as anyone tries; each is a seed
// prettier-ignore
const STATISTICS = [
  ["", "As in training"], ["exact", "Of each picture"],
  ["frozen", "Of a thumbnail"], ["local", "Of each neighbourhood"],
];

// prettier-ignore
const SIDES = [["512", "512 px"], ["1024", "1024 px"], ["2048", "2048 px"], ["0", "As it is"]];
const USUAL_SIDE = "1024"; // which a browser translates in seconds

/** The controls that fit a model; `nodes` are to be shown, in this order. */
export class TranslateOptions {
  /** @param {() => void} onchange */
  constructor(onchange) {
    this.onchange = onchange;
    this.direction = el("div", {});
    const share = {min: 0, max: 1, step: 0.05, value: 1, show: (x) => x.toFixed(2)};
    this.strength = slider({...share, label: "Strength", oninput: onchange});
    const show = (seed) => (seed ? `number ${seed}` : "the usual one");
    this.look = slider({label: "Look", min: 0, max: LAST_LOOK, step: 1, value: 0, show, oninput: onchange});
    this.stats = select({label: "Statistics of the norms", options: STATISTICS, value: "", onchange});
    this.more = el("details", {class: "more"}, el("summary", {}, "More options"), this.stats);
    this.side = select({label: "Longest side, at most", options: SIDES, value: USUAL_SIDE, onchange});
    this.nodes = [this.direction, this.strength, this.look, this.side, this.more];
  }

  /** @param {Object} model the first of the models; a second one follows its options */
  useModel(model) {
    const ways = model.directions.length ? model.directions : ["ab"];
    const options = ways.map((way) => [way, directionName(model, way)]);
    this.way = segmented({label: "Direction", options, value: ways[0], onchange: this.onchange});
    this.way.classList.add("upright");
    this.direction.replaceChildren(this.way);
    this.strength.hidden = !model.strength;
    this.strength.value = model.default_strength ?? 1;
    this.look.hidden = !model.many;
    this.side.hidden = !model.local;
    this.more.hidden = Boolean(model.local);
  }

  /** The fields of a request to a model; a result of other fields is out of date. @param {Object} model */
  fields(model) {
    return {
      model: model.name,
      direction: model.directions.includes(this.way.value) ? this.way.value : model.directions[0],
      strength: model.strength ? this.strength.value : null,
      stats: this.stats.value,
      side: model.local ? Number(this.side.value) : null,
      seed: model.many && this.look.value ? this.look.value : null,
    };
  }
}
