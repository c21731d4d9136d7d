"use strict";
// A file that is dropped anywhere on its box is looked at like one that was chosen.
(() => {
  const box = () => document.querySelector(".drop");
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      if (!event.target.closest?.(".drop")) return;
      event.preventDefault();
      box().classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (event.target === box()) box().classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    if (!event.target.closest?.(".drop")) return;
    event.preventDefault();
    box().classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    document.getElementById("file").files = event.dataTransfer.files;
    box().requestSubmit();
  });
})();
