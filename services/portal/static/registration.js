// The check that a person sits there does its calculation in a worker of its own, and begins once it knows which: this
// script may come later than the widget's.
(() => {
  "use strict";
  const form = document.querySelector("[data-worker]");
  if (!form || !globalThis.$altcha) return;
  globalThis.$altcha.algorithms.set("SHA-256", () => new Worker(form.dataset.worker));
  globalThis.$altcha.defaults.set({ humanInteractionSignature: false, hideFooter: true, hideLogo: true });
  for (const widget of form.querySelectorAll("altcha-widget")) widget.setAttribute("auto", "onload");
})();
