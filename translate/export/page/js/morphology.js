/**
 * Morphology of planes.
 * @module morphology
 */

/** @typedef {{width: number, height: number, data: Float32Array}} Plane */

/**
 * Take the maximum over a window around each pixel; beyond the edge there is nothing.
 * @param {Plane} plane
 * @param {number} side of the window, px; the middle of an even one is right of and below its centre
 * @param {{round?: boolean}} [options] round: an ellipse instead of a square
 * @returns {Plane}
 */
export function dilate(plane, side, {round = false} = {}) {
  return round ? overRows(plane, side, ellipse(side)) : alongBoth(plane, side, Math.max);
}

/** Take the minimum over a square window around each pixel. @param {Plane} plane @param {number} side px, odd */
export const erode = (plane, side) => alongBoth(plane, side, Math.min);

function alongBoth(plane, side, choose) {
  if (side <= 1) return plane;
  const turned = alongRows(plane, side, choose);
  return alongRows(turned, side, choose);
}

/** One direction of a square window; the result is transposed. */
function alongRows({width, height, data}, side, choose) {
  const before = side >> 1;
  const chosen = new Float32Array(width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const stop = Math.min(width, x - before + side);
      let value = data[y * width + x];
      for (let i = Math.max(0, x - before); i < stop; i += 1) value = choose(value, data[y * width + i]);
      chosen[x * height + y] = value;
    }
  }
  return {width: height, height: width, data: chosen};
}

/** The rows of an ellipse of a side, as [row, first column, column behind the last], as OpenCV draws it. */
function ellipse(side) {
  const radius = side >> 1;
  return Array.from({length: side}, (_, i) => {
    const dy = i - radius;
    const reach = radius ? Math.round(radius * Math.sqrt((radius * radius - dy * dy) / (radius * radius))) : 0;
    return [dy, Math.max(radius - reach, 0) - radius, Math.min(radius + reach + 1, side) - radius];
  });
}

/** The maximum over a window that is given by its rows. */
function overRows({width, height, data}, side, rows) {
  const highest = new Float32Array(width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      let value = data[y * width + x];
      for (const [dy, first, stop] of rows) {
        if (y + dy < 0 || y + dy >= height) continue;
        const [from, to] = [Math.max(0, x + first), Math.min(width, x + stop)];
        for (let i = from; i < to; i += 1) value = Math.max(value, data[(y + dy) * width + i]);
      }
      highest[y * width + x] = value;
    }
  }
  return {width, height, data: highest};
}

/**
 * Blur by a Gaussian; the picture is mirrored at its edge.
 * @param {Plane} plane
 * @param {number} sigma px
 * @param {number} [reach] px, of the kernel to each side
 * @returns {Plane}
 */
export function blur(plane, sigma, reach = (Math.round(sigma * 8 + 1) | 1) >> 1) {
  const weights = Array.from({length: 2 * reach + 1}, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const kernel = weights.map((weight) => weight / total);
  return blurRows(blurRows(plane, kernel, reach), kernel, reach);
}

/** One direction of a blur; the result is transposed. */
function blurRows({width, height, data}, kernel, reach) {
  const blurred = new Float32Array(width * height);
  for (let x = 0; x < width; x += 1) {
    const columns = kernel.map((_, i) => mirror(x + i - reach, width));
    for (let y = 0; y < height; y += 1) {
      let sum = 0;
      for (let i = 0; i < kernel.length; i += 1) sum += kernel[i] * data[y * width + columns[i]];
      blurred[x * height + y] = sum;
    }
  }
  return {width: height, height: width, data: blurred};
}

/** The place of a row that a mirrored place shows. */
function mirror(place, length) {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const folded = ((place % period) + period) % period;
  return folded < length ? folded : period - folded;
}

/**
 * Number the connected areas of a plane of 0 and 1; diagonal neighbours are connected.
 * @param {Plane} plane
 * @returns {{labels: Int32Array, areas: number[]}} 0 is the ground; areas in pixels
 */
export function labelAreas({width, height, data}) {
  const labels = new Int32Array(width * height);
  const areas = [0];
  for (let start = 0; start < data.length; start += 1) {
    if (!data[start] || labels[start]) continue;
    const label = areas.length;
    const stack = [start];
    labels[start] = label;
    let area = 0;
    while (stack.length) {
      const place = stack.pop();
      area += 1;
      const [x, y] = [place % width, Math.floor(place / width)];
      for (let v = Math.max(0, y - 1); v <= Math.min(height - 1, y + 1); v += 1) {
        for (let u = Math.max(0, x - 1); u <= Math.min(width - 1, x + 1); u += 1) {
          const next = v * width + u;
          if (!data[next] || labels[next]) continue;
          labels[next] = label;
          stack.push(next);
        }
      }
    }
    areas.push(area);
  }
  return {labels, areas};
}

// Steps of a chamfer distance (Borgefors, 1986, 5 x 5): across, diagonal, knight's move
const [ACROSS, DIAGONAL, KNIGHT] = [1, 1.4, 2.1969];
const BEHIND = [
  [-1, 0, ACROSS], [0, -1, ACROSS], [-1, -1, DIAGONAL], [1, -1, DIAGONAL],
  [-1, -2, KNIGHT], [1, -2, KNIGHT], [-2, -1, KNIGHT], [2, -1, KNIGHT],
]; // prettier-ignore

/**
 * The distance of each pixel of a figure to the paper around it, px.
 * @param {Plane} plane 1 in the figure, 0 elsewhere
 * @param {number} [beyond] the distance of what lies beyond the edge: 0, it is paper; or Infinity, it is not
 * @returns {Plane}
 */
export function distanceToPaper({width, height, data}, beyond = 0) {
  const distances = data.map((inside) => (inside ? Infinity : 0));
  const at = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? beyond : distances[y * width + x]);
  const relax = (x, y, sign) => {
    const place = y * width + x;
    if (!distances[place]) return;
    for (const [dx, dy, step] of BEHIND) {
      const distance = at(x + sign * dx, y + sign * dy) + step;
      if (distance < distances[place]) distances[place] = distance;
    }
  };
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) relax(x, y, 1);
  for (let y = height - 1; y >= 0; y -= 1) for (let x = width - 1; x >= 0; x -= 1) relax(x, y, -1);
  return {width, height, data: distances};
}
