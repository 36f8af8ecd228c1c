/**
 * Pictures in the browser: decode, convert, encode.
 * @module pictures
 */

/**
 * Decode a picture, or return null if this browser cannot show its kind.
 * @param {Blob} blob
 * @returns {Promise<ImageBitmap|null>}
 */
export async function decode(blob) {
  try {
    return await createImageBitmap(blob);
  } catch {
    return null;
  }
}

/** Encode a canvas as PNG. @param {HTMLCanvasElement} canvas @returns {Promise<Blob>} */
export const toPng = (canvas) =>
  new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("The picture is too large for this browser."))),
      "image/png",
    ),
  );

/**
 * Copy a picture to a canvas.
 * @param {ImageBitmap|HTMLImageElement} picture
 * @param {number} maxSide px; larger pictures are shrunk
 */
export function toCanvas(picture, maxSide = 1024) {
  const [width, height] = [picture.naturalWidth ?? picture.width, picture.naturalHeight ?? picture.height];
  const scale = Math.min(1, maxSide / Math.max(width, height));
  const canvas = document.createElement("canvas");
  Object.assign(canvas, {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  });
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/**
 * Make the paper of a drawing transparent: black ink whose opacity is the darkness of the drawing.
 * @param {HTMLCanvasElement} canvas changed in place
 */
export function keepInk(canvas) {
  const context = canvas.getContext("2d");
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const {data} = pixels;
  for (let i = 0; i < data.length; i += 4) {
    const luminance = 0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2];
    const alpha = ((255 - luminance) * data[i + 3]) / 255;
    data[i] = data[i + 1] = data[i + 2] = 0;
    data[i + 3] = alpha < 12 ? 0 : alpha; // not the grain of the paper
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** Lay a layer on white. @param {HTMLCanvasElement} layer @returns {HTMLCanvasElement} changed in place */
export function onWhite(layer) {
  const context = layer.getContext("2d");
  Object.assign(context, {globalCompositeOperation: "destination-over", fillStyle: "#ffffff"});
  context.fillRect(0, 0, layer.width, layer.height);
  return layer;
}

/**
 * Convert painted strokes to a mask: white where they are, black elsewhere, nothing between.
 * @param {HTMLCanvasElement} layer changed in place
 */
export function toMask(layer) {
  const context = layer.getContext("2d");
  const pixels = context.getImageData(0, 0, layer.width, layer.height);
  const words = new Uint32Array(pixels.data.buffer);
  const opaque = new Uint8ClampedArray(pixels.data.buffer);
  for (let i = 0; i < words.length; i += 1) words[i] = opaque[4 * i + 3] > 127 ? 0xffffffff : 0xff000000;
  context.putImageData(pixels, 0, 0);
  return layer;
}

/**
 * Convert a mask file to a stamp: `colour` in its hole, transparent elsewhere. The hole is what is transparent; in
 * opaque masks, white or black, whichever is less.
 * @param {HTMLCanvasElement} canvas changed in place
 * @param {[number, number, number]} colour
 */
export function maskToStamp(canvas, colour) {
  const context = canvas.getContext("2d");
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const {data} = pixels;
  let [white, clear] = [0, 0];
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] < 128) clear += 1;
    else if (data[i] > 127) white += 1;
  }
  const inAlpha = clear > 0;
  const whiteIsHole = 2 * white <= canvas.width * canvas.height; // the hole is the smaller part
  for (let i = 0; i < data.length; i += 4) {
    const hole = inAlpha ? data[i + 3] < 128 : data[i] > 127 === whiteIsHole;
    data.set([...colour, hole ? 255 : 0], i);
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** The pictures of a paste or a drop. @param {DataTransfer|null} transfer @returns {File[]} */
export const filesOf = (transfer) => [...(transfer?.files ?? [])].filter((file) => file.size > 0);
