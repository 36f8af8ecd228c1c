/**
 * Planes of levels to the inputs of a network, and back.
 * @module tensors
 */

/**
 * @typedef {{data: Float32Array, dims: number[]}} Tensor
 * @typedef {{width: number, height: number, left: number, top: number, inner: [number, number]}} Frame the padded size,
 *   and where the picture, of `inner` width and height, is in it
 */

/**
 * Choose the size that a network takes, with the picture in the middle.
 * @param {number} width px
 * @param {number} height px
 * @param {{multiple: number, min_side: number}} recipe of the network; smaller pictures would be shrunk to nothing
 * @returns {Frame}
 */
export function frameFor(width, height, {multiple, min_side: least}) {
  const padded = (side) => Math.ceil(Math.max(side, least) / multiple) * multiple;
  const [w, h] = [padded(width), padded(height)];
  return {width: w, height: h, left: (w - width) >> 1, top: (h - height) >> 1, inner: [width, height]};
}

/**
 * Convert planes to a tensor (1, C, H, W) in [-1, 1], padded.
 * @param {ArrayLike<number>[]} planes levels from 0 to 255
 * @param {Frame} frame
 * @param {number|null} [fill] the value of the padding; null: the picture is mirrored at its edge, or its edge repeated
 *   where it is too small for that
 * @returns {Tensor}
 */
export function toTensor(planes, frame, fill = null) {
  const values = planes.map((plane) => Float32Array.from(plane, (level) => Math.fround(level / 127.5) - 1));
  return padTensor(values, frame, fill);
}

/** Lay planes of values into a frame. @param {Float32Array[]} planes @returns {Tensor} */
export function padTensor(planes, frame, fill) {
  const {width, height} = frame;
  const [innerWidth, innerHeight] = frame.inner;
  const columns = placesOf(width, frame.left, innerWidth);
  const rows = placesOf(height, frame.top, innerHeight);
  const data = new Float32Array(planes.length * width * height).fill(fill ?? 0);
  for (const [channel, plane] of planes.entries()) {
    for (let y = 0; y < height; y += 1) {
      if (fill !== null && (y < frame.top || y >= frame.top + innerHeight)) continue;
      for (let x = 0; x < width; x += 1) {
        if (fill !== null && (x < frame.left || x >= frame.left + innerWidth)) continue;
        data[(channel * height + y) * width + x] = plane[rows[y] * innerWidth + columns[x]];
      }
    }
  }
  return {data, dims: [1, planes.length, height, width]};
}

/** For each place of a padded row, the place of the picture that it shows. */
function placesOf(padded, before, length) {
  const mirrors = Math.max(before, padded - length - before) < length;
  return Int32Array.from({length: padded}, (_, i) => {
    const place = i - before;
    if (!mirrors) return Math.min(length - 1, Math.max(0, place));
    if (place < 0) return -place;
    return place < length ? place : 2 * (length - 1) - place;
  });
}

/**
 * Convert a tensor (1, C, H, W) in [-1, 1] to planes, without its padding.
 * @param {Tensor} tensor
 * @param {Frame} frame
 * @returns {import("./pixels.js").Planes} rounded and clamped
 */
export function toPlanes(tensor, frame) {
  const [width, height] = frame.inner;
  const cropped = cropTensor(tensor, frame);
  const planes = cropped.map((plane) => Uint8ClampedArray.from(plane, (value) => ((value + 1) / 2) * 255));
  return {width, height, planes};
}

/** Cut the padding off. @param {Tensor} tensor @param {Frame} frame @returns {Float32Array[]} */
export function cropTensor({data, dims}, frame) {
  const [, channels, height, width] = dims;
  const [innerWidth, innerHeight] = frame.inner;
  return Array.from({length: channels}, (_, channel) => {
    const plane = new Float32Array(innerWidth * innerHeight);
    for (let y = 0; y < innerHeight; y += 1) {
      const start = (channel * height + frame.top + y) * width + frame.left;
      plane.set(data.subarray(start, start + innerWidth), y * innerWidth);
    }
    return plane;
  });
}
