"use strict";
// The table of fans: choosing many, and what is done with them; without scripts the form works all the same.
(() => {
  const picks = () => [...document.querySelectorAll('.roster [name="fan"]')];

  const show = () => {
    const bulk = document.getElementById("bulk");
    if (!bulk) return;
    const all = bulk.querySelector('[name="everybody"]');
    const chosen = picks().filter((box) => box.checked).length;
    const some = chosen > 0 || all?.checked === true;
    bulk.classList.toggle("ready", some);
    document.getElementById("chosen").textContent = all?.checked ? "All chosen" : some ? `${chosen} chosen` : "";
    const head = document.getElementById("pick-all");
    if (head) {
      head.checked = chosen > 0 && chosen === picks().length;
      head.indeterminate = chosen > 0 && !head.checked;
    }
  };

  document.documentElement.classList.add("scripted");
  document.addEventListener("change", (event) => {
    if (event.target.id === "pick-all") picks().forEach((box) => (box.checked = event.target.checked));
    if (event.target.closest(".roster, .bulk")) show();
  });
  // A row that became a form, or a form that became a row again: the keyboard goes on where it was.
  document.addEventListener("htmx:afterSwap", (event) => {
    show();
    const row = document.getElementById(event.detail.target.id);
    if (row?.matches("tr")) row.querySelector("[autofocus], .acts a")?.focus();
  });
  document.addEventListener("DOMContentLoaded", show);
})();
