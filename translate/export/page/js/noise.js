/**
 * The normal noise that torch draws on a processor, so that a seed gives the answer that Python gives.
 * @module noise
 */

const [STATE, SHIFT] = [624, 397]; // of the Mersenne Twister (Matsumoto and Nishimura, 1998)
const BLOCK = 16; // numbers that torch makes at once: eight radii and eight angles
const UNIT = 2 ** -24;

/** Draws as torch does after `torch.manual_seed(seed)`. */
export class Noise {
  /** @param {number} seed its lower 32 bits count */
  constructor(seed) {
    this.words = new Uint32Array(STATE);
    this.words[0] = seed;
    for (let i = 1; i < STATE; i += 1) {
      const before = this.words[i - 1] ^ (this.words[i - 1] >>> 30);
      this.words[i] = Math.imul(1812433253, before) + i;
    }
    this.next = STATE;
  }

  /** Draw N(0, 1). @param {number} count 16 or more @returns {Float32Array} */
  normal(count) {
    const drawn = Float32Array.from({length: count}, () => this.#uniform());
    const whole = count - (count % BLOCK);
    for (let start = 0; start < whole; start += BLOCK) toNormal(drawn.subarray(start, start + BLOCK));
    if (whole < count) {
      const last = Float32Array.from({length: BLOCK}, () => this.#uniform()); // the last 16 are drawn again
      toNormal(last);
      drawn.set(last, count - BLOCK);
    }
    return drawn;
  }

  /** In [0, 1), of 24 bits. */
  #uniform() {
    if (this.next === STATE) this.#twist();
    let word = this.words[this.next++];
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    word ^= word >>> 18;
    return (word & 0xffffff) * UNIT;
  }

  #twist() {
    const {words} = this;
    for (let i = 0; i < STATE; i += 1) {
      const mixed = (words[i] & 0x80000000) | (words[(i + 1) % STATE] & 0x7fffffff);
      words[i] = words[(i + SHIFT) % STATE] ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
    }
    this.next = 0;
  }
}

/** Turn a block of uniform numbers into normal ones, in place (Box and Muller, 1958). @param {Float32Array} block */
function toNormal(block) {
  for (let i = 0; i < BLOCK / 2; i += 1) {
    const radius = Math.fround(Math.sqrt(Math.fround(-2 * Math.fround(Math.log(Math.fround(1 - block[i]))))));
    const angle = Math.fround(Math.fround(2 * Math.PI) * block[i + BLOCK / 2]);
    block[i] = radius * Math.fround(Math.cos(angle));
    block[i + BLOCK / 2] = radius * Math.fround(Math.sin(angle));
  }
}
