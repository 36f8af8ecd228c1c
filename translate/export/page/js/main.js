/**
 * The page of an exported model: the studio's pages that fit it, answered by the model in the browser.
 * @module main
 */
import {loadModel} from "./api.js";
import {el} from "./dom.js";
import {openShell} from "./shell.js";

/** The line below the pages: what is being loaded, then where the model runs. */
function stateLine() {
  const bar = el("progress", {max: 1, value: 0, ariaLabel: "The model is loading"});
  const text = el("span", {}, "The model is loading …");
  document.getElementById("state").append(bar, text);
  const megabytes = (bytes) => (bytes / 1e6).toFixed(0);
  return {
    progress({done, total}) {
      bar.value = done / total;
      text.textContent = `The model is loading: ${megabytes(done)} of ${megabytes(total)} MB`;
    },
    ready({device, threads}) {
      bar.remove();
      const cores = threads === 1 ? "one core of its processor" : `${threads} cores of its processor`;
      text.textContent = `The model runs on this device, on ${device === "webgpu" ? "its GPU" : cores}.`;
    },
    failed(error) {
      bar.remove();
      text.textContent = error.message;
      text.className = "error";
    },
  };
}

await self.isolation;
const site = await (await fetch("site.json")).json();
const pages = await Promise.all(site.model.pages.map(async (name) => (await import(`./${name}.js`)).page));
const studio = {
  models: [site.model],
  modelsFor: (page) => (site.model.pages.includes(page) ? [site.model] : []),
  onModels: (listener) => listener(),
};
openShell(pages, studio, site.title);
const line = stateLine();
loadModel(line.progress).then(line.ready, line.failed);
