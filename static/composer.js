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

  const EXTRAS = ["media", "price", "send_at", "priority"];
  const links = () => form().elements.media.value.split("\n").filter((line) => line.trim());
  const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

  function fit() {
    const count = byId("count");
    const length = [...field().value.trim()].length;
    const most = Number(count.dataset.most);
    count.textContent = length ? `${length.toLocaleString("en")} / ${most.toLocaleString("en")}` : "";
    count.classList.toggle("bad", length > most);
    count.classList.toggle("near", length > most * 0.9);
    field().style.height = "auto";
    field().style.height = `${field().scrollHeight}px`;
    showExtras();
  }

  // What is chosen besides the text stands beside its tool, so that nothing goes out unseen.
  function showExtras() {
    const { price, send_at: at, priority } = form().elements;
    const words = {
      media: [links().length && plural(links().length, "link"), price.value.trim() && `$${price.value.trim().replace(/^\$/, "")}`].filter(Boolean).join(", "),
      send_at: at.value && new Date(at.value).toLocaleString([], { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }),
      priority: { normal: "Normal", low: "Low" }[priority.value],
    };
    for (const [name, value] of Object.entries(words)) form().querySelector(`[data-value=${name}]`).textContent = value || "";
    form().classList.toggle("later", Boolean(at.value));
    form().querySelector(".send").setAttribute("aria-label", at.value ? "Schedule" : "Send");
  }

  const read = () => ({ text: field().value, ...Object.fromEntries(EXTRAS.map((name) => [name, form().elements[name].value])) });
  const isEmpty = (draft) => !draft.text && !draft.media && !draft.price && !draft.send_at && draft.priority === "high";

  function fill(draft) {
    field().value = draft.text ?? "";
    for (const name of EXTRAS) form().elements[name].value = draft[name] ?? (name === "priority" ? "high" : "");
  }

  function keepDraft() {
    store(form().dataset.draft, read());
    fit();
  }

  function store(key, draft) {
    if (isEmpty(draft)) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(draft));
  }

  function stored(key) {
    try {
      return JSON.parse(localStorage.getItem(key)) ?? {};
    } catch {
      return {};
    }
  }

  function write(draft) {
    fill(draft);
    keepDraft();
  }

  // What comes back stands before what was begun meanwhile, whose media, price and time win.
  function joined(back, begun) {
    const given = Object.fromEntries(Object.entries(begun).filter(([name, value]) => value && !(name === "priority" && value === "high")));
    return { ...back, ...given, text: begun.text ? `${back.text}\n${begun.text}` : back.text };
  }

  // --- the queue of presses ----------------------------------------------------------------------------------------

  function send() {
    const draft = { ...read(), text: field().value.trim() };
    if (!draft.text) return;
    const item = byId("pending").content.firstElementChild.cloneNode(true);
    item.dataset.at = String(AFTER_ALL);
    item.dataset.id = String((pressed += 1));
    item.querySelector(".text").textContent = draft.text;
    window.inbox.list().append(item);
    byId("messages-scroller").scrollTop = 0;
    heed(document.querySelector("#others [data-seen]")?.dataset.seen);
    presses.push({ url: form().action, key: form().dataset.draft, draft, seen: form().elements.seen.value, once: newKey(), item, stuck: false });
    byId("refusal").hidden = true;
    for (const tool of form().querySelectorAll("details[open]")) tool.open = false;
    write({});
    next();
  }

  // The note that somebody else answered was in sight when this was sent: that is known now.
  function heed(seen) {
    if (!seen) return;
    form().elements.seen.value = seen;
    byId("others").replaceChildren();
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
    if (answer.seen && press.item.isConnected) return ask(press, answer);
    presses.shift();
    if (answer.ok) accept(press, answer.html);
    else refuse(press, answer);
  }

  async function post({ url, draft, seen, once }) {
    const token = document.querySelector("meta[name=csrf-token]").content;
    const answer = await fetch(url, {
      method: "POST",
      body: new URLSearchParams({ ...draft, seen, key: once }),
      headers: { "X-CSRFToken": token, "HX-Request": "true", "HX-Current-URL": location.href },
      redirect: "error",
    });
    return { ok: answer.ok, status: answer.status, seen: answer.headers.get("X-Seen"), html: await answer.text() };
  }

  function accept({ item }, html) {
    if (!item.isConnected) return;
    item.remove();
    window.inbox.holdBack = false;
    swap(window.inbox.list(), html, "merge");
  }

  // A refused text goes back to where it was written, and its reason above it.
  function refuse({ item, key, draft }, { status, html }) {
    const known = status === 422;
    if (!known) swap(byId("notices"), html, "innerHTML");
    if (!item.isConnected) {
      store(key, joined(draft, stored(key)));
      if (known) swap(byId("notices"), html, "innerHTML");
    } else if (!isEmpty(read())) {
      item.draft = draft;
      say(item, known ? "" : "Not sent.", "edit");
      if (known) swap(item.querySelector(".state span"), html, "innerHTML");
    } else {
      item.remove();
      write(draft);
      if (known) swap(byId("refusal"), html, "innerHTML");
      byId("refusal").hidden = !known;
    }
  }

  // Somebody else answered meanwhile: this one waits, and those behind it, until its author says what to do.
  function ask(press, { seen, html }) {
    for (const waiting of presses) waiting.seen = seen;
    if (press.item.isConnected) form().elements.seen.value = seen;
    press.item.draft = press.draft;
    press.asked = true;
    stop(press, "", "Send all the same");
    swap(press.item.querySelector(".state span"), html, "innerHTML");
    press.item.querySelector("[data-edit]").hidden = false;
    window.htmx.trigger("#pulse", "look");
  }

  function stop(press, words, offer = "Try again") {
    press.stuck = true;
    say(press.item, words, "again");
    press.item.querySelector("[data-again]").textContent = offer;
  }

  function goOn() {
    if (!presses[0]?.stuck) return;
    presses[0].stuck = presses[0].asked = false;
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
    const place = presses.findIndex((press) => press.item === item);
    if (place >= 0) presses.splice(place, 1);
    item.remove();
    write(joined(item.draft, read()));
    field().focus();
    next();
  }

  // Whoever leaves a question open finds the text again where it was written.
  function giveBack() {
    if (!presses[0]?.asked || presses[0].item.isConnected) return;
    const { key, draft } = presses.shift();
    store(key, joined(draft, stored(key)));
    giveBack();
    next();
  }

  // --- what happens ------------------------------------------------------------------------------------------------

  const on = (name, act) => document.addEventListener(name, act);
  on("input", (event) => {
    if (form()?.contains(event.target)) keepDraft();
  });
  on("change", (event) => {
    if (form()?.contains(event.target)) keepDraft();
  });
  on("keydown", (event) => {
    if (event.target !== field() || event.key !== "Enter" || event.shiftKey || event.isComposing || event.defaultPrevented) return;
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
    giveBack();
    if (isEmpty(read())) fill(stored(form().dataset.draft));
    fit();
    if (event.detail.elt.id !== "thread" || window.inbox.stay) return;
    const roomy = matchMedia("(min-width: 761px) and (hover: hover)").matches;
    (roomy ? field() : byId("thread-title")).focus();
  });
  addEventListener("online", goOn);
  addEventListener("beforeunload", (event) => {
    if (presses.length) event.preventDefault();
  });
})();
