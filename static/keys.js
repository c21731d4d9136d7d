"use strict";
// The keyboard, and the panel beside the thread.
(() => {
  const byId = (id) => document.getElementById(id);
  const rows = () => [...document.querySelectorAll("#rows .row a")];
  const panel = () => byId("panel");
  const WIDE = "(min-width: 1200px)";

  // --- the panel -----------------------------------------------------------------------------------------------------

  // It stays open from one conversation to the next where there is room for it beside the thread.
  function remember(open) {
    if (matchMedia(WIDE).matches) document.cookie = `panel=${open ? "open" : "shut"};path=/;max-age=31536000;samesite=lax`;
  }

  const isOpen = () => panel() && !panel().hidden && (matchMedia(WIDE).matches || !panel().classList.contains("kept"));

  function show(open) {
    panel().hidden = !open;
    panel().classList.remove("kept");
    byId("panel-toggle").setAttribute("aria-expanded", String(open));
    remember(open);
  }

  async function openPanel() {
    await window.htmx.ajax("GET", panel().dataset.url, { target: "#panel", swap: "innerHTML" });
    if (!byId("panel-title")) return;
    show(true);
    byId("panel-title").focus();
  }

  function closePanel() {
    show(false);
    byId("panel-toggle").focus();
  }

  const togglePanel = () => (isOpen() ? closePanel() : openPanel());

  // --- the keys --------------------------------------------------------------------------------------------------------

  function move(by) {
    const all = rows();
    const place = all.findIndex((row) => row.matches("[aria-current]"));
    const next = all[place < 0 ? 0 : place + by];
    if (!next) return;
    window.inbox.stay = true;
    next.focus();
    next.scrollIntoView({ block: "nearest" });
    next.click();
  }

  const KEYS = {
    j: () => move(1),
    k: () => move(-1),
    "/": () => byId("search").focus(),
    r: () => byId("text")?.focus(),
    p: () => panel() && togglePanel(),
    "?": () => byId("shortcuts").showModal(),
  };
  const WRITING = "input:not([type=radio]), textarea, select, [contenteditable]";

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") return leave(event);
    if (event.target.closest(WRITING) || !(event.key in KEYS)) return;
    event.preventDefault();
    KEYS[event.key]();
  });

  function leave(event) {
    if (event.defaultPrevented || document.querySelector("details.menu[open]")) return;
    if (panel()?.contains(event.target)) closePanel();
    else if (event.target.matches("#text, #search")) event.target.blur();
  }

  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-panel-toggle]");
    if (toggle && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      togglePanel();
    }
    if (event.target.closest("[data-panel-close]")) closePanel();
    if (event.isTrusted && event.target.closest("#rows .row a")) window.inbox.stay = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === " " && event.target.matches?.("[data-panel-toggle]")) {
      event.preventDefault();
      togglePanel();
    }
  });
})();
