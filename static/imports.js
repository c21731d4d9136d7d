"use strict";
// A file that is dropped anywhere on its box is looked at like one that was chosen; one that is too large stays here.
(() => {
  const box = () => document.querySelector(".drop");
  const file = () => document.getElementById("file");

  const weigh = () => {
    const large = file().files[0]?.size > Number(file().dataset.largest);
    file().setCustomValidity(large ? "The file is larger than 10 MB: split it" : "");
    if (large) file().reportValidity();
  };
  document.addEventListener("change", (event) => {
    if (event.target === file()) weigh();
  });
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
    file().files = event.dataTransfer.files;
    weigh();
    box().requestSubmit();
  });
})();
