/**
 * One run: its state, samples over time, curves, health, command; a run of anybody, trained here or elsewhere.
 * @module run_view
 */
import {call, getJson} from "./api.js";
import {chart} from "./chart.js";
import {button, el, progressBar, slider, statusLine, toast} from "./dom.js";

const LIVE_MS = 2000;
const STILL_MS = 15000;
const STATES = {
  training: ["in training", "accent"],
  starting: ["starting", "accent"],
  finished: ["finished", "good"],
  stopped: ["stopped", ""],
  failed: ["failed", "bad"],
};

/** "3 min" of seconds. @param {number} seconds */
export function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** A chip with the state of a run. @param {string} state */
export function stateChip(state) {
  const [words, kind] = STATES[state] ?? [state, ""];
  return el("span", {class: `chip ${kind}`}, words);
}

/** A command that can be copied. @returns {HTMLElement & {text: string}} */
export function commandLine() {
  const code = el("code", {class: "code", tabIndex: 0});
  const copy = button("Copy", async () => {
    await copyText(code.textContent);
    toast("Copied");
  });
  copy.classList.add("btn-small");
  const node = el("div", {class: "command"}, code, copy);
  return Object.defineProperty(node, "text", {
    get: () => code.textContent,
    set: (text) => {
      if (code.textContent !== text) code.textContent = text; // a selection stays
      node.hidden = !text;
    },
  });
}

/** Copy a text, also where the page is not served securely and browsers offer no clipboard. @param {string} text */
async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = el("textarea", {value: text, class: "visually-hidden"});
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  return undefined;
}

/** The view of a run, which follows it while the page is shown. */
export class RunView {
  /**
   * @param {string} name
   * @param {{onchange: () => void, onclose?: () => void}} options onchange: after its state has changed
   */
  constructor(name, {onchange, onclose}) {
    Object.assign(this, {name, onchange, run: null, timer: 0, follow: true, closed: false});
    this.path = `runs/${encodeURIComponent(name)}`;
    this.chip = el("span", {});
    this.facts = el("p", {class: "muted small"});
    this.bar = progressBar("Training");
    this.stop = button("Stop", () => this.#post("stop", "It saves and leaves after this step."), {icon: "stop"});
    this.resume = button("Go on", () => this.#post("resume", "It goes on from where it was saved."), {
      icon: "play",
      kind: "primary",
    });
    this.status = statusLine();
    this.close = onclose ? button("Close", onclose, {icon: "close", iconOnly: true, kind: "quiet"}) : null;
    this.node = el(
      "section",
      {class: "panel stack run-view", ariaLabel: `Run ${name}`},
      el("div", {class: "panel-head"}, el("h2", {class: "run-name"}, name), this.chip, this.close),
      this.bar,
      this.facts,
      el("div", {class: "row"}, this.stop, this.resume),
      this.status,
      el("div", {class: "run-body"}, this.#samplesPart(), this.#wordsPart()),
    );
    this.load();
  }

  #samplesPart() {
    this.image = el("img", {class: "run-samples", alt: "", hidden: true});
    this.steps = slider({
      label: "Samples after step",
      min: 0,
      max: 0,
      step: 1,
      value: 0,
      show: (i) => String(this.run?.samples[i] ?? "–"),
      oninput: (i) => ((this.follow = i === this.run.samples.length - 1), this.#showSample(i)),
    });
    this.noSamples = el("p", {class: "muted small"}, "Samples appear here while it trains.");
    return el("div", {class: "stack"}, el("h3", {}, "Samples"), this.noSamples, this.image, this.steps);
  }

  #wordsPart() {
    this.curves = el("div", {class: "charts"});
    this.health = el("ul", {class: "health"});
    this.healthPart = el("div", {class: "stack"}, el("h3", {}, "Health"), this.health);
    this.command = commandLine();
    this.noCommand = el("p", {class: "muted small"});
    this.options = el("dl", {class: "options"});
    this.log = el("code", {class: "code log", tabIndex: 0});
    this.logPart = el("details", {class: "more"}, el("summary", {}, "What it prints"), this.log);
    return el(
      "div",
      {class: "stack"},
      this.curves,
      this.healthPart,
      el("h3", {}, "Command"),
      this.command,
      this.noCommand,
      this.options,
      this.logPart,
    );
  }

  /** Fetch the run, show it, and ask again later. */
  async load() {
    clearTimeout(this.timer);
    if (this.closed) return;
    try {
      const run = await getJson(this.path);
      if (this.closed) return;
      const before = this.run?.state;
      this.run = run;
      this.#show();
      if (before && before !== run.state) this.onchange();
    } catch (error) {
      this.status.fail(error.message);
    }
    const live = ["training", "starting"].includes(this.run?.state);
    if (this.shown !== false) this.timer = setTimeout(() => this.load(), live ? LIVE_MS : STILL_MS);
  }

  /** Whether to follow the run. @param {boolean} shown */
  show(shown) {
    this.shown = shown;
    clearTimeout(this.timer);
    if (shown) this.load();
  }

  end() {
    this.closed = true;
    clearTimeout(this.timer);
    this.node.remove();
  }

  async #post(action, words) {
    this.status.busy(words);
    this.stop.disabled = this.resume.disabled = true;
    try {
      await call(`${this.path}/${action}`, {method: "POST"});
    } catch (error) {
      this.status.fail(error.message);
    }
    await this.load();
    this.onchange();
  }

  #show() {
    const {run} = this;
    const live = run.state === "training";
    this.chip.replaceChildren(stateChip(run.state));
    this.bar.set(run.step, run.steps);
    this.bar.hidden = !run.steps;
    this.facts.textContent = factsOf(run);
    this.stop.hidden = !["training", "starting"].includes(run.state);
    this.resume.hidden = !["stopped", "failed"].includes(run.state) || !run.command;
    this.stop.disabled = this.resume.disabled = false;
    if (run.state === "failed") this.status.fail(run.reason);
    else if (live || run.state === "finished") this.status.say("");
    else if (run.state === "starting") this.status.busy("loading the program and the pictures ...");
    else this.status.say(run.reason);
    this.#showSamples();
    this.#showCurves();
    this.healthPart.hidden = !run.health.length;
    this.health.replaceChildren(
      ...run.health.map((line) => el("li", {class: /[A-Z]{4}/.test(line) ? "bad" : ""}, line)),
    );
    this.command.text = run.command;
    this.noCommand.textContent = run.no_command;
    this.options.replaceChildren(
      ...Object.entries(run.options).map(([name, value]) =>
        el("div", {data: {name}}, el("dt", {}, name), el("dd", {}, value)),
      ),
    );
    const atEnd = this.log.scrollTop + this.log.clientHeight >= this.log.scrollHeight - 4;
    this.log.textContent = run.log.join("\n");
    if (atEnd) this.log.scrollTop = this.log.scrollHeight;
    this.logPart.hidden = !run.log.length;
    this.node.dispatchEvent(new CustomEvent("run", {bubbles: true}));
  }

  #showSamples() {
    const last = this.run.samples.length - 1;
    this.noSamples.hidden = last >= 0;
    this.image.hidden = last < 0;
    this.steps.hidden = last < 1;
    if (last < 0) return;
    this.steps.max = last;
    if (this.follow) this.#showSample(last);
    this.steps.value = Math.min(this.follow ? last : this.steps.value, last);
  }

  #showSample(i) {
    const step = this.run.samples[i];
    const source = `api/${this.path}/samples/${step}.png`;
    if (this.image.dataset.source === source) return;
    this.image.dataset.source = source;
    this.image.src = source;
    this.image.alt = `Samples of ${this.name} after ${step} steps`;
  }

  #showCurves() {
    const {losses, scores, health, speed} = this.run.curves;
    const key = JSON.stringify(this.run.curves);
    if (key === this.drawn || (this.curves.matches(":hover") && this.drawn)) return; // not while someone reads values
    this.drawn = key;
    const phases = Object.groupBy(Object.keys(losses), (name) => (name.includes("/") ? name.split("/")[0] : ""));
    const charts = [
      ...Object.entries(scores).map(([name, curve]) => [`Score: ${name}`, {[name]: curve}]),
      ...Object.entries(phases).map(([phase, names]) => [
        phase ? `Losses of ${phase}` : "Losses",
        Object.fromEntries(names.map((name) => [name.slice(phase ? phase.length + 1 : 0), losses[name]])),
      ]),
      ...(Object.keys(health).length ? [["Variety of the samples, 1 is that of real pictures", health]] : []),
      ...Object.entries(speed).map(([name, curve]) => ["Speed", {[name]: curve}]),
    ];
    this.curves.replaceChildren(...charts.map(([title, curves]) => chart(title, curves, (step) => this.#goTo(step))));
  }

  /** Show the samples nearest to a step. */
  #goTo(step) {
    const {samples} = this.run;
    if (!samples.length) return;
    const near = samples.reduce(
      (best, one, i) => (Math.abs(one - step) < Math.abs(samples[best] - step) ? i : best),
      0,
    );
    this.follow = near === samples.length - 1;
    this.steps.value = near;
    this.#showSample(near);
  }
}

/** "cycle fast · photos to monet · step 120 of 4000 · 3 min left". */
function factsOf(run) {
  const words = [[run.task, run.preset].filter(Boolean).join(" "), run.data];
  if (run.steps) words.push(`step ${run.step} of ${run.steps}`);
  else if (run.step) words.push(`step ${run.step}`);
  if (run.seconds_left !== null) words.push(`${duration(run.seconds_left)} left`);
  else if (run.seconds) words.push(`trained for ${duration(run.seconds)}`);
  return words.filter(Boolean).join(" · ");
}
