/**
 * Pixels of pictures: read, resize, write. The arithmetic is that of the Python package, so that answers are the same.
 * @module pixels
 */

/**
 * @typedef {Object} Planes a picture as planes of levels from 0 to 255
 * @property {number} width
 * @property {number} height
 * @property {Uint8ClampedArray[]} planes
 */

const LANCZOS_TAPS = 8;
const QUALITY = 0.95; // of JPEG and WebP
const WRITABLE = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"};

/**
 * Decode a picture, upright, to RGBA planes.
 * @param {Blob} blob
 * @param {number} [side] px; pictures with a longer side are shrunk to it; 0: no limit
 * @returns {Promise<Planes>}
 */
export async function readPlanes(blob, side = 0) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch {
    throw new Error(`${blob.name ?? "The picture"}: this browser cannot read such a file`);
  }
  const {width, height} = bitmap;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const {data} = context.getImageData(0, 0, width, height);
  const planes = [0, 1, 2, 3].map((channel) => {
    const plane = new Uint8ClampedArray(width * height);
    for (let i = 0; i < plane.length; i += 1) plane[i] = data[4 * i + channel];
    return plane;
  });
  const scale = side / Math.max(width, height);
  const picture = {width, height, planes};
  return side && scale < 1 ? resize(picture, roundHalfEven(width * scale), roundHalfEven(height * scale)) : picture;
}

/**
 * Encode a picture in the format of a file, or as PNG where browsers cannot write it.
 * @param {Planes} picture RGB or RGBA
 * @param {File} like
 * @param {string} [suffix] of the name, before its ending
 * @returns {Promise<{name: string, blob: Blob}>}
 */
export async function writePlanes({width, height, planes}, like, suffix = "") {
  const type = like.type in WRITABLE ? like.type : "image/png";
  const pixels = new ImageData(width, height);
  for (let i = 0; i < width * height; i += 1) {
    for (let channel = 0; channel < 3; channel += 1) pixels.data[4 * i + channel] = planes[channel][i];
    pixels.data[4 * i + 3] = planes[3]?.[i] ?? 255;
  }
  const canvas = new OffscreenCanvas(width, height);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  const stem = (like.name ?? "picture").replace(/\.[^.]*$/, "");
  const name = `${stem}${suffix}.${WRITABLE[type]}`;
  return {name, blob: await canvas.convertToBlob({type, quality: QUALITY})};
}

/** Round as Python does: halves to the even neighbour. @param {number} x */
export function roundHalfEven(x) {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 ? down + 1 : down;
}

/** Lay RGBA on white: RGB. @param {Planes} picture @returns {Planes} */
export function onWhitePaper({width, height, planes}) {
  const alpha = planes[3];
  const flat = planes.slice(0, 3).map((plane) => plane.map((level, i) => 255 + ((level - 255) * alpha[i]) / 255));
  return {width, height, planes: flat};
}

/** The luma (ITU-R BT.601) of RGB planes, in OpenCV's fixed-point arithmetic. @param {Uint8ClampedArray[]} planes */
export const toGray = ([red, green, blue]) =>
  red.map((level, i) => (level * 9798 + green[i] * 19235 + blue[i] * 3735 + 16384) >> 15);

/**
 * Resize planes: the mean of areas to shrink, Lanczos to enlarge.
 * @param {Planes} picture
 * @param {number} width px
 * @param {number} height px
 * @param {{labels?: boolean}} [options] labels are not mixed: each pixel is the nearest one
 * @returns {Planes}
 */
export function resize(picture, width, height, {labels = false} = {}) {
  if (picture.width === width && picture.height === height) return picture;
  const shrinks = width * height < picture.width * picture.height;
  const weights = labels ? nearestWeights : shrinks ? areaWeights : lanczosWeights;
  const [columns, rows] = [weights(picture.width, width), weights(picture.height, height)];
  return {
    width,
    height,
    planes: picture.planes.map((plane) => {
      const resized = new plane.constructor(width * height);
      resized.set(resample(resample(plane, picture.width, picture.height, columns), picture.height, width, rows));
      return resized;
    }),
  };
}

/**
 * Resample the rows of a plane, and transpose it.
 * @param {ArrayLike<number>} plane
 * @param {number} width px
 * @param {number} height px
 * @param {[number, number][][]} weights for each new column, pairs of an old one and its weight
 * @returns {Float32Array} of `height` columns and `weights.length` rows
 */
export function resample(plane, width, height, weights) {
  const resized = new Float32Array(weights.length * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < weights.length; x += 1) {
      let sum = 0;
      const pairs = weights[x];
      for (let k = 0; k < pairs.length; k += 1) sum += plane[y * width + pairs[k][0]] * pairs[k][1];
      resized[x * height + y] = sum;
    }
  }
  return resized;
}

/** Resize one plane of numbers. @param {{width: number, height: number, data: ArrayLike<number>}} plane */
export function resizePlane({width, height, data}, newWidth, newHeight, weights) {
  if (width === newWidth && height === newHeight) return {width, height, data: Float32Array.from(data)};
  const turned = resample(data, width, height, weights(width, newWidth));
  return {width: newWidth, height: newHeight, data: resample(turned, height, newWidth, weights(height, newHeight))};
}

/** Weights of the old columns in each new one, by their overlap. */
export function areaWeights(from, to) {
  const scale = from / to;
  return Array.from({length: to}, (_, x) => {
    const [start, stop] = [x * scale, Math.min((x + 1) * scale, from)];
    const pairs = [];
    for (let i = Math.floor(start); i < Math.ceil(stop - 1e-9); i += 1) {
      const overlap = Math.min(i + 1, stop) - Math.max(i, start);
      if (overlap > 1e-9) pairs.push([i, overlap / (stop - start)]);
    }
    return pairs;
  });
}

/** Weights of four old columns on each side of a new one; beyond the edge, the edge is repeated. */
export function lanczosWeights(from, to) {
  const sinc = (t) => (t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t));
  return spread(from, to, LANCZOS_TAPS, (t) => sinc(t) * sinc((2 * t) / LANCZOS_TAPS));
}

/** The one old column of each new one. */
const nearestWeights = (from, to) => Array.from({length: to}, (_, x) => [[Math.floor((x * from) / to), 1]]);

/** Weights of the two nearest old columns. */
export const linearWeights = (from, to) => spread(from, to, 2, (t) => 1 - Math.abs(t));

/** Weights of four old columns around a new one, by a cubic that sharpens as OpenCV's does. */
export const cubicWeights = (from, to) =>
  spread(from, to, 4, (signed) => {
    const [t, a] = [Math.abs(signed), -0.75];
    return t <= 1 ? ((a + 2) * t - (a + 3)) * t * t + 1 : ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  });

/** Weights of the `taps` nearest columns, by their distance; a new picture is centred on the old one. */
function spread(from, to, taps, weightAt) {
  return Array.from({length: to}, (_, x) => {
    const centre = ((x + 0.5) * from) / to - 0.5;
    const first = Math.floor(centre) - taps / 2 + 1;
    const pairs = Array.from({length: taps}, (_, k) => [
      Math.min(from - 1, Math.max(0, first + k)),
      weightAt(centre - first - k),
    ]);
    const total = pairs.reduce((sum, [, weight]) => sum + weight, 0);
    return pairs.map(([column, weight]) => [column, weight / total]);
  });
}
