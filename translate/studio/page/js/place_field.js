/**
 * The field of a place of pictures: typed, chosen from a list, or browsed.
 * @module place_field
 */
import {button, el, uniqueId} from "./dom.js";
import {chooseFolder} from "./folder_dialog.js";

const LABELS = {a: "First pictures (A)", b: "Second pictures (B)", images: "Pictures", data: "A set of both"};

/**
 * @param {string} name of the option: a, b, data or images
 * @param {Object[]} sets of the catalog that fit
 * @param {(value: string) => void} onchange
 * @returns {HTMLElement}
 */
export function placeField(name, sets, onchange) {
  const [id, listId] = [uniqueId(), uniqueId()];
  const label = LABELS[name] ?? name;
  const placeholder = sets.length ? `a folder, or ${sets[0].name} ...` : "a folder";
  const on = {input: () => onchange(input.value.trim())};
  const input = el("input", {id, type: "text", spellcheck: false, autocomplete: "off", placeholder, on});
  input.setAttribute("list", listId);
  const browse = async () => {
    const chosen = await chooseFolder({title: label, catalog: sets});
    if (chosen) onchange((input.value = chosen));
    input.focus();
  };
  return el(
    "div",
    {class: "field place"},
    el("label", {htmlFor: id}, label),
    el("div", {class: "place-row"}, input, button("Browse", browse, {icon: "folder"})),
    el("datalist", {id: listId}, ...sets.map((set) => el("option", {value: set.name}, set.title))),
  );
}

/**
 * What of the catalog fits an option: domains for A and B, sets of the right kind else; those drawn here first.
 * @param {Object[]} catalog
 * @param {string} kind of data
 * @param {string} name of the option
 */
export function fittingSets(catalog, kind, name) {
  const usable = catalog
    .filter((set) => !set.by_hand)
    .map((set) => ({...set, drawn: set.drawn_here}))
    .sort((a, b) => b.drawn - a.drawn);
  const domains = usable
    .filter((set) => set.kind === "unpaired")
    .flatMap((set) => set.domains.map((domain) => ({...set, name: domain})));
  if (name === "a" || name === "b") return kind === "unpaired" ? domains : [];
  if (name === "data") return usable.filter((set) => set.kind === (kind === "paired" ? "paired" : "unpaired"));
  return [...usable.filter((set) => ["images", "labelled"].includes(set.kind)), ...domains];
}
