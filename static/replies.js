"use strict";
// The menu of saved replies: `/` opens it, typing narrows it, Enter or Tab inserts, Escape leaves.
(() => {
  const byId = (id) => document.getElementById(id);
  const menu = () => byId("replies");
  const field = () => byId("text");
  const TYPED = /(^|\s)\/([a-z0-9-]*)$/i;
  let dismissed = false;

  const typed = () => field().value.slice(0, field().selectionStart).match(TYPED);
  const options = () => [...menu().querySelectorAll("[role=option]:not([hidden])")];
  const chosen = () => menu().querySelector("[aria-selected=true]");
  const isOpen = () => menu() && !menu().hidden;

  function choose(option) {
    chosen()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) field().setAttribute("aria-activedescendant", option.id);
    else field().removeAttribute("aria-activedescendant");
  }

  function close() {
    if (!isOpen()) return;
    menu().hidden = true;
    choose(null);
  }

  async function load() {
    if (menu().dataset.loaded) return;
    menu().dataset.loaded = "yes";
    await window.htmx.ajax("GET", menu().dataset.src, { target: "#replies-list", swap: "innerHTML" });
  }

  async function look() {
    const found = typed();
    if (!found) dismissed = false;
    if (!found || dismissed) return close();
    await load();
    if (!typed()) return close();
    const words = typed()[2].toLowerCase();
    for (const option of menu().querySelectorAll("[data-shortcut]")) {
      const { shortcut, text } = option.dataset;
      option.hidden = !shortcut.startsWith(words) && !text.toLowerCase().includes(words);
    }
    const first = options()[0];
    if (!first && words) return close();
    menu().hidden = false;
    choose(first);
  }

  function insert(option) {
    const { value, selectionStart: caret } = field();
    const begin = caret - typed()[2].length - 1;
    field().setRangeText(option.dataset.text, begin, caret, "end");
    close();
    field().dispatchEvent(new Event("input", { bubbles: true }));
    field().focus();
  }

  function step(by) {
    const all = options();
    choose(all[(all.indexOf(chosen()) + by + all.length) % all.length]);
  }

  const KEYS = {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    Enter: () => insert(chosen()),
    Tab: () => insert(chosen()),
    Escape: () => {
      dismissed = true;
      close();
    },
  };

  // Before the composer hears of it, or Enter would send.
  document.addEventListener("keydown", (event) => {
    if (event.target !== field() || !isOpen() || !(event.key in KEYS) || event.shiftKey || event.isComposing) return;
    if (event.key !== "Escape" && !chosen()?.dataset.shortcut) return;
    event.preventDefault();
    event.stopPropagation();
    KEYS[event.key]();
  }, true);
  document.addEventListener("input", (event) => {
    if (event.target === field()) look();
  });
  document.addEventListener("click", (event) => {
    const option = event.target.closest("#replies [data-shortcut]");
    if (option) return insert(option);
    if (event.target.closest("[data-replies]")) {
      if (isOpen()) return close();
      if (!typed()) field().setRangeText(/\S$/.test(field().value.slice(0, field().selectionStart)) ? " /" : "/", field().selectionStart, field().selectionEnd, "end");
      dismissed = false;
      field().focus();
      field().dispatchEvent(new Event("input", { bubbles: true }));
    } else if (!event.target.closest("#replies, #text")) close();
  });
})();
