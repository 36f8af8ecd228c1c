/**
 * Two pictures laid on each other, with a divider to drag or to move by the arrow keys.
 * @module compare
 */
import {el, showBlob} from "./dom.js";

/**
 * @param {{before?: string, after?: string, onmove?: (percent: number) => void}} [options] names of the two pictures
 * @returns {HTMLElement & {show: (before: Blob|null, after: Blob|null) => void,
 *   setNames: (before: string, after: string) => void,
 *   position: number}} `show` with one picture shows it alone; `position` is where the divider is, in percent
 */
export function compare({before = "Before", after = "After", onmove} = {}) {
  const images = [
    el("img", {alt: before, draggable: false}),
    el("img", {alt: after, class: "compare-after", draggable: false}),
  ];
  const names = [el("span", {class: "compare-name"}, before), el("span", {class: "compare-name right"}, after)];
  const input = el("input", {
    type: "range",
    min: 0,
    max: 100,
    step: 0.5,
    value: 50,
    ariaLabel: "Divider between before and after",
  });
  const node = el("div", {class: "compare checkered"}, ...images, el("div", {class: "compare-line"}), ...names, input);
  const paint = () => node.style.setProperty("--cut", `${input.value}%`);
  input.addEventListener("input", () => (paint(), onmove?.(input.valueAsNumber)));
  paint();
  node.setNames = (first, second) => {
    [first, second].forEach((name, i) => {
      names[i].textContent = images[i].alt = name;
    });
  };
  node.show = (first, second) => {
    [first, second].forEach((blob, i) => {
      images[i].hidden = !blob;
      if (blob) showBlob(images[i], blob);
    });
    node.classList.toggle("single", !first || !second);
    node.classList.toggle("nothing", !first && !second);
    input.disabled = !first || !second;
    names[0].hidden = !first;
    names[1].hidden = !second;
  };
  node.show(null, null);
  return Object.defineProperty(node, "position", {
    get: () => input.valueAsNumber,
    set: (percent) => ((input.value = percent), paint()),
  });
}
