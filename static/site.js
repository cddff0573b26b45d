"use strict";
// What HTML, CSS and htmx cannot do. All of it is comfort: without this file every page still works.
// Listeners sit on the document, so that what htmx swaps in works too.

const find = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const parse = (html) => new DOMParser().parseFromString(html, "text/html");
const on = (type, selector, act, isCapturing = false) =>
  document.addEventListener(type, (event) => {
    const element = event.target.closest?.(selector);
    if (element) act(element, event);
  }, isCapturing);
document.documentElement.classList.add("js");

// ---- keyboard: an element names its key in aria-keyshortcuts; rows have j, k, e and x ----
const rows = () => all(".list tbody tr");
const focusRow = (row) => find("a", row ?? find("main"))?.focus();

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  const isCommand = event.ctrlKey || event.metaKey || event.altKey;
  if (event.defaultPrevented || event.isComposing) return;
  if (key === "Enter" && isCommand) target.closest('.form, [method="post"]')?.requestSubmit();
  if (key === "Escape") leave(event);
  if (isCommand || find("dialog[open]") || target.closest('input:not([type="checkbox"]), select, textarea')) return;
  const row = target.closest(".list tbody tr");
  const pages = target.matches("body, main, h1") && { PageDown: 0.9, PageUp: -0.9, " ": 0.9 }[key];
  const step = { j: 1, k: -1, ...(row && { ArrowDown: 1, ArrowUp: -1 }) }[key];
  const named = (row && { e: find("[data-edit]", row), x: find(".check input", row) }[key]) ?? find(`[aria-keyshortcuts="${CSS.escape(key)}"]`);
  if (pages && find(".full .scroll")) find(".scroll").scrollBy(0, pages * find(".scroll").clientHeight);
  else if (step) focusRow((row ? rows()[rows().indexOf(row) + step] : find(".list [data-marked]") ?? rows()[0]) ?? row);
  else if (named?.type === "search") named.focus(), named.select();
  else if (named) named.click();
  else return;
  event.preventDefault();
});
const leave = (event) => {
  const filter = find(".filter[open]");
  if (event.target.type === "search" && event.target.value) {
    event.preventDefault();
    event.target.value = "";
    event.target.dispatchEvent(new Event("input", { bubbles: true }));
  } else if (filter) {
    filter.open = false;
    find("summary", filter).focus();
  } else if (!find("dialog[open]")) all(".toast").forEach((toast) => toast.remove());
};

// ---- a session that has ended: sign in on the spot, and what was begun goes on ----
const partHeaders = (target) => ({ "HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": target, "HX-Current-URL": location.href });
const fetchPart = async (url, target, options = {}) => {
  const ask = () => fetch(url, { ...options, headers: partHeaders(target) });
  const answer = await ask();
  if (answer.status !== 401) return answer;
  await signIn(await answer.text());
  return ask();
};
let enter, turnAway;
const signIn = (text) =>
  new Promise((resolve, reject) => {
    const dialog = find("#door");
    [enter, turnAway] = [resolve, reject];
    dialog.replaceChildren(find("#sign_in", parse(text)));
    if (!dialog.open) dialog.showModal();
  });
on("submit", "#door form", async (form, event) => {
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.action, { method: "POST", body, headers: partHeaders("section#sign_in") }).catch(() => undefined);
  if (answer?.ok) {
    enter();
    return find("#door").close();
  }
  const again = answer && find("#sign_in", parse(await answer.text()));
  if (again) form.closest("#sign_in").replaceWith(again);
  else complain("The server can't be reached.", "Nothing is lost. Try again.");
  release(form);
  find('#door [type="password"]')?.focus();
});
on("close", "#door", (dialog) => {
  dialog.replaceChildren();
  turnAway?.();
}, true);
const repeat = ({ sourceElement, sourceEvent }) => {
  if (sourceElement.matches?.("form")) sourceElement.requestSubmit(sourceEvent?.submitter);
  else if (sourceElement.matches?.("a, button")) sourceElement.click();
  else location.reload();
};

// ---- filters: close by themselves, narrow their options, follow the address ----
for (const type of ["pointerdown", "focusin"])
  document.addEventListener(type, ({ type, target }) => {
    // Pressing on text gives the focus to whatever around it can have it, which is no way out.
    const isAround = (filter) => type === "focusin" && target.contains(filter);
    for (const filter of all(".filter[open]")) if (!filter.contains(target) && !isAround(filter)) filter.open = false;
  });

on("toggle", ".filter[open]", (filter) => matchMedia("(pointer: fine)").matches && find("input", filter).focus(), true);

// How many rows each option would leave, asked for when somebody looks at them.
on("toggle", ".filter[open]", async (filter) => {
  const box = find("[data-counts]", filter);
  if (!box) return;
  const answer = await fetchPart(`${box.dataset.counts}${location.search}`, "ul#options").catch(() => undefined);
  const counts = answer?.ok ? all("li", parse(await answer.text())) : [];
  for (const [place, label] of all("label", box).entries()) {
    const input = find("input", label);
    const counted = counts.find(({ dataset }) => dataset.value === input.value);
    find(".count", label)?.remove();
    if (!counted) continue;
    const count = document.createElement("span");
    Object.assign(count, { className: "count", id: `count-${input.name}-${place}`, ariaHidden: "true", textContent: counted.textContent });
    input.setAttribute("aria-describedby", count.id);
    label.append(count);
  }
}, true);

const fetchOptions = async (box, query, signal) => {
  const url = new URL(box.dataset.options, location);
  url.searchParams.set("q", query);
  const answer = await fetchPart(url, "ul#options", { signal });
  return answer.ok ? all("li", parse(await answer.text())) : [];
};
let narrowing;
// Captured, so that the form around it does not take it for a filter.
on("input", "[data-narrow]", (input, event) => {
  event.stopImmediatePropagation();
  const box = find(".options", input.closest(".pop"));
  const query = input.value.trim();
  const found = new Set(); // by the server, which knows more of them than their titles
  const narrow = () => {
    const words = query.toLowerCase().split(/\s+/);
    for (const label of all("label", box)) {
      const text = find("input", label).nextSibling.textContent.toLowerCase();
      label.hidden = !found.has(find("input", label).value) && !words.every((word) => text.includes(word));
    }
  };
  const fetchMore = async () => {
    for (const { dataset: { value }, textContent } of await fetchOptions(box, query)) {
      found.add(value);
      if (!value || all("input", box).some((known) => known.value === value)) continue;
      const label = box.lastElementChild.cloneNode(true);
      Object.assign(find("input", label), { value, checked: false });
      find(".count", label)?.remove();
      find("input", label).removeAttribute("aria-describedby");
      label.lastChild.textContent = textContent;
      box.append(label);
    }
    narrow();
  };
  narrow();
  clearTimeout(narrowing);
  if (query && box.dataset.options) narrowing = setTimeout(fetchMore, 150);
}, true);

const followAddress = () => {
  const state = new URL(find("#list")?.getAttribute("hx-get") ?? location, location).searchParams; // in today's names
  for (const control of find("#filters")?.elements ?? []) {
    if (!control.name || control === document.activeElement) continue;
    if (control.type === "checkbox") control.checked = state.getAll(control.name).includes(control.value);
    else control.value = state.get(control.name) ?? "";
  }
};
// An address holds only what was asked for: no "?q=&age_min=".
document.addEventListener("formdata", ({ target, formData }) => {
  if (target.method !== "get") return;
  for (const name of [...formData.keys()]) if (formData.getAll(name).every((value) => !value)) formData.delete(name);
});

// ---- selection ----
let lastBox;
const boxesOf = (element) => all("tbody .check input", element.closest(".listing"));
const countSelected = () => {
  for (const every of all("[data-all]")) {
    const boxes = boxesOf(every);
    const count = boxes.filter((box) => box.checked).length;
    every.checked = count > 0 && count === boxes.length;
    every.indeterminate = count > 0 && count < boxes.length;
    const bar = find(".selection", every.closest(".listing"));
    find("output", bar).value = `${count} selected`;
    for (const button of all("button", bar)) button.disabled = !count; // they have keys, and Enter in a box presses the first
  }
};
on("click", ".list tbody .check input", (box, { shiftKey }) => {
  const boxes = boxesOf(box);
  const [from, to] = [boxes.indexOf(lastBox), boxes.indexOf(box)].sort((a, b) => a - b);
  if (shiftKey && from >= 0) for (const each of boxes.slice(from, to)) each.checked = box.checked;
  lastBox = box;
});
on("change", ".list .check input", (box) => {
  if (box.matches("[data-all]")) for (const each of boxesOf(box)) each.checked = box.checked;
  countSelected();
});

// ---- forms: sent once, not left by accident ----
const written = new WeakMap();
const contentOf = (form) =>
  new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, value.name === undefined ? value : value.name + value.size])).toString();
const isUnsaved = (form) => find(".summary, #notice", form) || written.get(form) !== contentOf(form);
const warn = (event) => {
  if (!find('form[aria-busy="true"]') && all(".form").some(isUnsaved)) event.preventDefault();
};
// Only from the first change on: a page that listens is kept out of the back/forward cache.
for (const type of ["input", "change"]) on(type, ".form", () => addEventListener("beforeunload", warn));

// Captured, to come before htmx; not `disabled`, which would drop the focus and the button's own value.
on("submit", '[method="post"]:not(.theme)', (form, event) => {
  if (event.submitter?.hasAttribute("data-download")) return; // the page stays
  if (form.ariaBusy !== "true") return (form.ariaBusy = "true");
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

// ---- theme: at once, without leaving what is being written ----
on("submit", ".theme", (form, event) => {
  event.preventDefault();
  const { value } = event.submitter;
  document.documentElement.dataset.theme = value;
  for (const button of all("button", form)) button.ariaPressed = button.value === value;
  fetch(form.action, { method: "POST", body: new URLSearchParams({ theme: value }), redirect: "manual" });
});

// ---- dialog: the confirmation page's #confirm, shown on the spot ----
let askedAt;
const ask = async (url) => {
  askedAt = rows().indexOf(document.activeElement.closest("tr"));
  const answer = await fetchPart(url, "div#confirm").catch(() => undefined);
  const confirm = answer?.ok && find("#confirm", parse(await answer.text()));
  const dialog = find("#dialog");
  if (!confirm) return location.assign(url);
  if (dialog.open) return;
  dialog.replaceChildren(confirm);
  htmx.process(dialog);
  upgrade();
  dialog.showModal();
};
on("click", "a[data-dialog]", (link, event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  ask(link.href);
});
on("submit", "form[data-dialog]", (form, event) => {
  if (event.submitter?.hasAttribute("formaction")) return; // a page of its own
  event.preventDefault();
  ask(`${form.action}?${contentOf(form)}`);
});
on("click", "[data-opens]", (button) => find(`#${button.dataset.opens}`).showModal());
on("click", "dialog [data-cancel]", (link, event) => {
  event.preventDefault();
  link.closest("dialog").close();
});
on("pointerdown", "dialog", (dialog, { target, clientX, clientY }) => {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  const isInside = left <= clientX && clientX <= right && top <= clientY && clientY <= bottom;
  if (target === dialog && !isInside) dialog.close(); // its scrollbar and its padding are no backdrop
});
on("close", "#dialog", (dialog) => dialog.replaceChildren(), true);

// ---- a conflict: what is typed after choosing theirs is meant to be kept ----
for (const type of ["input", "change"])
  on(type, ".form .panel", (panel, { target }) => {
    const name = target.name.replace(/^field\./, "");
    const mine = find(`[name="form.keep.${CSS.escape(name)}"][value="mine"]`, panel.closest(".form"));
    if (mine) mine.checked = true;
  });

// ---- many at once: what is filled in is meant to be changed ----
for (const type of ["input", "change"])
  on(type, "[data-settable]", (field, { target }) => {
    const box = find('[name^="form.set."]', field);
    if (target !== box) box.checked = true;
  });

// ---- masked values: one at a time, on the spot ----
on("click", ".reveal:not([data-download])", async (button, event) => {
  event.preventDefault();
  const answer = await fetchPart(button.formAction, "span#revealed", { method: "POST" }).catch(() => undefined);
  const value = answer?.ok && find("#revealed", parse(await answer.text()));
  if (!value) return complain("Couldn't show the value.", "Try again.");
  value.removeAttribute("id");
  value.tabIndex = -1;
  const masked = button.previousElementSibling;
  masked.replaceWith(value);
  button.remove();
  value.focus();
});

// ---- files: how large one is, before it is sent; what is no picture, whatever it begins like, is not shown ----
const readSize = (bytes) => (bytes < 1e3 ? `${bytes} bytes` : bytes < 999_500 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
const showFiles = (form) => {
  const boxes = all('[type="file"]', form);
  let left = form.dataset.most; // of what all of them may have together
  for (const box of boxes) {
    const size = box.files[0]?.size ?? 0;
    const most = Math.min(box.dataset.most ?? Infinity, left);
    box.setCustomValidity(size > most ? `Choose a file with at most ${readSize(most)}.` : "");
    find("output", box.closest(".field")).value = box.files.length ? readSize(size) : "";
    left = Math.max(0, left - size);
  }
};
on("change", '.form [type="file"]', ({ form }) => showFiles(form));
document.addEventListener("error", ({ target }) => target.matches?.(".file img") && target.remove(), true);

// ---- toasts ----
const expire = (toast) => (toast.matches(":hover, :focus-within") ? setTimeout(expire, 2000, toast) : toast.remove());
on("click", "[data-dismiss]", (button) => button.closest(".toast").remove());
const forgive = () => all(".toast.bad").forEach((toast) => toast.remove());
const complain = (title, text) => {
  forgive(); // one is enough, however often it fails
  const toast = document.createElement("div");
  toast.className = "toast bad";
  toast.role = "alert";
  toast.innerHTML = '<p><strong></strong> <span></span></p><button class="button quiet" type="button" data-dismiss>Dismiss</button>';
  find("strong", toast).textContent = title;
  find("span", toast).textContent = text;
  (find("dialog[open] .confirm") ?? find("#toasts")).append(toast); // what lies behind an open dialog is not heard
};

// ---- what is shown once: copied, or at least selected where a page may not copy ----
on("click", "[data-copies]", async (button) => {
  const shown = find(`#${button.dataset.copies}`);
  shown.select();
  await navigator.clipboard?.writeText(shown.value).then(() => (button.textContent = "Copied")).catch(() => {});
});

// ---- times: relative to the eye, in full on hover ----
const sizes = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const showTimes = () => {
  const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
  for (const time of all('time[datetime*="T"]')) {
    const isInstant = time.dateTime.endsWith("Z");
    // A bare clock may show what no clock here did, in the night when summer time begins.
    const date = new Date(isInstant ? time.dateTime : `${time.dateTime}Z`);
    const zone = isInstant ? {} : { timeZone: "UTC" };
    const seconds = Math.round((date - Date.now()) / 1000);
    const [unit, size] = sizes.find(([, length]) => Math.abs(seconds) >= length) ?? sizes[3];
    const isNear = isInstant && Math.abs(seconds) < 7 * 86400; // how long ago a bare clock was, only its place knows
    const clock = date.toLocaleTimeString([], { timeStyle: date.getSeconds() ? "medium" : "short", ...zone });
    const day = isNear ? relative.format(Math.round(seconds / size), unit) : date.toLocaleDateString([], { dateStyle: "medium", ...zone });
    time.title = date.toLocaleString([], { dateStyle: "full", timeStyle: "medium", ...zone });
    time.textContent = `${day}, ${clock}`;
  }
};

// ---- what is new on the page: at first, and after every swap ----
const upgrade = () => {
  all(".form[data-most]").forEach(showFiles); // a browser that reloads a form keeps its files
  for (const picture of all(".file img")) if (picture.complete && !picture.naturalWidth) picture.remove();
  if (window.pick) all(".picker:not(:has([role]))").forEach(pick); // only for those who edit
  for (const form of all(".form")) if (!written.has(form)) written.set(form, contentOf(form));
  for (const toast of all('.toast:not([role="alert"], [data-armed])')) {
    toast.dataset.armed = "";
    setTimeout(expire, 8000, toast);
  }
  showTimes();
  countSelected();
};
const focusError = () => (find("#notice") ?? find('.form [aria-invalid="true"]:not([hidden])') ?? find(".form .summary"))?.focus();
const release = (form) => form?.removeAttribute("aria-busy");

// The browser remembers how far the page was scrolled, but not how far the rows were.
addEventListener("pagehide", () => find(".scroll") && sessionStorage.setItem(location.href, find(".scroll").scrollTop));
if (performance.getEntriesByType("navigation")[0]?.type !== "navigate") find(".scroll")?.scrollTo(0, sessionStorage.getItem(location.href));
find("[data-marked]")?.scrollIntoView({ block: "nearest" });

addEventListener("pageshow", () => {
  all("form").forEach(release);
  followAddress();
  countSelected();
});
// A form's own id is hidden by a field of that name; webapp/admin/names.py says which others could be.
const idOf = (element) => element?.getAttribute("id");
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (ctx.target?.matches("form")) ctx.request.headers["HX-Target"] = `form#${idOf(ctx.target)}`;
});
document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  const page = parse(ctx.text);
  if (ctx.response.status === 422 || (ctx.response.status === 409 && idOf(ctx.target) && find(`#${idOf(ctx.target)}`, page))) return;
  ctx.push = ctx.replace = null;
  ctx.swap = "none"; // an error never takes the place of what someone reads or types
  if (ctx.response.status === 401) return signIn(ctx.text).then(() => repeat(ctx), () => {});
  if (ctx.target?.id === "total") return; // nobody asked for it, and its link to count is still there
  const reason = find('[role="alert"]', page) ?? find("h1 ~ p", page);
  complain(find("h1", page)?.textContent ?? "That didn't work.", reason?.textContent ?? "Try again.");
});
document.addEventListener("htmx:error", ({ detail: { ctx, error } }) => {
  if (ctx && !ctx.response && error.name !== "AbortError") complain("The server can't be reached.", "Nothing is lost. Try again.");
});
// What is saved takes the place of its form: Back leads to where the form was opened.
document.addEventListener("htmx:before:response", (event) => {
  const { redirect } = event.detail.ctx.hx;
  if (!redirect) return;
  event.preventDefault();
  location.replace(redirect);
});
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (!ctx.hx?.redirect) release(ctx.sourceElement.closest?.("form"));
});
// Enter after typing asks for the same page again: no new step for Back.
document.addEventListener("htmx:before:history:update", (event) => {
  if (event.detail.history.path === location.pathname + location.search) event.preventDefault();
});
// A swap may take away what had the focus, and shows other rows only if the address has changed.
let hadFocus, chosen, shown = location.href;
document.addEventListener("htmx:before:swap", ({ detail: { ctx } }) => {
  chosen = all('[type="file"]', ctx.target).map(({ name, files }) => [name, files]);
  hadFocus = ctx.target.contains(document.activeElement);
});
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const dialog = find("#dialog[open]");
  if (dialog && !dialog.contains(ctx.target)) {
    dialog.close();
    if (!find("main").contains(document.activeElement)) focusRow(rows()[askedAt] ?? rows().at(-1));
  }
  if (!ctx.sourceElement.closest?.("#filters")) followAddress();
  if (hadFocus && document.activeElement === document.body) ctx.target.focus({ preventScroll: true });
  if (ctx.target?.id === "list" && shown !== location.href) {
    find(".scroll")?.scrollTo(0, 0);
    if (ctx.target.getBoundingClientRect().top < 0) ctx.target.scrollIntoView();
  }
  shown = location.href;
  // A form that is refused comes without the files, which the browser still has.
  if (ctx.response?.status >= 400) for (const [name, files] of chosen) for (const box of all('.form [type="file"]')) if (box.name === name) box.files = files;
  if (ctx.response?.status < 400) forgive();
  upgrade();
  if ([409, 422].includes(ctx.response?.status)) focusError();
});
upgrade();
focusError();
// After what was done the focus is on its row or, if it has none here, at the top.
if (find(".toast") && !find("[autofocus]")) {
  const heading = find("main h1");
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}
// What a page comes with is not spoken, only what is added to it later.
setTimeout(() => find("#toasts").append(...find("#toasts").childNodes), 100);
