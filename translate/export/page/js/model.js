/**
 * The model of the page: questions in, pictures out, prepared and finished as the Python package does.
 * @module model
 */
import {prepareDrawing} from "./drawing.js";
import {fillHole} from "./inpainting.js";
import {Noise} from "./noise.js";
import {onWhitePaper, readPlanes, resize, roundHalfEven, toGray, writePlanes} from "./pixels.js";
import {Runtime} from "./runtime.js";
import {cropTensor, frameFor, padTensor, toPlanes, toTensor} from "./tensors.js";

const CHECKED_PX = 64; // side of the picture by which a GPU is checked
const WHITE = 1; // of values in [-1, 1]
const NO_STROKE = -1;

/** A model that is loaded. */
export class Model {
  /**
   * @param {Object} site what the exporter wrote in site.json
   * @param {Runtime} runtime
   */
  constructor(site, runtime) {
    Object.assign(this, {site, runtime, facts: site.model});
  }

  /**
   * @param {string|null} device as for `Runtime.load`
   * @param {(progress: {done: number, total: number}) => void} onprogress
   */
  static async load(device, onprogress) {
    const response = await fetch(new URL("../site.json", import.meta.url));
    const site = await response.json();
    const model = new Model(site, await Runtime.load(site, device, onprogress));
    await model.#check();
    return model;
  }

  /**
   * Answer a question, part by part.
   * @param {string} kind
   * @param {Object<string, any>} fields
   */
  answer(kind, fields) {
    const answers = {
      load: () => this.#state(),
      translate: () => this.#translate(fields),
      look: () => this.#look(fields),
      generate: () => this.#generate(fields),
      fill: () => this.#fill(fields),
    };
    return answers[kind]();
  }

  async *#state() {
    yield {device: this.runtime.device, threads: this.runtime.threads};
  }

  // ---- translation

  /** @yields {{name: string, blob: Blob, z: number[]|null}} one answer after the other */
  async *#translate(fields) {
    const network = this.#networkFor(fields.direction);
    const picture = await readPlanes(fields.image, fields.side ?? 0);
    const {inputs, frame} = await this.#prepare(network.recipe, picture, fields);
    const codes = this.#codesFor(fields);
    for (const [k, z] of codes.entries()) {
      const output = await this.#run(network, {...inputs, ...this.#style(z)});
      const answer = this.#finish(network.recipe, toPlanes(output, frame), picture);
      const written = await writePlanes(answer, fields.image, codes.length > 1 ? `_${k + 1}` : "");
      yield {...written, z: this.facts.many ? z : null};
    }
  }

  #networkFor(direction) {
    const {networks} = this.site;
    return networks.find(({recipe}) => direction && recipe.direction === direction) ?? networks[0];
  }

  /** Read the look of a photo; one that is no square is laid on white, as products are photographed. */
  async *#look({image}) {
    const network = this.site.networks.find(({recipe}) => recipe.kind === "look");
    const {recipe} = network;
    const photo = onWhitePaper(await readPlanes(image));
    const scale = recipe.size / Math.max(photo.width, photo.height);
    const [width, height] = [photo.width, photo.height].map((side) => Math.max(1, roundHalfEven(side * scale)));
    const fitted = resize(photo, width, height);
    const planes = recipe.channels[0] === 1 ? [toGray(fitted.planes)] : fitted.planes;
    const {data} = await this.#run(network, {picture: toTensor(planes, frameFor(width, height, recipe), WHITE)});
    yield Array.from(data);
  }

  /** Convert a picture, and its hints if there are any, to the inputs of a network. */
  async #prepare(recipe, picture, {hints, image}) {
    const [width, height] = networkSize(recipe, picture);
    let rgb = recipe.paired ? onWhitePaper(picture) : {...picture, planes: picture.planes.slice(0, 3)};
    if (recipe.sketch) rgb = prepareDrawing(rgb, Math.min(width, height), image.name);
    const fitted = resize(rgb, width, height, {labels: recipe.labels});
    const planes = recipe.channels[0] === 1 ? [toGray(fitted.planes)] : fitted.planes;
    const frame = frameFor(width, height, recipe);
    // mirrored edges would add lines to a drawing
    const inputs = {picture: toTensor(planes, frame, recipe.sketch ? WHITE : null)};
    if (this.facts.hints) inputs.hints = await this.#prepareHints(hints, frame);
    return {inputs, frame};
  }

  async #prepareHints(hints, frame) {
    const [width, height] = frame.inner;
    const none = Array.from({length: 4}, () => new Uint8ClampedArray(width * height));
    const strokes = hints ? resize(await readPlanes(hints), width, height).planes : none;
    return toTensor(strokes, frame, NO_STROKE);
  }

  /** Resize an answer to the picture's size; unpaired models keep transparency. */
  #finish(recipe, answer, picture) {
    const resized = resize(answer, picture.width, picture.height);
    const [first, second = first, third = first] = resized.planes;
    const planes = [first, second, third];
    return {...resized, planes: recipe.paired ? planes : [...planes, picture.planes[3]]};
  }

  // ---- inpainting

  /** @yields {{name: string, blob: Blob}} the picture with its hole filled, one answer after the other */
  async *#fill({image, mask, count, seed}) {
    const [network] = this.site.networks;
    const picture = await readPlanes(image);
    const hole = mask
      ? Uint8Array.from((await readPlanes(mask)).planes[0], (level) => Number(level > 127))
      : Uint8Array.from(picture.planes[3], (level) => Number(level < 255));
    if (hole.every((inside) => inside)) throw new Error(`${image.name}: the hole is the whole picture`);
    const {looks, seeds, looks_per_seed: perSeed} = this.site;
    for (let k = 0; k < (count ?? 1); k += 1) {
      const variant = (seed * perSeed + k) % seeds.length;
      const drawn = Number.isInteger(seed) ? {z: looks[variant], seed: seeds[variant]} : {z: this.site.typical, seed: 0};
      const pass = (planes, unknown) => this.#paint(network, planes, unknown, drawn);
      const filled = await fillHole(picture, hole, this.facts.size, pass);
      const suffix = count > 1 ? `_${k + 1}` : "";
      yield {...(await writePlanes(filled, {name: image.name, type: "image/png"}, suffix)), z: null};
    }
  }

  /** One pass of an inpainting network: planes in [0, 1] and the hole, to planes in [0, 1]. */
  async #paint(network, planes, hole, {z, seed}) {
    const {recipe} = network;
    const [{width, height}] = planes;
    const frame = frameFor(width, height, recipe);
    const [red, green, blue] = planes.map(({data}) => data);
    const luma = (value, i) => 0.299 * value + 0.587 * green[i] + 0.114 * blue[i];
    const colours = recipe.channels[0] === 1 ? [red.map(luma)] : [red, green, blue];
    const signed = (plane) => plane.map((value) => 2 * value - 1);
    const given = {picture: padTensor(colours.map(signed), frame, null), mask: padTensor([signed(hole.data)], frame, null)};
    const output = await this.#run(network, {...given, ...this.#style(z)}, seed);
    const [first, second = first, third = first] = cropTensor(output, frame);
    const unit = (value) => Math.min(1, Math.max(0, (value + 1) / 2));
    return [first, second, third].map((plane) => ({width, height, data: plane.map(unit)}));
  }

  // ---- generation

  /** @yields {{name: string, blob: Blob}} the samples of consecutive seeds */
  async *#generate({seed, count, label}) {
    const [network] = this.site.networks;
    const {length} = this.facts.labels;
    for (let k = seed; k < seed + count; k += 1) {
      const weights = new Float32Array(length);
      if (length) weights[label === "" ? k % length : Number(label)] = 1;
      const given = {...this.#style(this.site.looks[k % this.site.looks.length])};
      const output = await this.#run(network, {...given, label: {data: weights, dims: [1, length]}});
      const [height, width] = output.dims.slice(2);
      const {planes} = toPlanes(output, {left: 0, top: 0, inner: [width, height]});
      const [first, second = first, third = first] = planes;
      const picture = {width, height, planes: [first, second, third]};
      yield writePlanes(picture, {name: `sample_${k}`, type: "image/png"});
    }
  }

  // ---- styles

  /** The style codes that are asked for. */
  #codesFor({z, seed, count, strength}) {
    const {looks, looks_per_seed: perSeed, typical} = this.site;
    if (z) return [z];
    if (strength !== null && strength !== undefined) return [[strength]];
    if (seed === null || seed === undefined || !looks.length) return [typical];
    return Array.from({length: count ?? 1}, (_, k) => looks[(seed * perSeed + k) % looks.length]);
  }

  #style(z) {
    return z?.length ? {z: {data: Float32Array.from(z), dims: [1, z.length]}} : {};
  }

  // ---- networks

  /** Run a network with those of the inputs that it has, and its noise. */
  #run(network, given, seed = 0) {
    const [first] = Object.values(given);
    const sizes = sizesOf(...first.dims.slice(-2));
    const noise = new Noise(seed);
    const inputs = {};
    for (const {name, shape} of network.recipe.inputs) {
      const dims = shape.map((size) => sizes[size] ?? size);
      inputs[name] = name.endsWith("noise") ? {dims, data: noise.normal(product(dims))} : given[name];
    }
    return this.runtime.run(this.site.networks.indexOf(network), inputs);
  }

  async #check() {
    const [{recipe}] = this.site.networks;
    const {width, height} = frameFor(CHECKED_PX, CHECKED_PX, recipe);
    const sizes = sizesOf(height, width);
    const inputs = {};
    for (const {name, shape} of recipe.inputs) {
      const dims = shape.map((size) => sizes[size] ?? size);
      inputs[name] = {dims, data: Float32Array.from({length: product(dims)}, (_, i) => Math.sin(i * i * 0.37))};
    }
    await this.runtime.check(0, inputs);
  }
}

/** The numbers behind the symbols in the shapes of inputs. */
const sizesOf = (height, width) => ({batch: 1, height, width, "height/8": height >> 3, "width/8": width >> 3});

const product = (numbers) => numbers.reduce((result, number) => result * number, 1);

/** A model that was trained on whole pictures has seen objects at one scale only. */
function networkSize(recipe, {width, height}) {
  const shorter = Math.min(width, height);
  if (!recipe.whole || shorter === recipe.size) return [width, height];
  return [width, height].map((side) => roundHalfEven((side * recipe.size) / shorter));
}
