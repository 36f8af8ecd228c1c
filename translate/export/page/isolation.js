/*
 * A service worker that adds two headers to the files of this folder. Only pages with these headers may use threads
 * that share memory (cross-origin isolation), and most static servers do not send them.
 */
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => event.respondWith(isolate(event.request)));

async function isolate(request) {
  const response = await fetch(request);
  if (response.status === 0 || response.status === 304) return response;
  const headers = new Headers(response.headers);
  headers.set("Cross-Origin-Opener-Policy", "same-origin");
  headers.set("Cross-Origin-Embedder-Policy", "require-corp");
  headers.set("Cross-Origin-Resource-Policy", "same-origin");
  return new Response(response.body, {status: response.status, statusText: response.statusText, headers});
}
