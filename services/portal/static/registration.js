// The check that a person sits there does its calculation in a worker of its own.
(() => {
  "use strict";
  const form = document.querySelector("[data-worker]");
  if (!form || !globalThis.$altcha) return;
  globalThis.$altcha.algorithms.set("SHA-256", () => new Worker(form.dataset.worker));
  globalThis.$altcha.defaults.set({ humanInteractionSignature: false, hideFooter: true, hideLogo: true });
})();
