// Dialogs: a confirmation page's #confirm or a page's #form, shown on the spot.

let askedAt;
const ask = async (url, target = "div#confirm", title = "") => {
  askedAt = rows().indexOf(document.activeElement.closest("tr"));
  const answer = await fetchPart(url, target).catch(() => undefined);
  const content = answer?.ok && find(target, parse(await answer.text()));
  const dialog = find("#dialog");
  if (!content) return location.assign(url);
  if (dialog.open) return;
  const heading = Object.assign(document.createElement("h1"), { id: "confirm-title", textContent: title });
  dialog.replaceChildren(...(title ? [heading, content] : [content]));
  htmx.process(dialog);
  upgrade();
  dialog.showModal();
};
on("click", "a[data-dialog], a[data-form]", (link, event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.matches("[data-form]")) ask(link.href, "form#form", link.textContent);
  else ask(link.href);
});
on("submit", "form[data-dialog]", (form, event) => {
  const { submitter } = event;
  if (submitter?.hasAttribute("formaction") && !submitter.matches("[data-asks]")) return; // a page of its own
  event.preventDefault();
  ask(`${submitter?.matches("[data-asks]") ? submitter.formAction : form.getAttribute("action")}?${contentOf(form)}`);
});
on("click", "[data-opens]", (button) => find(`#${button.dataset.opens}`).showModal());
const leave = (dialog) => {
  if (!all(".form", dialog).some(isUnsaved) || confirm("Discard your changes?")) dialog.close();
};
on("click", "dialog [data-cancel]", (link, event) => {
  event.preventDefault();
  leave(link.closest("dialog"));
});
on("cancel", "dialog", (dialog, event) => {
  event.preventDefault();
  leave(dialog);
}, true);
on("pointerdown", "dialog", (dialog, { target, clientX, clientY }) => {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  const isInside = left <= clientX && clientX <= right && top <= clientY && clientY <= bottom;
  if (target === dialog && !isInside) leave(dialog); // its scrollbar and its padding are no backdrop
});
on("close", "#dialog", (dialog) => dialog.replaceChildren(), true);
