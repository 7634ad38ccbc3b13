// What htmx does not do by itself. Every page also works without this file.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  const say = (text) => {
    const room = document.getElementById("toasts");
    if (!room || !text) return;
    const toast = document.createElement("p");
    toast.className = "toast";
    toast.textContent = text;
    room.replaceChildren(toast);
    setTimeout(() => toast.remove(), 4000);
  };

  // Boxes of a form: a box is saved when the person leaves it with something changed.
  const dirty = new Set();
  const boxOf = (element) => element.closest && element.closest("[data-box]");
  const ignored = (element) => element.matches("[data-find]");

  document.addEventListener("input", (event) => {
    const box = boxOf(event.target);
    if (box && !ignored(event.target)) dirty.add(box.dataset.box);
  });

  const saveBox = (box) => {
    if (!box || !box.hasAttribute("data-autosave") || !dirty.has(box.dataset.box) || !window.htmx) return;
    dirty.delete(box.dataset.box);
    window.htmx.trigger(box, "save");
  };

  document.addEventListener("focusin", (event) => {
    const here = boxOf(event.target);
    for (const key of [...dirty]) {
      const box = document.getElementById(`box-${key}`);
      if (box && box !== here) saveBox(box);
    }
  });

  document.addEventListener("focusout", (event) => {
    const box = boxOf(event.target);
    if (!box || (event.relatedTarget && box.contains(event.relatedTarget))) return;
    setTimeout(() => {
      if (document.hasFocus() && !box.contains(document.activeElement)) saveBox(box);
    }, 0);
  });

  // A form waits for boxes that are still being saved or queue for it, and is sent once.
  let pending = 0;
  let waiting = null;
  const goOn = () => {
    if (pending > 0 || !waiting) return;
    const { form, submitter } = waiting;
    waiting = null;
    form.requestSubmit(submitter && submitter.form === form ? submitter : null);
  };
  document.addEventListener("htmx:beforeSend", () => { pending += 1; });
  document.addEventListener("htmx:afterRequest", () => {
    pending -= 1;
    setTimeout(goOn, 0); // by then the next of the queue is on its way
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[hx-get], [hx-post]") && !(event.submitter && event.submitter.hasAttribute("data-plain"))) return;
    if (form.method !== "post") return;
    if (pending > 0) {
      event.preventDefault();
      waiting = { form, submitter: event.submitter };
      return;
    }
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    dirty.clear();
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });
  window.addEventListener("beforeunload", (event) => {
    if (dirty.size) event.preventDefault();
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const box = boxOf(event.target);
    if (box && event.detail.failed && event.detail.xhr.status !== 422) dirty.add(box.dataset.box);
  });
  // What is put right loses its mark.
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    const list = event.detail.target;
    if (!list || !list.id.startsWith("problems-")) return;
    const now = document.getElementById(list.id);
    const box = now && now.closest(".box");
    if (!box || now.querySelector("li")) return;
    box.classList.remove("box-bad", "box-warn");
    for (const field of box.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  });
  document.addEventListener("htmx:sendError", () => say(document.body.dataset.offline));
  document.addEventListener("htmx:responseError", (event) => {
    const ended = document.getElementById("ended");
    if (event.detail.xhr.status !== 401 || !ended) return say(document.body.dataset.failed);
    ended.hidden = false;
  });

  // Whoever signs in again in another window and comes back goes on where he was, with the forms' new token.
  const saveAll = () => [...dirty].forEach((key) => saveBox(document.getElementById(`box-${key}`)));
  const resume = async () => {
    const ended = document.getElementById("ended");
    if (!ended || ended.hidden) return;
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const headers = page.body.getAttribute("hx-headers");
    document.body.setAttribute("hx-headers", headers);
    for (const field of document.querySelectorAll("input[name=form_token]")) field.value = JSON.parse(headers)["X-Form-Token"];
    ended.hidden = true;
    say(document.body.dataset.back);
    saveAll();
  };
  window.addEventListener("online", saveAll);
  window.addEventListener("focus", () => resume().catch(() => {}));
  document.addEventListener("said", (event) => say(event.detail.value));

  // After a refusal the reader is taken to the list of what is wrong.
  document.addEventListener("htmx:afterSettle", (event) => {
    const summary = event.target.querySelector && event.target.querySelector("#problems");
    if (summary) summary.focus();
  });

  // The organisation picker: type a name or a code, choose with the arrow keys.
  const optionsOf = (find) => [...document.getElementById(find.getAttribute("aria-controls")).querySelectorAll("[role=option]")];
  const point = (find, option) => {
    for (const each of optionsOf(find)) each.setAttribute("aria-selected", String(each === option));
    if (option) {
      find.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else {
      find.removeAttribute("aria-activedescendant");
    }
  };
  const fold = (find) => {
    document.getElementById(find.getAttribute("aria-controls")).replaceChildren();
    find.setAttribute("aria-expanded", "false");
    find.removeAttribute("aria-activedescendant");
  };
  const choose = (find, option) => {
    const picker = find.closest("[data-picker]");
    const value = picker.querySelector("[data-value]");
    value.value = option.dataset.id;
    find.value = "";
    fold(find);
    const box = boxOf(picker);
    show(picker, option.dataset.name);
    keep(box);
  };

  const show = (picker, name) => {
    const row = picker.querySelector("[data-chosen-row]");
    row.querySelector("[data-chosen]").parentElement.querySelectorAll(":scope > :not([data-chosen])").forEach((each) => each.remove());
    row.querySelector("[data-chosen]").textContent = name;
    row.hidden = !name;
    picker.classList.toggle("chosen-already", Boolean(name));
    picker.classList.remove("changing");
  };

  const keep = (box) => {
    if (!box) return;
    dirty.add(box.dataset.box);
    saveBox(box);
  };

  document.addEventListener("keydown", (event) => {
    const find = event.target;
    if (!find.matches || !find.matches("[data-find]")) return;
    const options = optionsOf(find);
    const at = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!options.length) return;
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      point(find, options[(at + step + options.length) % options.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      const option = options[at] || (options.length === 1 ? options[0] : null);
      if (option) choose(find, option);
    } else if (event.key === "Escape") {
      fold(find);
    }
  });

  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest("[data-picker] [role=option]");
    if (!option) return;
    event.preventDefault();
    choose(option.closest("[data-picker]").querySelector("[data-find]"), option);
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    const find = document.querySelector(`[data-find][aria-controls="${event.target.id}"]`);
    if (!find) return;
    const options = optionsOf(find);
    find.setAttribute("aria-expanded", String(options.length > 0));
    point(find, options.length === 1 ? options[0] : null);
  });

  document.addEventListener("focusout", (event) => {
    if (event.target.matches && event.target.matches("[data-find]")) setTimeout(() => fold(event.target), 150);
  });

  // A button that leaves the page does so although its form belongs to htmx.
  document.addEventListener("htmx:confirm", (event) => {
    const submitter = event.detail.triggeringEvent && event.detail.triggeringEvent.submitter;
    if (!submitter || !submitter.hasAttribute("data-plain")) return;
    event.preventDefault();
    const form = submitter.form;
    form.action = submitter.formAction;
    form.method = submitter.formMethod || form.method;
    if (submitter.name) {
      const said = document.createElement("input");
      said.type = "hidden";
      said.name = submitter.name;
      said.value = submitter.value;
      form.append(said);
    }
    HTMLFormElement.prototype.submit.call(form);
  });

  // How much of a file has been sent.
  document.addEventListener("htmx:xhr:progress", (event) => {
    const bar = event.target.closest && event.target.closest("[data-upload]") && event.target.querySelector("progress");
    if (!bar || !event.detail.lengthComputable) return;
    bar.hidden = false;
    bar.value = (100 * event.detail.loaded) / event.detail.total;
  });

  // One tick for a whole column.
  document.addEventListener("change", (event) => {
    const all = event.target.closest && event.target.closest("[data-all]");
    if (!all) return;
    for (const each of all.form.querySelectorAll(`input[type=checkbox][name="${all.dataset.all}"]`)) each.checked = all.checked;
  });

  // Menus close when the reader goes elsewhere.
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const change = event.target.closest("[data-change]");
    if (change) {
      const picker = change.closest("[data-picker]");
      picker.classList.add("changing");
      picker.querySelector("[data-find]").focus();
    }
    const clear = event.target.closest("[data-clear]");
    if (clear) {
      const picker = clear.closest("[data-picker]");
      picker.querySelector("[data-value]").value = "";
      show(picker, "");
      picker.querySelector("[data-find]").focus();
      keep(boxOf(picker));
    }
    const empty = event.target.closest("[data-empty]");
    if (empty) document.getElementById(empty.dataset.empty).value = "";
    const copy = event.target.closest("[data-copy]");
    if (copy && navigator.clipboard) navigator.clipboard.writeText(copy.dataset.copy).then(() => say(copy.dataset.copied));
    const print = event.target.closest("[data-print]");
    if (print) window.print();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // A file dropped anywhere on the page goes to the form that waits for one.
  const taker = () => document.querySelector("form[data-drop]");
  const bringsFile = (event) => taker() && event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  const outline = (on) => taker().classList.toggle("drop-here", on);

  document.addEventListener("dragover", (event) => {
    if (!bringsFile(event)) return;
    event.preventDefault();
    outline(true);
  });

  document.addEventListener("dragleave", (event) => {
    if (taker() && !event.relatedTarget) outline(false);
  });

  document.addEventListener("drop", (event) => {
    if (!bringsFile(event)) return;
    event.preventDefault();
    outline(false);
    const form = taker();
    form.querySelector("input[type=file]").files = event.dataTransfer.files;
    form.requestSubmit();
  });

  document.addEventListener("DOMContentLoaded", () => {
    const summary = document.getElementById("problems");
    if (summary && !location.hash) summary.focus();
  });
})();
