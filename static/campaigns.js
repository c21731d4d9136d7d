"use strict";
// The form of a new campaign: placeholders go in where the cursor stands, and the text's length is counted.
(() => {
  const field = () => document.getElementById("content");

  function count() {
    const shown = document.getElementById("count");
    const length = [...field().value.trim()].length;
    const most = Number(shown.dataset.most);
    shown.textContent = length ? `${length.toLocaleString("en")} / ${most.toLocaleString("en")}` : "";
    shown.classList.toggle("bad", length > most);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-insert]");
    if (!button) return;
    const { selectionStart, selectionEnd } = field();
    field().focus();
    field().setRangeText(button.dataset.insert, selectionStart, selectionEnd, "end");
    field().dispatchEvent(new Event("input", { bubbles: true }));
  });
  document.addEventListener("input", (event) => {
    if (event.target === field()) count();
  });
  // A new outlook brings a new button, and a press that began on the old one would launch nothing.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (document.querySelector(".launch:active")) event.detail.shouldSwap = false;
  });
  document.addEventListener("DOMContentLoaded", count);
})();
