// Dialogs: a confirmation page's #confirm, shown on the spot.

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
