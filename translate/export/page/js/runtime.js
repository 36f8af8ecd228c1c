/**
 * onnxruntime-web: on the GPU by WebGPU where there is one, else on the processor by WebAssembly, with as many threads
 * as the server allows.
 * @module runtime
 */

const ORT = new URL("../ort/", import.meta.url).href;
// WebGPU is asked through JavaScript Promise Integration, whose build is much smaller than the one without.
const BUILDS = {
  wasm: {script: "ort.wasm.min.mjs", binary: "ort-wasm-simd-threaded.wasm"},
  webgpu: {script: "ort.jspi.min.mjs", binary: "ort-wasm-simd-threaded.jspi.wasm"},
};
const MAX_THREADS = 8; // more only wait for each other
const MAX_DIFFERENCE = 4 / 255; // of outputs in [-1, 1], from the processor's to the GPU's: 2 levels

/** Whether this browser has a real GPU that onnxruntime can use; a GPU imitated by the processor is slower than that. */
async function hasGpu() {
  if (!("gpu" in navigator) || !("Suspending" in WebAssembly)) return false;
  const adapter = await navigator.gpu.requestAdapter({powerPreference: "high-performance"}).catch(() => null);
  return Boolean(adapter) && !adapter.info?.isFallbackAdapter;
}

/** Networks that are loaded, on one device. */
export class Runtime {
  /**
   * @param {Object} ort the module
   * @param {"webgpu"|"wasm"} device
   * @param {Uint8Array[]} files the networks, kept to load them anew on another device
   */
  constructor(ort, device, files) {
    Object.assign(this, {ort, device, files, sessions: []});
  }

  /**
   * Download onnxruntime and the networks.
   * @param {{networks: {file: string, bytes: number}[], runtime: Object<string, number>}} site file sizes in bytes
   * @param {string|null} device "webgpu" or "wasm"; null: the best
   * @param {(progress: {done: number, total: number}) => void} onprogress
   */
  static async load(site, device, onprogress) {
    const chosen = device ?? ((await hasGpu()) ? "webgpu" : "wasm");
    const {script, binary} = BUILDS[chosen] ?? BUILDS.wasm;
    const total = site.runtime[binary] + site.networks.reduce((sum, network) => sum + network.bytes, 0);
    let done = 0;
    const count = (bytes) => onprogress({done: (done += bytes), total});
    const [ort, wasm, ...files] = await Promise.all([
      import(ORT + script),
      download(ORT + binary, count),
      ...site.networks.map(({file}) => download(new URL(`../${file}`, import.meta.url).href, count)),
    ]);
    Object.assign(ort.env.wasm, {wasmPaths: ORT, wasmBinary: wasm.buffer, numThreads: threads()});
    ort.env.logLevel = "error";
    const runtime = new Runtime(ort, chosen, files);
    await runtime.open(chosen);
    return runtime;
  }

  get threads() {
    return threads();
  }

  /** Build the sessions. @param {"webgpu"|"wasm"} device */
  async open(device) {
    const options = {executionProviders: [device], logSeverityLevel: 3}; // errors alone
    this.device = device;
    this.sessions = [];
    for (const file of this.files) this.sessions.push(await this.ort.InferenceSession.create(file, options));
  }

  /**
   * Keep the GPU only if its answer to a small question is the processor's.
   * @param {number} network
   * @param {Object<string, {data: Float32Array, dims: number[]}>} inputs
   */
  async check(network, inputs) {
    if (this.device !== "webgpu") return;
    let onGpu = null;
    try {
      onGpu = await this.run(network, inputs);
    } catch {
      // drivers fail in many ways: the processor goes on
    }
    const gpuSessions = this.sessions;
    await this.open("wasm");
    const expected = await this.run(network, inputs);
    const differs = (value, i) => !(Math.abs(value - onGpu.data[i]) <= MAX_DIFFERENCE); // true for NaN, too
    if (!onGpu || expected.data.some(differs)) return;
    for (const session of this.sessions) await session.release();
    Object.assign(this, {device: "webgpu", sessions: gpuSessions});
  }

  /**
   * Run a network.
   * @param {number} network
   * @param {Object<string, {data: Float32Array, dims: number[]}>} inputs by name
   * @returns {Promise<{data: Float32Array, dims: number[]}>} its one output
   */
  async run(network, inputs) {
    const session = this.sessions[network];
    const feeds = {};
    for (const [name, {data, dims}] of Object.entries(inputs)) {
      const type = data instanceof BigInt64Array ? "int64" : "float32";
      feeds[name] = new this.ort.Tensor(type, data, dims);
    }
    const outputs = await session.run(feeds);
    const output = outputs[session.outputNames[0]];
    return {data: await output.getData(), dims: output.dims};
  }
}

const threads = () => (self.crossOriginIsolated ? Math.min(MAX_THREADS, navigator.hardwareConcurrency || 1) : 1);

/**
 * Download a file, and report its bytes as they come.
 * @param {string} url
 * @param {(bytes: number) => void} onbytes
 * @returns {Promise<Uint8Array>}
 */
async function download(url, onbytes) {
  const name = url.split("/").at(-1);
  let response;
  try {
    response = await fetch(url);
  } catch {
    throw new Error(`${name} cannot be loaded. Is the server still running?`);
  }
  if (!response.ok) throw new Error(`${name} is missing on the server (${response.status}); copy the whole folder.`);
  const chunks = [];
  let length = 0;
  for (const reader = response.body.getReader(); ; ) {
    const {value, done} = await reader.read();
    if (done) break;
    chunks.push(value);
    length += value.length;
    onbytes(value.length);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
