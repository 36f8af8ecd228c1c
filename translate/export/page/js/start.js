/*
 * Runs before the modules, and without them. Browsers load no modules from files, so the page says what it needs. From
 * a server, a service worker lets the model run in several threads, which takes one reload; main.js awaits `isolation`.
 */
self.isolation = (async () => {
  const tried = "isolation-tried";
  const longest = 5000; // ms; then the page goes on with one thread
  if (location.protocol === "file:") {
    addEventListener("DOMContentLoaded", () => (document.getElementById("needs-server").hidden = false));
    return;
  }
  if (self.crossOriginIsolated || !self.isSecureContext || !navigator.serviceWorker) return;
  if (sessionStorage.getItem(tried)) return; // never in a circle
  sessionStorage.setItem(tried, "true");
  const ready = navigator.serviceWorker.register("isolation.js").then(() => navigator.serviceWorker.ready);
  const late = new Promise((resolve) => setTimeout(resolve, longest));
  if (!(await Promise.race([ready.catch(() => null), late]))) return;
  location.reload();
  await new Promise(() => {}); // the page that is left loads nothing more
})();
