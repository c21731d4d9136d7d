"use strict";
// The page refreshes itself; not under somebody's hands: while they read a table or type a search, it rests.
(() => {
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!event.detail.elt.hasAttribute?.("data-poll")) return;
    const part = event.detail.target;
    if (part?.querySelector("details[open]") || part?.contains(document.activeElement?.closest("input"))) event.preventDefault();
  });
})();
