/**
 * What the pages ask of a model, answered in the page itself: the calls of the studio's `api.js`, without a server.
 * @module api
 */

/** An answer that is no success; its message is one line. */
export class ApiError extends Error {}

const worker = new Worker(new URL("worker.js", import.meta.url), {type: "module"});
const jobs = new Map();
let nextId = 0;

worker.addEventListener("message", ({data: {id, part, progress, done, error}}) => {
  const job = jobs.get(id);
  if (!job) return;
  if (progress) job.onprogress?.(progress);
  if (part) job.onpart(part);
  if (done) job.resolve();
  if (error) job.reject(new ApiError(error));
  if (done || error) jobs.delete(id);
});
worker.addEventListener("error", (event) => {
  event.preventDefault();
  const reason = event.message ? ` (${event.message})` : "";
  for (const job of jobs.values()) job.reject(new ApiError(`The model cannot run in this browser${reason}.`));
  jobs.clear();
});

/**
 * Ask the worker, and collect the parts of its answer.
 * @param {string} kind of the question, as `worker.js` knows it
 * @param {Object<string, any>} fields
 * @param {{signal?: AbortSignal, onpart?: (parts: any[]) => void, onprogress?: (progress: Object) => void}} [options]
 *   onpart is called after each part, with all so far
 * @returns {Promise<any[]>}
 */
function ask(kind, fields, {signal, onpart, onprogress} = {}) {
  const id = nextId++;
  const parts = [];
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    signal?.addEventListener("abort", () => {
      worker.postMessage({cancel: id});
      jobs.delete(id);
      reject(signal.reason);
    });
    jobs.set(id, {
      reject,
      onprogress,
      resolve: () => resolve(parts),
      onpart: (part) => {
        parts.push(part);
        onpart?.([...parts]);
      },
    });
    worker.postMessage({id, kind, fields, device: new URLSearchParams(location.search).get("device")});
  });
}

/**
 * Load the model, and report how it goes.
 * @param {(progress: {done: number, total: number}) => void} onprogress in bytes
 * @returns {Promise<{device: "webgpu"|"wasm", threads: number}>}
 */
export const loadModel = async (onprogress) => (await ask("load", {}, {onprogress}))[0];

/** Load the model before it is needed; that it fails is said when it is needed. */
export const warm = () => ask("load", {}).catch(() => {});

/**
 * Answer with pictures.
 * @param {string} path "translate", "fill" or "generate"
 * @param {Object<string, any>} fields
 * @param {AbortSignal} [signal]
 * @param {(answers: Object[]) => void} [onsome] receives the answers so far, while more are to come
 * @returns {Promise<{name: string, blob: Blob, z: number[]|null}[]>}
 */
export function postForPictures(path, fields, signal, onsome) {
  const count = fields.count ?? 1;
  return ask(path, fields, {signal, onpart: (parts) => parts.length < count && onsome?.(parts)});
}

/**
 * Answer with one file, named as the picture.
 * @param {string} path "translate"
 * @param {Object<string, any>} fields
 * @param {AbortSignal} [signal]
 * @returns {Promise<{name: string, blob: Blob}>}
 */
export const postForFile = async (path, fields, signal) => (await ask(path, fields, {signal}))[0];

/** Read the look of a photo. @param {Blob} image @returns {Promise<number[]>} */
export const readLook = async (image) => (await ask("look", {image}))[0];

/** Lines of photos are drawn by the studio's server alone. */
export const drawLines = () => Promise.reject(new ApiError("Lines of photos are drawn in the studio alone."));
