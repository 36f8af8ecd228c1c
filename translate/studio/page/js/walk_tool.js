/**
 * A film that walks from one sample to another.
 * @module walk_tool
 */
import {call} from "./api.js";
import {button, checkbox, download, el, select, showBlob, statusLine} from "./dom.js";
import {slot} from "./samples.js";

const FPS = 20;

export class WalkTool {
  id = "walk";
  title = "Walk";

  constructor(desk) {
    Object.assign(this, {desk, job: null, film: null});
    this.from = slot({label: "From", desk, onchange: () => this.#refresh()});
    this.to = slot({label: "To", desk, onchange: () => this.#refresh()});
    this.seconds = select({
      label: "Length",
      value: "2",
      options: [
        ["1", "1 s"],
        ["2", "2 s"],
        ["4", "4 s"],
        ["8", "8 s"],
      ],
      onchange: () => {},
    });
    this.format = select({
      label: "Film",
      value: "gif",
      options: [
        ["gif", "GIF"],
        ["webp", "WebP"],
        ["mp4", "MP4"],
      ],
      onchange: () => {},
    });
    this.back = checkbox({label: "and back, to repeat smoothly", checked: false, onchange: () => {}});
    this.go = button("Walk", () => this.make(), {icon: "play", kind: "primary"});
    this.cancel = button("Cancel", () => this.job?.abort(), {icon: "stop"});
    this.save = button("Download", () => download(this.film, `walk.${this.kind}`), {icon: "download"});
    this.image = el("img", {alt: "The walk", hidden: true});
    this.video = el("video", {
      hidden: true,
      autoplay: true,
      loop: true,
      muted: true,
      controls: true,
      ariaLabel: "The walk",
    });
    this.status = statusLine();
    this.node = el(
      "div",
      {class: "stack tool"},
      el("div", {class: "slots two"}, this.from, this.to),
      el("div", {class: "pair"}, this.seconds, this.format),
      this.back,
      el("div", {class: "row"}, this.go, this.cancel, this.save),
      this.status,
      el("div", {class: "film"}, this.image, this.video),
    );
    this.#refresh();
  }

  useModel() {
    this.job?.abort();
    this.from.set([]);
    this.to.set([]);
    this.image.hidden = this.video.hidden = true;
    this.film = null;
    this.status.say("");
    this.#refresh();
  }

  useSample() {}

  /** Walk at once. */
  start(from, to) {
    this.from.set([from]);
    this.to.set([to]);
    this.make();
  }

  /** Set the first end, or the second one if the first is set alone; then walk. */
  mark(sample) {
    if (this.from.samples.length && !this.to.samples.length && this.from.samples[0] !== sample)
      return this.start(this.from.samples[0], sample);
    this.from.set([sample]);
    this.to.set([]);
    this.status.say(`${sample.title} is where the walk begins; press W on another sample.`);
  }

  #refresh() {
    if (!this.status) return;
    this.go.disabled = !(this.from.samples.length && this.to.samples.length);
    this.go.hidden = Boolean(this.job);
    this.cancel.hidden = !this.job;
    this.save.hidden = !this.film;
  }

  async make() {
    this.job?.abort();
    const job = (this.job = new AbortController());
    this.#refresh();
    this.status.busy("walking ...");
    const [kind, loop] = [this.format.value, this.back.checked];
    const order = {
      ...this.desk.setting,
      points: this.desk.walkPoints([this.from.samples[0], this.to.samples[0]]),
      frames: FPS * Number(this.seconds.value),
      fps: FPS,
      loop,
      format: kind,
    };
    try {
      const response = await call("walk", {
        method: "POST",
        signal: job.signal,
        body: JSON.stringify(order),
        headers: {"Content-Type": "application/json"},
      });
      [this.film, this.kind] = [await response.blob(), kind];
      this.image.hidden = kind === "mp4";
      this.video.hidden = kind !== "mp4";
      showBlob(kind === "mp4" ? this.video : this.image, this.film);
      this.status.say("");
    } catch (error) {
      if (error.name === "AbortError") this.status.say("");
      else this.status.fail(error.message);
    } finally {
      if (this.job === job) this.job = null;
      this.#refresh();
    }
  }
}
