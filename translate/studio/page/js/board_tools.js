/**
 * What the tools of every board have in common.
 * @module board_tools
 */
import {button} from "./dom.js";

/**
 * Buttons to draw, erase, undo, redo and clear.
 * @param {{board: import("./board.js").Board, sketch: import("./sketch.js").Sketch, draw: [string, string],
 *   clear: string}} options draw: icon and label; clear: label
 * @returns {{draw: HTMLElement, erase: HTMLElement, undo: HTMLElement, redo: HTMLElement, clear: HTMLElement,
 *   use: (name: "draw"|"erase") => void, refresh: (empty: boolean) => void}}
 */
export function commonTools({board, sketch, draw: [icon, label], clear}) {
  const make = (name, text, onclick) => button(text, onclick, {icon: name, iconOnly: true, kind: "quiet"});
  const use = (name) => {
    for (const each of ["draw", "erase"]) tools[each].setAttribute("aria-pressed", String(each === name));
    board.use({erase: name === "erase"});
  };
  const tools = {
    draw: make(icon, label, () => use("draw")),
    erase: make("eraser", "Eraser (E)", () => use("erase")),
    undo: make("undo", "Undo (Ctrl+Z)", () => sketch.undo()),
    redo: make("redo", "Redo (Ctrl+Shift+Z)", () => sketch.redo()),
    clear: make("clear", clear, () => sketch.clear()),
    use,
    refresh(empty) {
      tools.undo.disabled = !sketch.canUndo;
      tools.redo.disabled = !sketch.canRedo;
      tools.clear.disabled = empty;
    },
  };
  use("draw");
  return tools;
}

/**
 * Listen to keys while a page is shown and no text is typed: Ctrl+Z, Ctrl+Shift+Z, Ctrl+Y, and those of the page.
 * @param {import("./sketch.js").Sketch} sketch
 * @param {() => boolean} isShown
 * @param {Object<string, () => void>} actions by key
 */
export function boardKeys(sketch, isShown, actions) {
  const isTyping = (node) => node.closest("input:not([type=range]):not([type=radio]), select, textarea, dialog");
  addEventListener("keydown", (event) => {
    if (!isShown() || event.altKey || isTyping(event.target)) return;
    const key = event.key.toLowerCase();
    const history = {z: () => (event.shiftKey ? sketch.redo() : sketch.undo()), y: () => sketch.redo()};
    const action = event.ctrlKey || event.metaKey ? history[key] : actions[key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
