/**
 * Icons of 24 px, drawn with one line.
 * @module icons
 */
const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  draw: "M4 20l1-5L16 4l4 4L9 19zM14 6l4 4",
  translate: "M4 5h9v9H4zM11 17v2h9v-9h-2M16 4h4v4M20 4l-4 4",
  fill: "M4 4h16v16H4zM8 12a4 4 0 1 0 8 0 4 4 0 1 0-8 0",
  generate: "M5 5h5v5H5zM14 5h5v5h-5zM5 14h5v5H5zM16.5 13.5v6M13.5 16.5h6",
  train: "M4 19h16M5 16l4-5 4 3 6-9",
  pen: "M4 20l1-5L16 4l4 4L9 19z",
  eraser: "M8 20h12M5 15l9-10 6 6-8 9H9z",
  brush: "M20 4c-6 2-10 6-11 9l2 2c3-1 7-5 9-11zM8 14c-3 0-3 4-5 5 3 2 8 1 8-2z",
  undo: "M9 14L4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
  redo: "M15 14l5-5-5-5M20 9H10a6 6 0 0 0 0 12h3",
  clear: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10 11v5M14 11v5",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  upload: "M12 16V5M7 9l5-5 5 5M5 20h14",
  check: "M5 13l4 4L19 7",
  warning: "M12 4l9 16H3zM12 10v4M12 17v.5",
  close: "M6 6l12 12M18 6L6 18",
  image: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9.5v.1",
  keep: "M12 15v6M8 4h8l-1 6 3 5H6l3-5z",
  mix: "M4 12a5 5 0 1 0 10 0 5 5 0 1 0-10 0M10 12a5 5 0 1 0 10 0 5 5 0 1 0-10 0",
  template: "M4 4h4M12 4h4M20 4v4M20 12v4M20 20h-4M12 20H8M4 20v-4M4 12V8",
  again: "M19 8a8 8 0 1 0 1 6M20 3v5h-5",
  eye: "M3 12c4-7 14-7 18 0-4 7-14 7-18 0zM9.5 12a2.5 2.5 0 1 0 5 0 2.5 2.5 0 1 0-5 0",
  compare: "M12 3v18M4 6h5v12H4zM15 6h5v12h-5z",
  folder: "M3 6h6l2 3h10v10H3z",
  play: "M7 5l12 7-12 7z",
  stop: "M6 6h12v12H6z",
  plus: "M12 5v14M5 12h14",
  more: "M5 12h.1M12 12h.1M19 12h.1",
};

/** Create an icon that screen readers skip. @param {string} name of `PATHS` @returns {SVGElement} */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true"}))
    svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name] ?? "");
  svg.append(path);
  return svg;
}
