// Keyboard: an element names its key in aria-keyshortcuts; rows have j, k, e and x.

const rows = () => all(".list tbody tr");
const focusRow = (row) => find("a", row ?? find("main"))?.focus();

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  const isCommand = event.ctrlKey || event.metaKey || event.altKey;
  if (event.defaultPrevented || event.isComposing) return;
  if (key === "Enter" && isCommand) target.closest('.form, [method="post"]')?.requestSubmit();
  if (key === "Escape") escape(event);
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
const escape = (event) => {
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
