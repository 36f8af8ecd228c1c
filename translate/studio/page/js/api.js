/**
 * Calls of the HTTP API of this server, and no other.
 * @module api
 */

/** An answer that is no success; its message is the server's one line. */
export class ApiError extends Error {
  /** @param {string} message @param {number} status */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * Fetch from the API. While the queue is full, wait as long as the server says and try again, three times at most.
 * @param {string} path such as "models", below api/
 * @param {RequestInit} [init]
 * @returns {Promise<Response>}
 * @throws {ApiError} with the server's line
 */
export async function call(path, init = {}) {
  for (let attempt = 0; ; attempt += 1) {
    let response;
    try {
      response = await fetch(`api/${path}`, init);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ApiError("The server does not answer. Is it still running?", 0);
    }
    if (response.ok) return response;
    if (response.status === 503 && attempt < 3) {
      await wait(1000 * Math.min(10, Number(response.headers.get("Retry-After")) || 1), init.signal);
      continue;
    }
    throw new ApiError(await errorLine(response), response.status);
  }
}

/** Wait, unless aborted. @param {number} ms @param {AbortSignal} [signal] */
function wait(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), reject(signal.reason)), {once: true});
  });
}

/** The line that explains a failed answer. @param {Response} response */
async function errorLine(response) {
  try {
    const {error} = await response.json();
    if (error) return String(error);
  } catch {
    // not JSON: a proxy, or a program that is not ours
  }
  return `The server answered ${response.status}.`;
}

/** GET JSON. @param {string} path @param {AbortSignal} [signal] */
export const getJson = async (path, signal) => (await call(path, {signal})).json();

/** POST JSON, and read JSON. @param {string} path @param {Object} body @param {AbortSignal} [signal] */
export const postJson = async (path, body, signal) =>
  (
    await call(path, {
      method: "POST",
      signal,
      body: JSON.stringify(body),
      headers: {"Content-Type": "application/json", Accept: "application/json"},
    })
  ).json();

/** @returns {Promise<Object[]>} the models, as /api/models describes them */
export const getModels = async () => (await getJson("models")).models;

/**
 * Build a form; null, undefined and "" are left out, lists of numbers become JSON.
 * @param {Object<string, any>} fields values, blobs, or [blob, file name]
 */
export function formOf(fields) {
  const form = new FormData();
  for (const [key, value] of Object.entries(fields)) {
    if (value === null || value === undefined || value === "") continue;
    if (value instanceof Blob) form.append(key, value, value.name ?? `${key}.png`);
    else if (Array.isArray(value)) form.append(key, JSON.stringify(value));
    else form.append(key, String(value));
  }
  return form;
}

/**
 * POST a form, and read the pictures of the answer.
 * @param {string} path "translate" or "fill"
 * @param {Object<string, any>} fields as for `formOf`
 * @param {AbortSignal} [signal]
 * @returns {Promise<{name: string, blob: Blob, z: number[]|null}[]>} all at once; a model that runs in the page itself
 *   also shows some before the last one is ready
 */
export async function postForPictures(path, fields, signal) {
  const response = await call(path, {
    method: "POST",
    body: formOf(fields),
    signal,
    headers: {Accept: "application/json"},
  });
  return picturesOf(await response.json());
}

/**
 * Decode the pictures of a JSON answer.
 * @param {{images: {name: string, type: string, data: string, z?: number[]}[]}} answer
 */
export function picturesOf(answer) {
  return answer.images.map((image) => ({
    ...image,
    blob: new Blob([bytesOf(image.data)], {type: image.type}),
    z: image.z ?? null,
    data: undefined,
  }));
}

/** Decode base64. @param {string} text @returns {Uint8Array} */
function bytesOf(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** Read the look of a photo. @param {Blob} image @param {string} model @returns {Promise<number[]>} */
export async function readLook(image, model) {
  const response = await call("look", {method: "POST", body: formOf({image, model})});
  return (await response.json()).z;
}

/** Draw the lines of a photo. @param {Blob} image @returns {Promise<Blob>} a PNG */
export async function drawLines(image) {
  return (await call("sketch", {method: "POST", body: formOf({image})})).blob();
}

/**
 * POST a form with one picture, and read the answer as a file.
 * @param {string} path "translate" or "fill"
 * @param {Object<string, any>} fields as for `formOf`
 * @param {AbortSignal} [signal]
 * @returns {Promise<{name: string, blob: Blob}>} in its own format, with the name that translate_folder would give it
 */
export async function postForFile(path, fields, signal) {
  const response = await call(path, {method: "POST", body: formOf(fields), signal});
  const name = /filename\*=UTF-8''([^;]+)/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
  return {name: name ? decodeURIComponent(name) : fields.image.name, blob: await response.blob()};
}

/** Load a model before it is needed; that it fails is said when it is needed. @param {string} model */
export const warm = (model) => postJson("warm", {model}).catch(() => {});

/**
 * POST a form to an endpoint that takes its time, and follow its progress.
 * @param {string} path "edit" or "project"
 * @param {Object<string, any>} fields as for `formOf`
 * @param {(share: number) => void} onprogress receives 0 to 1
 * @param {AbortSignal} [signal] aborted: the computation ends, too
 * @returns {Promise<Object>} the last line of the answer
 */
export async function postWithProgress(path, fields, onprogress, signal) {
  const response = await call(path, {method: "POST", body: formOf(fields), signal, headers: {Accept: "application/x-ndjson"}});
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let last = null;
  for (let {value, done} = await reader.read(); !done; {value, done} = await reader.read()) {
    const lines = (text + value).split("\n");
    text = lines.pop();
    for (const line of lines) {
      last = JSON.parse(line);
      if ("progress" in last) onprogress(last.progress);
    }
  }
  if (text) last = JSON.parse(text);
  if (!last || "progress" in last) throw new ApiError("The answer broke off. Is the server still running?", 0);
  if (last.error) throw new ApiError(String(last.error), last.status);
  return last;
}
