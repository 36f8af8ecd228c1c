/**
 * Drawings by users, made dark lines on white as models of drawings expect: `translate.images.line_drawings` step by
 * step, in the browser.
 * @module drawing
 */
import {areaWeights, cubicWeights, linearWeights, resizePlane, roundHalfEven} from "./pixels.js";
import {blur, dilate, erode, labelAreas, distanceToPaper} from "./morphology.js";

const WORKING_SCALE = 4; // times the final size, to clean lines at; more costs time and adds no detail
const MIN_PEN_PX = 1.5; // thinner lines break when they are shrunk
const MIN_INK = 0.08; // less ink is the grain of the paper
const REFERENCE_PX = 256;
const SPECK_PX = 4; // smaller marks at the reference size are dust

/** @typedef {{width: number, height: number, data: Float32Array}} Plane */

/**
 * Make a drawing what a model of drawings was trained on; a clean one of the right size keeps its levels.
 * @param {import("./pixels.js").Planes} rgb
 * @param {number} side px, the shorter one of the result
 * @param {string} name of the picture, in errors
 * @returns {import("./pixels.js").Planes}
 */
export function prepareDrawing(rgb, side, name) {
  if (Math.min(rgb.width, rgb.height) === side && isClean(rgb)) return rgb;
  const {width, height, data} = tidy(rgb, side);
  if (!data.some((level) => level < 0.8 * 255)) throw new Error(`${name}: is empty: there are no lines to go by`);
  const plane = new Uint8ClampedArray(data);
  return {width, height, planes: [plane, plane, plane]};
}

/** Whether a picture has dark lines on white, and no colour. @param {import("./pixels.js").Planes} rgb */
export function isClean({planes}) {
  const [red, green, blue] = planes;
  const darkest = red.map((level, i) => Math.min(level, green[i], blue[i]));
  const coloured = darkest.reduce((sum, level, i) => sum + (Math.max(red[i], green[i], blue[i]) - level > 40), 0);
  return (
    quantile(darkest, 0.5) >= 250 &&
    darkest.some((level) => level < 160) &&
    coloured / darkest.length < 0.005
  );
}

/** Clean the lines, and thicken those that would break. @returns {Plane} levels of 255 */
export function tidy(rgb, side) {
  // 1. find the ink at a working size
  let lines = removeSpecks(inkMap(darkOnLight(shrinkTo(rgb, WORKING_SCALE * side))));
  // 2. thicken thin lines
  const {width, height} = lines;
  const shrink = Math.min(width, height) / side;
  const missing = roundHalfEven(MIN_PEN_PX * shrink - lineWidth(lines));
  if (missing > 0) lines = dilate(lines, missing + 1, {round: true});
  // 3. resize
  const size = [width, height].map((length) => Math.max(1, roundHalfEven(length / shrink)));
  const enlarged = shrink < 1; // its edges are soft: sharpen them, and bridge gaps between pixels
  const resized = resizePlane(lines, ...size, enlarged ? cubicWeights : areaWeights);
  const ink = enlarged
    ? (value) => 0.5 + (value - Math.max(0.3, shrink / 2)) / shrink
    : (value) => 1.5 * value;
  return map(resized, (value) => roundHalfEven(255 * (1 - clip(ink(value)))));
}

/** Shrink a picture to a shorter side of at most `side` px. */
function shrinkTo({width, height, planes}, side) {
  const shrink = Math.max(1, Math.min(width, height) / side);
  const size = [width, height].map((length) => roundHalfEven(length / shrink));
  const small = planes.slice(0, 3).map((data) => resizePlane({width, height, data}, ...size, areaWeights));
  return small.map((plane) => map(plane, Math.round));
}

/** Invert light lines on a dark ground, and take the darkest channel. @param {Plane[]} rgb @returns {Plane} */
function darkOnLight([red, green, blue]) {
  const luma = red.data.map((level, i) => 0.299 * level + 0.587 * green.data[i] + 0.114 * blue.data[i]);
  const [low, middle, high] = [0.005, 0.5, 0.995].map((share) => quantile(luma, share));
  const inverted = middle < 128 && high - middle >= middle - low; // equal in an all-dark picture
  const darkest = inverted ? (...levels) => 255 - Math.max(...levels) : Math.min;
  return {...red, data: red.data.map((level, i) => darkest(level, green.data[i], blue.data[i]))};
}

/** The amount of ink, 0 to 1; light and soft shading count as paper, and faint pencil reaches 1 like a pen. */
function inkMap(gray) {
  const tone = paperTone(gray);
  const drawn = gray.data.map((level, i) => clip(1 - level / tone.data[i]));
  const noise = Math.min(Math.max(MIN_INK, 6 * quantile(drawn, 0.5)), 0.3); // no paper is grainier
  const marked = drawn.filter((amount) => amount > 1.5 * noise);
  if (!marked.length) return map(gray, () => 0);
  const full = Math.max(quantile(marked, 0.75), 2 * noise);
  return {...gray, data: drawn.map((amount) => clip((amount - noise) / (full - noise)))};
}

/** The tone of the paper under the lines: a closing of a small copy removes them; wide dark fills remain. */
function paperTone(gray) {
  const {width, height} = gray;
  const shrink = Math.max(1, Math.min(width, height) / 128);
  const size = [width, height].map((length) => roundHalfEven(length / shrink));
  const small = resizePlane(dilate(gray, roundHalfEven(shrink) | 1), ...size, areaWeights);
  const window = roundHalfEven(0.08 * Math.min(...size)) | 1;
  const soft = blur(erode(dilate(small, window), window), window / 2);
  const tone = resizePlane(soft, width, height, linearWeights);
  const least = Math.max(0.4 * quantile(tone.data, 0.9), 1);
  return map(tone, (level) => Math.max(level, least));
}

/** Remove dust and noise. */
function removeSpecks(lines) {
  const least = SPECK_PX * (Math.min(lines.width, lines.height) / REFERENCE_PX) ** 2;
  const {labels, areas} = labelAreas(map(lines, (ink) => (ink > 0.2 ? 1 : 0)));
  const kept = {...lines, data: Float32Array.from(labels, (label) => (label && areas[label] >= least ? 1 : 0))};
  const near = dilate(kept, 3);
  return {...lines, data: lines.data.map((ink, i) => ink * near.data[i])};
}

/** The typical width of the lines, px: twice the distance from their centre lines to the paper. */
function lineWidth(lines) {
  const inside = distanceToPaper(map(lines, (ink) => (ink > 0.5 ? 1 : 0)));
  const highest = dilate(inside, 3);
  const middles = inside.data.filter((distance, i) => distance > 0 && distance >= highest.data[i]);
  return middles.length ? 2 * quantile(middles, 0.5) - 0.5 : 0;
}

// ---- planes

const clip = (value) => Math.min(1, Math.max(0, value));
const map = (plane, change) => ({...plane, data: Float32Array.from(plane.data, change)});

/** The value below which a share of the values lies, interpolated. @param {ArrayLike<number>} values */
function quantile(values, share) {
  const sorted = Float32Array.from(values).sort();
  const place = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low + (high - low) * (place % 1);
}
