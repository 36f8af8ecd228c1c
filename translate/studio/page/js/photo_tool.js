/**
 * A photo, and the sample that is nearest to it.
 * @module photo_tool
 */
import {postWithProgress} from "./api.js";
import {button, dropzone, el, progressBar, segmented, showBlob, statusLine} from "./dom.js";

const STEPS = {quick: 60, careful: 200};

export class PhotoTool {
  id = "photo";
  title = "Photo";

  constructor(desk) {
    Object.assign(this, {desk, job: null, result: null, file: null});
    this.drop = dropzone({
      label: "Drop a photo here",
      hint: "its centre square is searched for among what the model can draw",
      accept: "image/*",
      onfiles: ([file]) => this.search(file),
    });
    this.effort = segmented({
      label: "Search",
      value: "quick",
      options: [
        ["quick", "Quick"],
        ["careful", "Careful"],
      ],
      onchange: () => this.file && this.search(this.file),
    });
    [this.photo, this.nearest] = ["The photo, as the model is shown it", "The nearest sample"].map((alt) =>
      el("img", {alt}),
    );
    this.views = el(
      "div",
      {class: "pair pictures", hidden: true},
      el("figure", {}, this.photo, el("figcaption", {}, "Photo")),
      el("figure", {}, this.nearest, el("figcaption", {}, "Nearest sample")),
    );
    this.keepIt = button("Keep", () => desk.keep(this.result, "From a photo"), {icon: "keep", kind: "primary"});
    this.cancel = button("Cancel", () => this.job?.abort(), {icon: "stop"});
    this.bar = progressBar("Search");
    this.status = statusLine();
    this.node = el(
      "div",
      {class: "stack tool"},
      this.drop,
      this.effort,
      this.bar,
      this.status,
      this.views,
      el("div", {class: "row"}, this.keepIt, this.cancel),
    );
    this.#refresh();
  }

  useModel() {
    this.job?.abort();
    Object.assign(this, {result: null, file: null});
    this.views.hidden = true;
    this.status.say("");
    this.#refresh();
  }

  useSample() {}

  #refresh() {
    this.keepIt.hidden = !this.result;
    this.cancel.hidden = this.bar.hidden = !this.job;
  }

  async search(file) {
    this.job?.abort();
    const job = (this.job = new AbortController());
    this.file = file;
    this.#refresh();
    this.status.busy("searching ...");
    const {desk} = this;
    try {
      const fields = {model: desk.model.name, label: desk.label, image: file, steps: STEPS[this.effort.value]};
      const answer = await postWithProgress("project", fields, (share) => this.bar.set(share, 1), job.signal);
      const [nearest, photo] = desk.samplesOf(answer);
      this.result = nearest;
      showBlob(this.photo, photo.blob);
      showBlob(this.nearest, nearest.blob);
      this.views.hidden = false;
      this.status.say(`distance ${answer.distance.toFixed(2)}: 0 is the same, 1 has nothing in common`);
    } catch (error) {
      if (error.name === "AbortError") this.status.say(this.job === job ? "cancelled" : "");
      else this.status.fail(error.message);
    } finally {
      if (this.job === job) this.job = null;
      this.bar.set(0, 1);
      this.#refresh();
    }
  }
}
