/**
 * A dialog to choose a folder of pictures: browsed on the server, a data set of the catalog, or a zip that is unpacked.
 * @module folder_dialog
 */
import {call, formOf, getJson} from "./api.js";
import {button, dropzone, el, statusLine} from "./dom.js";
import {icon} from "./icons.js";

/**
 * Ask for a folder.
 * @param {{title: string, catalog: {name: string, title: string, drawn: boolean}[]}} options catalog: names that fit
 * @returns {Promise<string>} a path or a name of the catalog; "" if nothing was chosen
 */
export function chooseFolder({title, catalog}) {
  return new Promise((resolve) => {
    const dialog = el("dialog", {class: "panel folder-dialog", ariaLabel: title});
    const done = (value) => (dialog.close(), dialog.remove(), resolve(value));
    const status = statusLine();
    const place = el("p", {class: "folder-place"});
    const list = el("ul", {class: "folder-list"});
    const choose = button("Choose this folder", () => done(here), {icon: "check", kind: "primary"});
    let here = "";

    const open = async (path) => {
      status.busy("reading ...");
      try {
        show(await getJson(`folders?path=${encodeURIComponent(path)}`));
        status.say("");
      } catch (error) {
        status.fail(error.message);
      }
    };
    const show = (folder) => {
      here = folder.path;
      place.textContent = here ? `${here} · ${countOf(folder.pictures)}` : "Folders that the studio may read";
      choose.disabled = !here;
      const up = folder.parent === null ? [] : [row("..", "the folder above", () => open(folder.parent))];
      list.replaceChildren(
        ...up,
        ...folder.folders.map((inner) =>
          row(inner.name, inner.pictures ? countOf(inner.pictures) : "", () => open(inner.path)),
        ),
      );
    };
    const upload = async ([file]) => {
      status.busy(`sending ${file.name} ...`);
      try {
        show(await (await call("folders", {method: "POST", body: formOf({archive: file})})).json());
        status.say("unpacked; choose this folder, or one in it");
      } catch (error) {
        status.fail(error.message);
      }
    };
    const setOf = ({name, title: words}) =>
      el("button", {type: "button", class: "btn btn-small", title: words, on: {click: () => done(name)}}, name);
    const sets = (heading, drawn) => {
      const fitting = catalog.filter((set) => set.drawn === drawn);
      return fitting.length
        ? el("div", {class: "stack"}, el("h3", {}, heading), el("div", {class: "row"}, ...fitting.map(setOf)))
        : null;
    };
    dialog.append(
      el(
        "div",
        {class: "panel-head"},
        el("h2", {}, title),
        button("Close", () => done(""), {icon: "close", iconOnly: true, kind: "quiet"}),
      ),
      ...[
        sets("Built-in pictures, drawn here", true),
        sets("Published pictures, fetched when the training starts", false),
      ].filter(Boolean),
      el("h3", {}, "Folders here"),
      place,
      list,
      el("div", {class: "row"}, choose),
      status,
      dropzone({
        label: "Or drop a zip of pictures",
        hint: "it is unpacked here",
        accept: ".zip,application/zip",
        onfiles: upload,
      }),
    );
    dialog.querySelector(".dropzone").classList.add("compact");
    dialog.addEventListener("cancel", (event) => (event.preventDefault(), done("")));
    document.body.append(dialog);
    dialog.showModal();
    open("");
  });
}

/** A folder in the list. */
const row = (name, words, onclick) =>
  el(
    "li",
    {},
    el(
      "button",
      {type: "button", class: "folder-row", on: {click: onclick}},
      icon("folder"),
      el("span", {class: "grow"}, name),
      el("span", {class: "muted small"}, words),
    ),
  );

const countOf = (count) => (count === 1 ? "1 picture" : `${count} pictures`);
