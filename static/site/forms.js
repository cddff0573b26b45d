// Forms: sent once, not left by accident; what is typed counts as chosen.

const written = new WeakMap();
const contentOf = (form) =>
  new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, value.name === undefined ? value : value.name + value.size])).toString();
const isUnsaved = (form) => find(".summary, #notice", form) || written.get(form) !== contentOf(form);
const warn = (event) => {
  if (!find('form[aria-busy="true"]') && all(".form").some(isUnsaved)) event.preventDefault();
};
// Only from the first change on: a page with this listener is not put into the back/forward cache.
for (const type of ["input", "change"]) on(type, ".form", () => addEventListener("beforeunload", warn));

// Captured, to come before htmx; not `disabled`, which would drop the focus and the button's own value.
on("submit", '[method="post"]:not(.theme)', (form, event) => {
  if (event.submitter?.hasAttribute("data-download")) return; // the page stays
  if (form.ariaBusy !== "true") return (form.ariaBusy = "true");
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);

// A conflict: what is typed after choosing theirs is meant to be kept.
for (const type of ["input", "change"])
  on(type, ".form .panel", (panel, { target }) => {
    const name = target.name.replace(/^field\./, "");
    const mine = find(`[name="form.keep.${CSS.escape(name)}"][value="mine"]`, panel.closest(".form"));
    if (mine) mine.checked = true;
  });

// A bulk edit: what is filled in is meant to be changed.
for (const type of ["input", "change"])
  on(type, "[data-settable]", (field, { target }) => {
    const box = find('[name^="form.set."]', field);
    if (target !== box) box.checked = true;
  });
