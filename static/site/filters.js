// Filters: they close by themselves, narrow their options, and follow the address.

for (const type of ["pointerdown", "focusin"])
  document.addEventListener(type, ({ type, target }) => {
    // Pressing on text focuses its nearest focusable ancestor, which does not mean leaving the filter.
    const isAround = (filter) => type === "focusin" && target.contains(filter);
    for (const filter of all(".filter[open]")) {
      if (filter.contains(target) || isAround(filter)) continue;
      // When the focused field disappears, Chromium scrolls the page away under the finger.
      if (filter.contains(document.activeElement)) document.activeElement.blur();
      filter.open = false;
    }
  });

on("toggle", ".filter[open]", (filter) => matchMedia("(pointer: fine)").matches && find("input", filter).focus(), true);

// Facet counts, fetched when a filter is opened.
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
