/**
 * The question what a dropped picture is meant for.
 * @module dropped
 */
import {el, showBlob} from "./dom.js";
import {icon} from "./icons.js";

const CHOICES = [
  ["drawing", "draw", "It is a drawing", "Lay it on the board, and draw on from there."],
  ["lines", "pen", "Draw its lines", "Find the outlines of the photo, and lay them on the board."],
  ["trace", "template", "Trace it", "Show it faintly below the paper."],
  ["look", "keep", "Take its look", "Read its colours and materials, and draw in them."],
];

/**
 * Ask what to do with a picture.
 * @param {Blob} file
 * @param {{look: boolean, lines: boolean}} options whether looks can be read, and lines be drawn
 * @returns {Promise<string>} "drawing", "lines", "trace", "look", or "" for nothing
 */
export function askWhatToDo(file, {look, lines}) {
  const image = el("img", {alt: "The picture"});
  showBlob(image, file);
  const offered = {look, lines};
  const choices = CHOICES.filter(([value]) => offered[value] ?? true);
  const dialog = el(
    "dialog",
    {class: "ask", ariaLabel: "What is this picture for?"},
    el(
      "form",
      {method: "dialog"},
      el("h2", {}, "What is this picture for?"),
      image,
      ...choices.map(([value, name, title, text]) =>
        el("button", {class: "ask-choice", value}, icon(name), el("strong", {}, title), el("span", {}, text)),
      ),
      el("button", {class: "btn btn-quiet", value: ""}, "Nothing"),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}
