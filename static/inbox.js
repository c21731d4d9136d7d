"use strict";
// The inbox keeps what you look at: news are merged into lists by key, and scrolling, focus and selection stay.
(() => {
  const byId = (id) => document.getElementById(id);
  const key = (element) => [Number(element.dataset.at), Number(element.dataset.id)];
  const compare = (a, b) => key(a)[0] - key(b)[0] || key(a)[1] - key(b)[1];
  const scroller = () => byId("messages-scroller");
  const list = () => document.querySelector(".messages");
  const AT_BOTTOM = 40;
  // The scroller is laid out from its bottom: 0 is the newest message, above it is negative.
  const isAtBottom = () => !scroller() || scroller().scrollTop > -AT_BOTTOM;

  // Put `item` where its key belongs; in the list of conversations the newest comes first.
  function place(container, item) {
    const sign = container.dataset.order === "newest" ? -1 : 1;
    const next = [...container.children].find((other) => other !== item && sign * compare(other, item) > 0);
    container.insertBefore(item, next ?? null);
  }

  // Which row is open is known here best: an answer may be older than the last click.
  function markLike(old, row) {
    const open = old.querySelector("[aria-current]") !== null;
    if (open) row.querySelector("a").setAttribute("aria-current", "true");
    else row.querySelector("a").removeAttribute("aria-current");
  }

  function merge(container, fragment) {
    const wanted = fragment.dataset?.for;
    if (wanted !== undefined && wanted !== container.dataset.for) return [];
    const exact = fragment.dataset?.exact !== undefined;
    const items = [...fragment.children];
    const added = [];
    for (const item of items) {
      const old = byId(item.id);
      if (old && (old.dataset.v === item.dataset.v || (exact && item.matches(".more")))) continue;
      if (!old && window.inbox.holdBack && item.matches(".out")) continue;
      if (old?.matches(".row")) markLike(old, item);
      const held = old?.contains(document.activeElement) && document.activeElement.id;
      if (old && old.dataset.at === item.dataset.at) old.replaceWith(item);
      else {
        old?.remove();
        place(container, item);
      }
      if (held) byId(held)?.focus({ preventScroll: true });
      added.push(item);
    }
    if (exact) dropMissing(container, items);
    return added;
  }

  // Rows within the stretch that the server has just drawn, and that aren't in it any more, are gone.
  function dropMissing(container, drawn) {
    const ids = new Set(drawn.map((item) => item.id));
    const last = drawn.at(-1).matches(".more") && drawn.at(-1).childElementCount ? drawn.at(-2) : null;
    for (const item of [...container.children]) {
      const within = !last || compare(item, last) >= 0;
      if (within && !ids.has(item.id) && !item.querySelector("[aria-current]")) item.remove();
    }
  }

  function keepPlace(change) {
    const box = scroller();
    const wasAtBottom = isAtBottom();
    const anchor = box && !wasAtBottom && [...list().querySelectorAll(".message")].find((item) => item.getBoundingClientRect().bottom > box.getBoundingClientRect().top);
    const before = anchor && anchor.getBoundingClientRect().top;
    const added = change();
    if (anchor?.isConnected) box.scrollTop += anchor.getBoundingClientRect().top - before;
    else if (wasAtBottom && box) box.scrollTop = 0;
    return { added, wasAtBottom };
  }

  function announce(added, wasAtBottom) {
    const received = added.filter((item) => item.matches(".message.in"));
    const newest = list()?.querySelector(".message:last-child");
    if (!received.includes(newest)) return;
    const name = byId("thread-title").textContent;
    byId("announcer").textContent = received.length === 1 ? `New message from ${name}` : `${received.length} new messages from ${name}`;
    if (!wasAtBottom) byId("new-messages").hidden = false;
  }

  window.htmx.defineExtension("merge", {
    isInlineSwap: (style) => style === "merge",
    handleSwap(style, target, fragment) {
      if (style !== "merge") return false;
      const content = target.id && fragment.firstElementChild?.id === target.id ? fragment.firstElementChild : fragment;
      if (!target.classList.contains("messages")) return merge(target, content);
      const { added, wasAtBottom } = keepPlace(() => merge(target, content));
      announce(added, wasAtBottom);
      return added;
    },
  });
  // While presses of Send are on their way, their bubbles come with their answers, not with a poll.
  // `stay`: whoever moves by keys from row to row keeps the focus there.
  window.inbox = { list, holdBack: false, stay: false };

  document.addEventListener("scroll", (event) => {
    if (event.target === scroller() && isAtBottom()) byId("new-messages").hidden = true;
  }, true);
  document.addEventListener("click", (event) => {
    if (event.target.closest("#new-messages")) scroller().scrollTop = 0;
  });

  // The poll says which bubbles may still change, and where the newest one stands.
  document.addEventListener("htmx:configRequest", (event) => {
    if (!event.detail.elt.hasAttribute("data-poll") || !list()) return;
    event.detail.parameters.seen = byId("composer").elements.seen.value;
    const id = (item) => item.dataset.id;
    event.detail.parameters.open = [...list().querySelectorAll("[data-open]")].map(id).slice(-200).join(",");
    const messages = list().querySelectorAll(".message:not(.pending)");
    if (messages.length) event.detail.parameters.newest = id(messages[messages.length - 1]);
  });

  // Which row is open is known before the server answers.
  const mark = (row) => {
    document.querySelector("#rows [aria-current]")?.removeAttribute("aria-current");
    row?.setAttribute("aria-current", "true");
  };
  document.addEventListener("htmx:beforeRequest", (event) => {
    const link = event.detail.elt;
    if (link.matches("#rows .row a")) mark(link);
    if (link.matches(".back")) mark(null);
    if (event.detail.target?.id === "thread") byId("thread").setAttribute("aria-busy", "true");
  });
  document.addEventListener("htmx:afterRequest", () => byId("thread").removeAttribute("aria-busy"));
})();
