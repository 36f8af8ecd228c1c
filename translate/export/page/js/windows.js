/**
 * Windows for inpainting: the views of a picture that the network receives, and the pixels that it fills in each;
 * `translate.inference.tiling.windows` step by step.
 * @module windows
 */
import {dilate, distanceToPaper, labelAreas} from "./morphology.js";
import {roundHalfEven} from "./pixels.js";

// Fractions of the trained size:
const MAX_ONE_PASS_SIDES = [1.5, 2]; // shorter and longer side of a picture that one pass fills
const JOIN_DISTANCE = 1 / 8; // nearer holes are filled together
const MAX_THICKNESS = 1 / 2; // views of thicker holes are shrunk
const MAX_BOX = 3 / 4; // of the window's side; a larger hole is filled piece by piece

/** @typedef {{left: number, top: number, width: number, height: number}} Box */

/**
 * Divide a hole among windows, to be filled one after the other.
 * @param {{width: number, height: number, data: Float32Array}} hole 1 in the hole
 * @param {number} size px, of the pictures in training
 * @returns {{view: Box, target: Uint8Array, size: [number, number]}[]} the target is of the view's size; `size` is the
 *   width and height that the network receives
 */
export function planWindows(hole, size) {
  const {width, height} = hole;
  const sides = [Math.min(width, height), Math.max(width, height)];
  if (sides.every((side, i) => side <= MAX_ONE_PASS_SIDES[i] * size)) {
    const view = {left: 0, top: 0, width, height};
    return [{view, target: Uint8Array.from(hole.data), size: [width, height]}];
  }
  const reach = Math.max(1, roundHalfEven(JOIN_DISTANCE * size));
  const {labels, areas} = labelAreas(dilate(hole, 2 * reach + 1));
  const groups = areas.map(() => ({left: Infinity, top: Infinity, right: -1, bottom: -1}));
  for (let i = 0; i < labels.length; i += 1) if (labels[i]) extend(groups[labels[i]], i, width);
  return groups.slice(1).flatMap((box, i) => planGroup(hole, groupOf(hole, labels, i + 1, box), box, size));
}

function extend(box, place, width) {
  const [x, y] = [place % width, Math.floor(place / width)];
  Object.assign(box, {left: Math.min(box.left, x), right: Math.max(box.right, x)});
  Object.assign(box, {top: Math.min(box.top, y), bottom: Math.max(box.bottom, y)});
}

/** The holes of one label, in their box. */
function groupOf(hole, labels, label, {left, top, right, bottom}) {
  const [width, height] = [right - left + 1, bottom - top + 1];
  const at = (i) => (top + Math.floor(i / width)) * hole.width + left + (i % width);
  const inside = (_, i) => (labels[at(i)] === label ? hole.data[at(i)] : 0);
  return {width, height, data: Float32Array.from({length: width * height}, inside)};
}

function planGroup(hole, group, corner, size) {
  const longest = Math.max(hole.width, hole.height);
  const thickness = 2 * distanceToPaper(group, Infinity).data.reduce((most, depth) => Math.max(most, depth), 0);
  const factor = Math.min(Math.max(1, thickness / (MAX_THICKNESS * size)), Math.max(1, longest / size));
  const side = roundHalfEven(size * factor);
  const scale = factor > 1 ? size / side : 1;
  const windows = split(group, side, side >= longest).map((piece) => {
    const view = centre(piece, corner, side, hole);
    return {view, target: targetIn(view, group, piece, corner), share: shareOf(hole, view)};
  });
  windows.sort((one, other) => one.share - other.share);
  return windows.map(({view, target}) => ({
    view,
    target,
    size: [view.width, view.height].map((length) => Math.max(1, roundHalfEven(length * scale))),
  }));
}

/** The boxes of the pieces in the group: one for all, or squares of half the window's side. @returns {Box[]} */
function split(group, side, whole) {
  const box = boxOf(group, {left: 0, top: 0, width: group.width, height: group.height});
  if (whole || Math.max(box.width, box.height) <= MAX_BOX * side) return [box];
  const step = Math.max(1, side >> 1);
  const pieces = [];
  for (let top = box.top; top < box.top + box.height; top += step) {
    for (let left = box.left; left < box.left + box.width; left += step) {
      const width = Math.min(step, box.left + box.width - left);
      const piece = {left, top, width, height: Math.min(step, box.top + box.height - top)};
      if (boxOf(group, piece)) pieces.push(piece);
    }
  }
  return pieces;
}

/** The box of what is in the hole within a box, or null. */
function boxOf(group, {left, top, width, height}) {
  const found = {left: Infinity, top: Infinity, right: -1, bottom: -1};
  for (let y = top; y < top + height; y += 1)
    for (let x = left; x < left + width; x += 1)
      if (group.data[y * group.width + x]) extend(found, y * group.width + x, group.width);
  if (found.right < 0) return null;
  const [w, h] = [found.right - found.left + 1, found.bottom - found.top + 1];
  return {left: found.left, top: found.top, width: w, height: h};
}

/** A view of `side` px, or less in a smaller picture, with the piece as near to the middle as possible. */
function centre(piece, corner, side, picture) {
  const [width, height] = [Math.min(side, picture.width), Math.min(side, picture.height)];
  const place = (start, first, length, extent, whole) => {
    const middle = start + Math.floor((2 * first + length) / 2);
    return Math.min(Math.max(middle - (extent >> 1), 0), whole - extent);
  };
  const left = place(corner.left, piece.left, piece.width, width, picture.width);
  return {left, top: place(corner.top, piece.top, piece.height, height, picture.height), width, height};
}

function targetIn(view, group, piece, corner) {
  const target = new Uint8Array(view.width * view.height);
  for (let y = piece.top; y < piece.top + piece.height; y += 1) {
    for (let x = piece.left; x < piece.left + piece.width; x += 1) {
      const place = (corner.top + y - view.top) * view.width + corner.left + x - view.left;
      target[place] = group.data[y * group.width + x];
    }
  }
  return target;
}

/** The share of a view that is unknown. */
function shareOf(hole, {left, top, width, height}) {
  let sum = 0;
  for (let y = top; y < top + height; y += 1)
    for (let x = left; x < left + width; x += 1) sum += hole.data[y * hole.width + x];
  return sum / (width * height);
}
