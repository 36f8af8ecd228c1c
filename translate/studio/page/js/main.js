/**
 * The shell: navigation, a hash router, and the list of pages.
 *
 * A page is a module that exports `page`: `{id, title, icon, mount(root, studio), show?(studio), hide?()}`. It is
 * mounted when it is first opened and then only hidden, so that a drawing or a job outlives a look at another page.
 * @module main
 */
import {el} from "./dom.js";
import {icon} from "./icons.js";
import {getModels} from "./api.js";
import {page as draw} from "./draw.js";
import {page as translate} from "./translate.js";
import {page as fill} from "./fill.js";
import {page as generate} from "./generate.js";
import {page as train} from "./train.js";

const PAGES = [draw, translate, fill, generate, train];

/** What pages share: the models, and the way to be told when they change. */
const studio = {
  models: [],
  error: "",
  listeners: new Set(),
  /** The models that a page can use. @param {string} pageId */
  modelsFor(pageId) {
    return studio.models.filter((model) => model.pages.includes(pageId));
  },
  /** Call `listener` now and whenever the list of models changes. @param {() => void} listener */
  onModels(listener) {
    studio.listeners.add(listener);
    listener();
  },
  /** Fetch the list of models, and tell the listeners if it differs. */
  async refresh() {
    const before = JSON.stringify([studio.models, studio.error]);
    try {
      [studio.models, studio.error] = [await getModels(), ""];
    } catch (error) {
      studio.error = error.message;
    }
    if (JSON.stringify([studio.models, studio.error]) !== before) studio.listeners.forEach((listener) => listener());
  },
};

const roots = new Map();
let shown = null;

/** Open the page that the address names, by default the first. */
function route() {
  const id = location.hash.slice(1).split(/[?/]/)[0];
  const page = PAGES.find((candidate) => candidate.id === id) ?? PAGES[0];
  if (shown === page) return;
  shown?.hide?.();
  for (const [other, root] of roots) root.hidden = other !== page;
  if (!roots.has(page)) {
    const root = el("section", {class: `page page-${page.id}`, ariaLabel: page.title});
    roots.set(page, root);
    document.getElementById("main").append(root);
    page.mount(root, studio);
  }
  shown = page;
  page.show?.(studio);
  document.title = `${page.title} · Studio`;
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.dataset.page === page.id) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

document
  .getElementById("nav")
  .append(
    ...PAGES.map((page) =>
      el("a", {href: `#${page.id}`, data: {page: page.id}}, icon(page.icon), el("span", {}, page.title)),
    ),
  );
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});
// A picture dropped beside a drop zone must not replace the page.
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
addEventListener("hashchange", route);
document.addEventListener("visibilitychange", () => document.hidden || studio.refresh());
await studio.refresh();
route();
document.documentElement.dataset.ready = "true";
