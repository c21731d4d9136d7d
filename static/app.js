"use strict";
// What every page needs: polls that rest while nobody looks, notices, the question before a risky step, drafts, times.
(() => {
  const DRAFT = "draft:";
  const byId = (id) => document.getElementById(id);

  document.cookie = [
    `zone=${Intl.DateTimeFormat().resolvedOptions().timeZone}`,
    "path=/",
    "max-age=31536000",
    "samesite=lax",
    ...(location.protocol === "https:" ? ["secure"] : []),
  ].join(";");

  // Copying a style attribute from the old element to the new one is what the policy refuses.
  if (window.htmx) window.htmx.config.attributesToSettle = [];

  const on = (name, act) => document.addEventListener(name, act);
  const isPoll = (element) => element?.hasAttribute?.("data-poll");

  on("htmx:beforeRequest", (event) => {
    if (isPoll(event.detail.elt) && document.hidden) event.preventDefault();
  });

  // A poll's answer belongs to the page that asked; when another conversation was opened meanwhile, nobody wants it.
  on("htmx:beforeOnLoad", (event) => {
    if (isPoll(event.detail.elt) && !event.detail.elt.isConnected) event.preventDefault();
  });

  on("visibilitychange", () => {
    if (!document.hidden) document.querySelectorAll("[data-poll]").forEach((element) => window.htmx?.trigger(element, "look"));
  });

  // The server words every error for people; here it only gets its place.
  on("htmx:beforeSwap", (event) => {
    // The event's own `elt` is where the answer goes, not who asked.
    const { xhr, requestConfig: { elt } } = event.detail;
    if (xhr.status < 400 || (isPoll(elt) && xhr.status >= 500)) return;
    event.detail.shouldSwap = true;
    event.detail.isError = false;
    if (xhr.status === 422 && elt.hasAttribute("data-refusals")) return;
    event.detail.target = byId("notices");
    event.detail.swapOverride = "innerHTML";
    if (xhr.status === 401) document.querySelectorAll("[data-poll]").forEach((element) => element.remove());
  });

  const lost = (event) => {
    if (event.detail.elt.isConnected) document.body.classList.add("offline");
  };
  on("htmx:sendError", lost);
  on("htmx:responseError", lost);
  on("htmx:afterOnLoad", (event) => {
    if (event.detail.xhr.status < 500) document.body.classList.remove("offline");
  });

  on("htmx:confirm", (event) => {
    if (!event.detail.question) return;
    event.preventDefault();
    const dialog = byId("question");
    byId("question-text").textContent = event.detail.question;
    dialog.returnValue = "";
    dialog.onclose = () => {
      if (dialog.returnValue === "yes") event.detail.issueRequest(true);
    };
    dialog.showModal();
  });
  on("click", (event) => {
    const button = event.target.closest("#question button");
    if (button) byId("question").close(button.value);
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  on("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  on("submit", (event) => {
    if (!event.target.hasAttribute("data-forget-drafts")) return;
    Object.keys(localStorage).filter((key) => key.startsWith(DRAFT)).forEach((key) => localStorage.removeItem(key));
  });

  // Only the young times change by themselves; the server writes the rest.
  const MINUTE = 60_000;
  const refreshTimes = () => {
    for (const time of document.querySelectorAll("time[data-ago]")) {
      const minutes = Math.floor((Date.now() - Date.parse(time.dateTime)) / MINUTE);
      if (minutes < 1) time.textContent = "now";
      else if (minutes < 60) time.textContent = `${minutes} min`;
      else if (minutes < 120) time.textContent = "1 h";
    }
  };
  setInterval(refreshTimes, MINUTE / 2);
})();
