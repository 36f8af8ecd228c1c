/**
 * The shell: navigation, and a hash router.
 *
 * A page is a module that exports `page`: `{id, title, icon, mount(root, studio), show?(studio), hide?()}`. It is
 * mounted when it is first opened and then only hidden, so that a drawing or a job outlives a look at another page.
 * @module shell
 */
import {el} from "./dom.js";
import {icon} from "./icons.js";

/**
 * Open the page that the address names, by default the first, and follow the address.
 * @param {Object[]} pages
 * @param {Object} studio what pages share
 * @param {string} name of the whole
 */
export function openShell(pages, studio, name) {
  const roots = new Map();
  let shown = null;

  function route() {
    const id = location.hash.slice(1).split(/[?/]/)[0];
    const page = pages.find((candidate) => candidate.id === id) ?? pages[0];
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
    document.title = `${page.title} · ${name}`;
    for (const link of document.querySelectorAll("#nav a")) {
      if (link.dataset.page === page.id) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  const link = (page) =>
    el("a", {href: `#${page.id}`, data: {page: page.id}}, icon(page.icon), el("span", {}, page.title));
  document.getElementById("nav").append(...pages.map(link));
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("main").focus();
  });
  // A picture dropped beside a drop zone must not replace the page.
  for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
  addEventListener("hashchange", route);
  route();
  document.documentElement.dataset.ready = "true";
}
