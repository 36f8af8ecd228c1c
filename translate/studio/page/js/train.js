/**
 * The page Train: all runs, a new one, and two beside each other.
 * @module train
 */
import {getJson, postJson} from "./api.js";
import {button, el, pageHead, select, statusLine} from "./dom.js";
import {icon} from "./icons.js";
import {RunView, duration, stateChip} from "./run_view.js";
import {TrainForm} from "./train_form.js";

const LIST_MS = 5000;
// The training of `make demo`.
const DEMO = {task: "cycle", preset: "fast", name: "demo", options: {a: "photos", b: "monet", minutes: 5}};

/** @type {TrainPage|null} */
let current = null;

export const page = {
  id: "train",
  title: "Train",
  icon: "train",
  mount(root, studio) {
    current = new TrainPage(root, studio);
  },
  show() {
    current.show(true);
  },
  hide() {
    current.show(false);
  },
};

/** The state of the page. */
class TrainPage {
  constructor(root, studio) {
    Object.assign(this, {studio, runs: [], views: [], timer: 0, shown: true});
    this.form = new TrainForm({onstart: (name) => this.#open(name)});
    this.list = el("ul", {class: "run-list"});
    this.anew = button("New training", () => this.#open(""), {icon: "plus", kind: "primary"});
    this.beside = select({
      label: "Lay beside it",
      options: [["", "no other run"]],
      value: "",
      onchange: (name) => this.#showBeside(name),
    });
    this.status = statusLine();
    this.demo = this.#demoPanel();
    this.place = el("div", {class: "run-places"}, this.form.node);
    const side = el(
      "aside",
      {class: "panel stack runs-panel", ariaLabel: "Runs"},
      el("div", {class: "panel-head"}, el("h2", {}, "Runs"), this.anew),
      this.list,
      this.beside,
      this.status,
    );
    const text = "A training goes on when this page, or even the studio, is closed; the page finds it again.";
    root.append(pageHead("Train", text), this.demo, el("div", {class: "train-grid"}, side, this.place));
    this.place.addEventListener("run", () => this.#markDifferences());
    addEventListener("hashchange", () => this.#follow());
    document.addEventListener("visibilitychange", () => this.show(this.shown && !document.hidden));
    studio.onModels(() => (this.demo.hidden = studio.models.length > 0));
    this.#follow();
  }

  #demoPanel() {
    const start = button(
      "Start the demo",
      async () => {
        start.disabled = true;
        try {
          const known = this.runs.some((run) => run.name === DEMO.name);
          await (known ? postJson(`runs/${DEMO.name}/resume`, {}) : postJson("train", DEMO));
          this.#open(DEMO.name);
        } catch (error) {
          this.status.fail(error.message);
          if (error.status === 409) this.#open(DEMO.name);
        }
        start.disabled = false;
      },
      {icon: "play", kind: "primary"},
    );
    return el(
      "section",
      {class: "panel demo-panel", hidden: true},
      icon("train"),
      el(
        "div",
        {class: "grow"},
        el("h2", {}, "No model yet?"),
        el(
          "p",
          {class: "muted"},
          "The demo learns to paint photos like Monet, on this machine: it draws its own pictures and trains for five" +
            " minutes. Or choose pictures of your own below.",
        ),
      ),
      start,
    );
  }

  /** Follow the runs while the page is seen. @param {boolean} shown */
  show(shown) {
    if (!document.hidden) this.shown = shown;
    clearTimeout(this.timer);
    for (const view of this.views) view.show(shown);
    if (shown) this.#refresh();
  }

  async #refresh() {
    clearTimeout(this.timer);
    try {
      ({runs: this.runs} = await getJson("runs"));
      this.status.say("");
      this.#showList();
    } catch (error) {
      this.status.fail(error.message);
    }
    if (this.shown) this.timer = setTimeout(() => this.#refresh(), LIST_MS);
  }

  #showList() {
    const open = this.views[0]?.name;
    const key = JSON.stringify([this.runs, open]);
    if (key === this.drawn) return;
    this.drawn = key;
    const focused = document.activeElement?.dataset?.run;
    this.list.replaceChildren(...this.runs.map((run) => this.#row(run, run.name === open)));
    if (!this.runs.length) this.list.append(el("li", {class: "muted small"}, "No runs yet."));
    if (focused) [...this.list.querySelectorAll("[data-run]")].find((node) => node.dataset.run === focused)?.focus();
    this.beside.hidden = !open || this.runs.length < 2;
    this.beside.setOptions([
      ["", "no other run"],
      ...this.runs.filter((run) => run.name !== open).map((run) => [run.name, run.name]),
    ]);
  }

  #row(run, open) {
    const words = [
      run.task,
      run.steps ? `step ${run.step} of ${run.steps}` : "",
      run.seconds_left === null ? "" : `${duration(run.seconds_left)} left`,
    ]
      .filter(Boolean)
      .join(" · ");
    const row = el(
      "button",
      {type: "button", class: "run-row", data: {run: run.name}, on: {click: () => this.#open(run.name)}},
      el("span", {class: "run-row-name"}, run.name),
      stateChip(run.state),
      el("span", {class: "muted small run-row-words"}, words),
    );
    if (open) row.setAttribute("aria-current", "true");
    return el("li", {}, row);
  }

  // ---- what is open

  /** Open a run, or the form with "". @param {string} name */
  #open(name) {
    const hash = name ? `#train/${encodeURIComponent(name)}` : "#train";
    if (location.hash === hash) this.#follow();
    else location.hash = hash;
    this.#refresh();
  }

  /** Show what the address names. */
  #follow() {
    const [id, encoded = ""] = location.hash.slice(1).split("/");
    if (id !== "train") return;
    let name = "";
    try {
      name = decodeURIComponent(encoded);
    } catch {
      // a damaged address shows the form
    }
    if (name !== (this.views[0]?.name ?? "")) this.#show(name ? [name] : []);
  }

  #show(names) {
    for (const view of this.views) view.end();
    this.views = names.map(
      (name, i) =>
        new RunView(name, {
          onchange: () => (this.#refresh(), this.studio.refresh()),
          onclose: i ? () => this.#showBeside("") : undefined,
        }),
    );
    this.form.node.hidden = names.length > 0;
    this.place.append(...this.views.map((view) => view.node));
    this.place.classList.toggle("two", names.length > 1);
    this.#showList();
  }

  /** Lay another run beside the first one; "" takes it away. @param {string} name */
  #showBeside(name) {
    const [first] = this.views;
    this.beside.value = name;
    if (first) this.#show(name ? [first.name, name] : [first.name]);
  }

  /** Mark the options in which two runs differ. */
  #markDifferences() {
    const [one, two] = this.views;
    for (const view of this.views) {
      for (const row of view.options.children) {
        const {name} = row.dataset;
        row.classList.toggle(
          "differs",
          Boolean(two?.run && one.run) && one.run.options[name] !== two.run.options[name],
        );
      }
    }
  }
}
