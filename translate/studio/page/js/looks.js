/**
 * Looks: latent codes of a style, and the way between two of them.
 * @module looks
 */

/**
 * Blend two looks as `translate.blend` does: directions on an arc (Shoemake, 1985), lengths on a line.
 * @param {number[]} one
 * @param {number[]} two
 * @param {number} t 0: one, 1: two
 * @returns {number[]}
 */
export function blend(one, two, t) {
  const straight = one.map((value, i) => (1 - t) * value + t * two[i]);
  const [lengthOne, lengthTwo] = [Math.hypot(...one), Math.hypot(...two)];
  if (Math.min(lengthOne, lengthTwo) === 0) return straight;
  const [u, v] = [one.map((value) => value / lengthOne), two.map((value) => value / lengthTwo)];
  const angle = Math.acos(
    Math.min(
      1,
      Math.max(
        -1,
        u.reduce((sum, value, i) => sum + value * v[i], 0),
      ),
    ),
  );
  if (Math.sin(angle) < 1e-4) return straight;
  const length = (1 - t) * lengthOne + t * lengthTwo;
  const [a, b] = [Math.sin((1 - t) * angle) / Math.sin(angle), Math.sin(t * angle) / Math.sin(angle)];
  return u.map((value, i) => length * (a * value + b * v[i]));
}

/** Whether two looks are the same. @param {number[]|null} [one] @param {number[]|null} [two] */
export const sameLook = (one, two) => Boolean(one && two) && one.every((value, i) => value === two[i]);
