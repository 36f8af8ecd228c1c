/**
 * Inpainting of a picture of any size: `translate.inference.inpainting` step by step. Known pixels keep their levels.
 * @module inpainting
 */
import {blur, distanceToPaper} from "./morphology.js";
import {areaWeights, lanczosWeights, linearWeights, resizePlane} from "./pixels.js";
import {planWindows} from "./windows.js";

const FADE_DEPTH = 1 / 16; // of the window's side: depth at which a third (1 / e) of the seam correction is left
const LARGE_STEP = 0.25; // of full scale: a step at the rim of which half is corrected
const [LOCAL_SIGMA, ALONG_SIGMA] = [0.1, 0.25]; // fractions of the fade depth, across and along the rim

/** @typedef {{width: number, height: number, data: Float32Array}} Plane */

/**
 * Fill the hole of a picture.
 * @param {import("./pixels.js").Planes} picture RGBA
 * @param {Uint8Array} hole 1 where to fill
 * @param {number} size px, of the pictures in training
 * @param {(planes: Plane[], hole: Plane) => Promise<Plane[]>} network RGB in [0, 1] to RGB in [0, 1]
 * @returns {Promise<import("./pixels.js").Planes>} filled pixels are opaque
 */
export async function fillHole(picture, hole, size, network) {
  const {width, height} = picture;
  const planes = picture.planes.map((plane) => plane.slice());
  const unknown = {width, height, data: Float32Array.from(hole)};
  for (const window of planWindows(unknown, size)) await fillWindow(planes, unknown, window, network);
  for (let i = 0; i < hole.length; i += 1) if (hole[i]) planes[3][i] = 255;
  return {width, height, planes};
}

async function fillWindow(planes, unknown, {view, target, size}, network) {
  const hole = cut(unknown.data, unknown.width, view);
  const levels = planes.slice(0, 3).map((plane) => cut(plane, unknown.width, view));
  const known = levels.map((plane) => map(plane, (level) => level / 255));
  const given = windowInput(levels, hole, size);
  const painted = (await network(given.planes, given.hole)).map((plane) => fit(plane, view));
  const corrected = removeSeam(painted, known, hole);
  for (let i = 0; i < target.length; i += 1) {
    if (!target[i]) continue;
    const place = (view.top + Math.floor(i / view.width)) * unknown.width + view.left + (i % view.width);
    for (let channel = 0; channel < 3; channel += 1) planes[channel][place] = corrected[channel].data[i] * 255;
    unknown.data[place] = 0;
  }
}

/** Resize a view and its hole for the network; no colour of the hole leaks into known pixels. */
function windowInput(levels, hole, [width, height]) {
  if (hole.width === width && hole.height === height)
    return {planes: levels.map((plane) => map(plane, (level) => level / 255)), hole};
  const weights = width * height < hole.width * hole.height ? areaWeights : linearWeights;
  const share = resizePlane(map(hole, (inside) => 1 - inside), width, height, weights);
  const planes = levels.map((plane) => {
    const blanked = {...plane, data: plane.data.map((level, i) => (hole.data[i] ? 0 : level))};
    const resized = resizePlane(blanked, width, height, weights);
    const colour = (level, i) => clip(Math.round(level) / 255 / Math.max(share.data[i], 1e-3));
    return {...resized, data: resized.data.map(colour)};
  });
  return {planes, hole: map(share, (known) => (known < 0.5 ? 1 : 0))};
}

/** Resize what the network has painted to the view. */
function fit(plane, {width, height}) {
  if (plane.width === width && plane.height === height) return plane;
  const weights = width * height < plane.width * plane.height ? areaWeights : lanczosWeights;
  return map(resizePlane(plane, width, height, weights), clip);
}

/**
 * Correct what was painted so that it joins the known pixels: the step at the rim is averaged along the rim and added to
 * the inside, fading with the distance. Large steps are probably real edges, and stay.
 */
function removeSeam(painted, known, hole) {
  const reach = Math.max(FADE_DEPTH * Math.min(hole.width, hole.height), 1);
  const outside = map(hole, (inside) => 1 - inside);
  const sigma = Math.max(LOCAL_SIGMA * reach, 0.7);
  const depth = distanceToPaper(hole, Infinity);
  const rim = map(depth, (distance) => (distance > 0 && distance <= 1.5 ? 1 : 0));
  const along = Math.max(ALONG_SIGMA * reach, 1.5);
  return painted.map((plane, channel) => {
    const [outer, inner] = [localMean(known[channel], outside, sigma), localMean(plane, hole, sigma)];
    const step = {...hole, data: outer.map((value, i) => soften(value - inner[i]))};
    const [near, far] = [localMean(step, rim, along), localMean(step, rim, 4 * along)];
    const correct = (value, i) => {
      const correction = near[i] + (far[i] - near[i]) * clip(depth.data[i] / (3 * along));
      return clip(value + correction * Math.exp(-depth.data[i] / reach));
    };
    return {...plane, data: plane.data.map(correct)};
  });
}

const soften = (step) => step / (1 + (step / LARGE_STEP) ** 2);

/** The Gaussian mean over the pixels whose weight is 1; 0 where none is within reach. @returns {Float32Array} */
function localMean(plane, weight, sigma) {
  const reach = Math.round(3 * sigma);
  const total = blur({...plane, data: plane.data.map((value, i) => value * weight.data[i])}, sigma, reach);
  const weights = blur(weight, sigma, reach);
  return total.data.map((value, i) => value / Math.max(weights.data[i], 1e-6));
}

const clip = (value) => Math.min(1, Math.max(0, value));
const map = (plane, change) => ({...plane, data: Float32Array.from(plane.data, change)});

function cut(data, stride, {left, top, width, height}) {
  const cutOut = new Float32Array(width * height);
  for (let y = 0; y < height; y += 1) {
    const start = (top + y) * stride + left;
    cutOut.set(data.subarray(start, start + width), y * width);
  }
  return {width, height, data: cutOut};
}
