/**
 * The form of a new training: task, pictures, preset, length and options; and the command that they make.
 * @module train_form
 */
import {getJson, postJson} from "./api.js";
import {button, checkbox, debounce, el, segmented, select, statusLine, toast, uniqueId} from "./dom.js";
import {dataCheck} from "./data_check.js";
import {fittingSets, placeField} from "./place_field.js";
import {commandLine} from "./run_view.js";

const WAY_LABELS = {"a,b": "Two folders", data: "One folder of both", images: "Pictures"};
const LENGTHS = [
  ["minutes", "minutes"],
  ["steps", "steps"],
  ["epochs", "epochs"],
];

/** What a kind of data may say beside its folders: [option, words]. */
const SWITCHES = {
  images: [["labels", "learn their classes, from folders or a table", "auto"]],
  paired: [
    ["hints", "colour hints: strokes of colour as further input", true],
    ["direction", "the other way: from second to first", "ba"],
  ],
  masked: [],
  unpaired: [],
};

/** The form; `node` is shown in the page. */
export class TrainForm {
  /** @param {{onstart: (name: string) => void}} options */
  constructor({onstart}) {
    Object.assign(this, {onstart, offer: null, values: {}, switches: {}, way: "", named: false});
    this.status = statusLine();
    this.command = commandLine();
    this.node = el(
      "section",
      {class: "panel stack train-form", ariaLabel: "New training"},
      el("h2", {}, "New training"),
      this.status,
    );
    this.preview = debounce(() => this.#preview(), 250);
    this.#load();
  }

  async #load() {
    try {
      this.offer = await getJson("train");
      this.status.say("");
      this.#build();
    } catch (error) {
      this.status.fail(error.message);
    }
  }

  #build() {
    const {tasks} = this.offer;
    this.task = tasks.find((task) => task.name === "cycle") ?? tasks[0];
    this.tasks = select({
      label: "What should it learn?",
      value: this.task.name,
      options: tasks.map((task) => [task.name, task.title === task.name ? task.name : `${task.title} (${task.name})`]),
      onchange: (name) => this.#useTask(name),
    });
    this.ways = el("div", {});
    this.inputs = el("div", {class: "inputs"});
    this.switchRow = el("div", {class: "switches"});
    this.check = dataCheck(() => this.#form());
    this.preset = select({label: "Preset", options: [], value: "fast", onchange: () => this.#usePreset()});
    this.unit = select({label: "Length in", options: LENGTHS, value: "minutes", onchange: () => this.#usePreset()});
    this.length = this.#field("Length", "length", "number");
    this.size = this.#field("Picture size, px", "size", "text", "auto");
    this.batch = this.#field("Batch size", "batch_size", "number");
    this.rate = this.#field("Learning rate", "train.lr", "number");
    this.seed = this.#field("Seed", "seed", "number", "0");
    this.init = this.#field("Start from the run", "init", "text", "new weights");
    this.name = this.#field("Name of the run", "name", "text");
    this.name.input.addEventListener("input", () => (this.named = this.name.input.value !== ""));
    this.further = el("textarea", {
      rows: 3,
      spellcheck: false,
      placeholder: "generator.width = 48\nmethod.lambda_identity = 0.5",
      on: {input: this.preview},
    });
    this.further.id = uniqueId();
    this.start = button("Start the training", () => this.#start(), {icon: "play", kind: "primary"});
    this.node.replaceChildren(
      el("h2", {}, "New training"),
      this.tasks,
      this.ways,
      this.inputs,
      this.switchRow,
      this.check,
      el("div", {class: "fields"}, this.preset, this.length.node, this.unit, this.name.node),
      el(
        "details",
        {class: "more"},
        el("summary", {}, "More options"),
        el(
          "div",
          {class: "stack"},
          el("div", {class: "fields"}, this.size.node, this.batch.node, this.rate.node, this.seed.node, this.init.node),
          el(
            "div",
            {class: "field"},
            el("label", {htmlFor: this.further.id}, "Keys of the recipe, one a line (train --help-all lists them)"),
            this.further,
          ),
        ),
      ),
      el("h3", {}, "The command that this runs"),
      this.command,
      this.status,
      el("div", {class: "row"}, this.start),
    );
    this.#useTask(this.task.name);
  }

  #field(label, option, type, placeholder = "") {
    const id = uniqueId();
    const input = el("input", {
      id,
      type,
      placeholder,
      spellcheck: false,
      autocomplete: "off",
      on: {input: () => this.preview()},
    });
    if (type === "number") Object.assign(input, {min: 0, step: "any", inputMode: "decimal"});
    return {node: el("div", {class: "field"}, el("label", {htmlFor: id}, label), input), input, option};
  }

  // ---- task and pictures

  #useTask(name) {
    this.task = this.offer.tasks.find((task) => task.name === name);
    const ways = this.task.inputs.map((way) => way.join(","));
    this.#useWay(ways[0]);
    this.ways.replaceChildren(
      ...(ways.length > 1
        ? [
            segmented({
              label: "Given as",
              value: ways[0],
              options: ways.map((way) => [way, WAY_LABELS[way] ?? way]),
              onchange: (way) => this.#useWay(way),
            }),
          ]
        : []),
    );
    this.switches = {};
    this.switchRow.replaceChildren(
      ...(SWITCHES[this.task.kind] ?? []).map(([option, label, value]) =>
        checkbox({
          label,
          checked: false,
          onchange: (on) => ((this.switches[option] = on ? value : null), this.preview()),
        }),
      ),
    );
    this.preset.setOptions(
      this.task.presets.map((preset) => [preset.name, preset.name]),
      "fast",
    );
    this.#usePreset();
  }

  #useWay(way) {
    this.way = way;
    this.values = {};
    this.check.clear();
    const {catalog} = this.offer;
    const fields = way
      .split(",")
      .map((name) =>
        placeField(name, fittingSets(catalog, this.task.kind, name), (value) => this.#usePlace(name, value)),
      );
    this.inputs.replaceChildren(...fields);
    this.preview();
  }

  #usePlace(name, value) {
    this.values[name] = value;
    this.check.clear();
    if (!this.named) this.name.input.value = this.#suggestName();
    this.preview();
  }

  #suggestName() {
    const words = this.way
      .split(",")
      .map((name) => (this.values[name] ?? "").split("/").filter(Boolean).at(-1) ?? "")
      .filter(Boolean);
    return words
      .join("2")
      .replace(/[^A-Za-z0-9_.-]+/g, "_")
      .replace(/^[^A-Za-z0-9]+/, "")
      .slice(0, 60);
  }

  // ---- the command

  #usePreset() {
    const preset = this.task.presets.find((one) => one.name === this.preset.value) ?? this.task.presets[0];
    const usual = LENGTHS.map(([name]) => name).find((name) => preset[name]);
    this.length.input.placeholder = preset[this.unit.value]
      ? String(preset[this.unit.value])
      : `the preset's, ${preset[usual]} ${usual}`;
    this.batch.input.placeholder = String(preset.batch_size);
    this.preview();
  }

  #form() {
    const number = ({input}) => (input.value === "" ? null : input.valueAsNumber);
    const size = this.size.input.value.trim();
    return {
      task: this.task.name,
      preset: this.preset.value,
      name: this.name.input.value.trim(),
      further: this.further.value,
      options: {
        ...this.values,
        ...this.switches,
        [this.unit.value]: number(this.length),
        size: /^\d+$/.test(size) ? Number(size) : size,
        batch_size: number(this.batch),
        "train.lr": number(this.rate),
        seed: number(this.seed),
        init: this.init.input.value.trim(),
      },
    };
  }

  /** Show the command of the form as it is filled in; what is still missing is no error yet. */
  async #preview() {
    const ready = this.way.split(",").every((name) => this.values[name]) && this.name.input.value;
    this.start.disabled = true;
    if (!ready) {
      this.command.text = "";
      return this.status.say("Choose the pictures, and it is shown here.");
    }
    const asked = (this.asked = JSON.stringify(this.#form()));
    try {
      const {command} = await postJson("train/command", JSON.parse(asked));
      if (asked !== this.asked) return undefined;
      this.command.text = command;
      this.start.disabled = false;
      return this.status.say("");
    } catch (error) {
      if (asked === this.asked) this.status.fail(error.message);
      return undefined;
    }
  }

  async #start() {
    this.start.disabled = true;
    this.status.busy("starting ...");
    try {
      const {name} = await postJson("train", this.#form());
      this.status.say("");
      toast(`${name} is being trained`);
      this.onstart(name);
    } catch (error) {
      this.status.fail(error.message);
    }
    this.start.disabled = false;
  }
}
