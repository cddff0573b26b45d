// Requests and swaps of htmx: errors are shown and replace nothing; focus, scroll position and files survive a swap.

// A form's own id is hidden by a field of that name.
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
  if (ctx.target?.id === "total") return; // it loads by itself, and its link to count is still there
  const reason = find('[role="alert"]', page) ?? find("h1 ~ p", page);
  complain(find("h1", page)?.textContent ?? "That didn't work.", reason?.textContent ?? "Try again.");
});
document.addEventListener("htmx:error", ({ detail: { ctx, error } }) => {
  if (ctx && !ctx.response && error.name !== "AbortError") complain("The server can't be reached.", "Nothing is lost. Try again.");
});
// What is saved takes the place of its form, so that Back passes over it; a list that led to the form is gone back to.
document.addEventListener("htmx:before:response", (event) => {
  const { redirect } = event.detail.ctx.hx;
  if (!redirect) return;
  event.preventDefault();
  const { navigation } = window;
  const opener = navigation?.entries()[navigation.currentEntry.index - 1]?.url;
  if (opener === new URL(redirect, location).href) history.back();
  else location.replace(redirect);
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
  // A form that is refused takes the place of the one that was sent.
  if (dialog && !dialog.contains(ctx.target) && !find(`#${idOf(ctx.target)}`, dialog)) {
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
