"use strict";
// Writing never waits: each press of Send stands in the thread at once and goes out in order, each with its own key.
(() => {
  const byId = (id) => document.getElementById(id);
  const form = () => byId("composer");
  const field = () => byId("text");
  const presses = [];
  // What isn't accepted yet stands below everything that is; the thread is ordered by microseconds.
  const AFTER_ALL = 8e15;
  let pressed = 0;
  let busy = false;

  const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const swap = (target, html, swapStyle) => window.htmx.swap(target, html, { swapStyle, settleDelay: 0 }, { contextElement: target });

  // --- the field -------------------------------------------------------------------------------------------------

  function fit() {
    const count = byId("count");
    const length = [...field().value.trim()].length;
    const most = Number(count.dataset.most);
    count.textContent = length ? `${length.toLocaleString("en")} / ${most.toLocaleString("en")}` : "";
    count.classList.toggle("bad", length > most);
    field().style.height = "auto";
    field().style.height = `${field().scrollHeight}px`;
  }

  function keepDraft() {
    if (field().value) localStorage.setItem(form().dataset.draft, field().value);
    else localStorage.removeItem(form().dataset.draft);
    fit();
  }

  function write(text) {
    field().value = text;
    keepDraft();
  }

  const joined = (text, rest) => (rest ? `${text}\n${rest}` : text);

  // --- the queue of presses ----------------------------------------------------------------------------------------

  function send() {
    const text = field().value.trim();
    if (!text) return;
    const item = byId("pending").content.firstElementChild.cloneNode(true);
    item.dataset.at = String(AFTER_ALL);
    item.dataset.id = String((pressed += 1));
    item.querySelector(".text").textContent = text;
    window.inbox.list().append(item);
    byId("messages-scroller").scrollTop = 0;
    presses.push({ url: form().action, draft: form().dataset.draft, text, key: newKey(), item, stuck: false });
    byId("refusal").hidden = true;
    write("");
    next();
  }

  async function next() {
    window.inbox.holdBack = presses.length > 0 && !presses[0].stuck;
    if (busy || !window.inbox.holdBack) return;
    busy = true;
    await deliver(presses[0]);
    busy = false;
    if (!presses.length) window.htmx.trigger("#pulse", "look");
    next();
  }

  async function deliver(press) {
    let answer;
    try {
      answer = await post(press);
    } catch {
      return stop(press, "Not sent yet: no connection.");
    }
    if (answer.status >= 500) return stop(press, "Not sent yet: the server has trouble.");
    presses.shift();
    if (answer.ok) accept(press, answer.html);
    else refuse(press, answer);
  }

  async function post({ url, text, key }) {
    const token = document.querySelector("meta[name=csrf-token]").content;
    const answer = await fetch(url, {
      method: "POST",
      body: new URLSearchParams({ text, key }),
      headers: { "X-CSRFToken": token, "HX-Request": "true", "HX-Current-URL": location.href },
      redirect: "error",
    });
    return { ok: answer.ok, status: answer.status, html: await answer.text() };
  }

  function accept({ item }, html) {
    if (!item.isConnected) return;
    item.remove();
    window.inbox.holdBack = false;
    swap(window.inbox.list(), html, "merge");
  }

  // A refused text goes back to where it was written, and its reason above it.
  function refuse({ item, draft, text }, { status, html }) {
    const known = status === 422;
    if (!known) swap(byId("notices"), html, "innerHTML");
    if (!item.isConnected) {
      localStorage.setItem(draft, joined(text, localStorage.getItem(draft)));
      if (known) swap(byId("notices"), html, "innerHTML");
    } else if (field().value) {
      say(item, known ? "" : "Not sent.", "edit");
      if (known) swap(item.querySelector(".state span"), html, "innerHTML");
    } else {
      item.remove();
      write(text);
      if (known) swap(byId("refusal"), html, "innerHTML");
      byId("refusal").hidden = !known;
    }
  }

  function stop(press, words) {
    press.stuck = true;
    say(press.item, words, "again");
  }

  function goOn() {
    if (!presses[0]?.stuck) return;
    presses[0].stuck = false;
    say(presses[0].item, "Queued", null);
    next();
  }

  function say(item, words, action) {
    item.classList.toggle("failed", action !== null);
    item.querySelector(".state span").textContent = words;
    item.querySelector("[data-again]").hidden = action !== "again";
    item.querySelector("[data-edit]").hidden = action !== "edit";
  }

  function edit(item) {
    item.remove();
    write(joined(item.querySelector(".text").textContent, field().value));
    field().focus();
  }

  // --- what happens ------------------------------------------------------------------------------------------------

  const on = (name, act) => document.addEventListener(name, act);
  on("input", (event) => {
    if (event.target === field()) keepDraft();
  });
  on("keydown", (event) => {
    if (event.target !== field() || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  on("submit", (event) => {
    if (event.target !== form()) return;
    event.preventDefault();
    send();
    field().focus();
  });
  on("click", (event) => {
    if (event.target.closest("[data-again]")) goOn();
    const again = event.target.closest("[data-edit]");
    if (again) edit(again.closest(".message"));
  });
  on("htmx:load", (event) => {
    if (!field() || !event.detail.elt.contains(form())) return;
    if (!field().value) field().value = localStorage.getItem(form().dataset.draft) ?? "";
    fit();
    if (event.detail.elt.id !== "thread") return;
    const roomy = matchMedia("(min-width: 761px) and (hover: hover)").matches;
    (roomy ? field() : byId("thread-title")).focus();
  });
  addEventListener("online", goOn);
  addEventListener("beforeunload", (event) => {
    if (presses.length) event.preventDefault();
  });
})();
