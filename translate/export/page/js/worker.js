/**
 * The worker that keeps the model: one question after the other, so that the page never stands still.
 * @module worker
 */
import {Model} from "./model.js";

const cancelled = new Set();
let queue = Promise.resolve();
/** @type {Promise<Model>|null} */
let loading = null;

/** Let messages come in, such as a cancellation; await alone would not. */
const breathe = () => new Promise((resolve) => setTimeout(resolve));

/** The model, loaded on the first question; after a failure, the next question tries again. */
function load(device, onprogress) {
  loading ??= Model.load(device, onprogress);
  loading.catch(() => (loading = null));
  return loading;
}

async function answer({id, kind, fields, device}) {
  try {
    const model = await load(device, (progress) => postMessage({id, progress}));
    await breathe();
    for await (const part of model.answer(kind, fields)) {
      postMessage({id, part});
      await breathe();
      if (cancelled.has(id)) break;
    }
    postMessage({id, done: true});
  } catch (error) {
    postMessage({id, error: lineOf(error)});
  }
  cancelled.delete(id);
}

/** One line for the page. */
function lineOf(error) {
  const [line] = String(error?.message ?? error).split("\n");
  if (/bad_alloc|out of memory|allocat|RangeError/i.test(`${error?.name} ${line}`))
    return "The picture is too large for this browser's memory; choose a smaller size.";
  return line;
}

addEventListener("message", ({data}) => {
  if ("cancel" in data) cancelled.add(data.cancel);
  else queue = queue.then(() => (cancelled.delete(data.id) ? null : answer(data)));
});
