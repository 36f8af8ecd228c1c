/**
 * Curves as inline SVG, with the values under the pointer in the legend.
 * @module chart
 */
import {el} from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [420, 150, 46, 20, 8, 8];
const COLOURS = 6; // --curve-0 ... of the style sheet
const TAIL = 0.02; // share of the values that may lie beyond each end of the scale: a spike must not flatten the rest

/**
 * A chart of curves that share their axes.
 * @param {string} title
 * @param {Object<string, number[][]>} curves points (x, y) by name
 * @param {(x: number) => void} [onpick] called with the x that is clicked
 * @returns {HTMLElement}
 */
export function chart(title, curves, onpick) {
  const names = Object.keys(curves);
  const scale = scaleOf(Object.values(curves));
  const svg = shape("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    class: "chart-plot",
    role: "img",
    "aria-label": `${title}: ${names.join(", ")}`,
  });
  const cursor = shape("line", {class: "chart-cursor", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden"});
  svg.append(...axes(scale), ...names.map((name, i) => line(curves[name], scale, i)), cursor);
  const values = names.map(() => el("output", {}));
  const legend = el(
    "div",
    {class: "chart-legend"},
    ...names.map((name, i) =>
      el("span", {class: "chart-name"}, el("i", {class: `chart-key curve-${i % COLOURS}`}), name, values[i]),
    ),
  );
  const show = (x) => names.forEach((name, i) => (values[i].textContent = number(nearest(curves[name], x)[1])));
  show(scale.x1);
  svg.addEventListener("pointermove", (event) => {
    const x = xAt(svg, event, scale);
    show(x);
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, scale.px(x));
    cursor.setAttribute("visibility", "visible");
  });
  svg.addEventListener("pointerleave", () => (show(scale.x1), cursor.setAttribute("visibility", "hidden")));
  if (onpick) svg.addEventListener("click", (event) => onpick(xAt(svg, event, scale)));
  return el("figure", {class: "chart"}, el("figcaption", {}, title), svg, legend);
}

/** The scale that all curves fit into. @param {number[][][]} curves */
function scaleOf(curves) {
  const xs = curves.flatMap((curve) => [curve[0][0], curve.at(-1)[0]]);
  const ys = curves.flatMap((curve) => curve.map((point) => point[1])).sort((a, b) => a - b);
  const at = (share) => ys[Math.round(share * (ys.length - 1))];
  let [low, high] = ys.length > 40 ? [at(TAIL), at(1 - TAIL)] : [at(0), at(1)];
  const room = 0.06 * (high - low) || Math.abs(high) * 0.1 || 1;
  [low, high] = [low - room, high + room];
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  const px = (x) => LEFT + ((x - x0) / (x1 - x0 || 1)) * (WIDTH - LEFT - RIGHT);
  const py = (y) =>
    HEIGHT - BOTTOM - ((Math.min(high, Math.max(low, y)) - low) / (high - low)) * (HEIGHT - BOTTOM - TOP);
  return {x0, x1, low, high, px, py};
}

function axes({x0, x1, low, high, px, py}) {
  const middle = (low + high) / 2;
  const marks = [low, middle, high].flatMap((y) => [
    shape("line", {class: "chart-grid", x1: LEFT, x2: WIDTH - RIGHT, y1: py(y), y2: py(y)}),
    text(number(y), LEFT - 6, py(y) + 4, "end"),
  ]);
  return [
    ...marks,
    text(number(x0), px(x0), HEIGHT - 5, "start"),
    text(`step ${number(x1)}`, px(x1), HEIGHT - 5, "end"),
  ];
}

function line(curve, {px, py}, i) {
  const points = curve.map(([x, y]) => `${px(x).toFixed(1)},${py(y).toFixed(1)}`);
  if (points.length === 1)
    return shape("circle", {class: `chart-dot curve-${i % COLOURS}`, cx: px(curve[0][0]), cy: py(curve[0][1]), r: 3});
  return shape("polyline", {class: `chart-line curve-${i % COLOURS}`, points: points.join(" ")});
}

const nearest = (curve, x) =>
  curve.reduce((best, point) => (Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best));

function xAt(svg, event, {x0, x1}) {
  const box = svg.getBoundingClientRect();
  const share = ((event.clientX - box.left) / box.width) * WIDTH;
  return x0 + Math.min(1, Math.max(0, (share - LEFT) / (WIDTH - LEFT - RIGHT))) * (x1 - x0);
}

function text(words, x, y, anchor) {
  const node = shape("text", {class: "chart-text", x, y, "text-anchor": anchor});
  node.textContent = words;
  return node;
}

function shape(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

/** A number in three digits. @param {number} value */
export function number(value) {
  if (!Number.isFinite(value)) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const size = Math.abs(value);
  return size >= 1e4 || size < 1e-3 ? value.toExponential(1) : value.toPrecision(3);
}
