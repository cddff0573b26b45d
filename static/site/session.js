// Requests; when the session has ended, a dialog signs in and the request is repeated.

const send = (url, target, options = {}) =>
  fetch(url, { ...options, headers: { "HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": target, "HX-Current-URL": location.href } });
const fetchPart = async (url, target, options) => {
  const answer = await send(url, target, options);
  if (answer.status !== 401) return answer;
  await signIn(await answer.text());
  return send(url, target, options);
};
let enter, turnAway;
const signIn = (text) =>
  new Promise((resolve, reject) => {
    const dialog = find("#sign-in-dialog");
    [enter, turnAway] = [resolve, reject];
    dialog.replaceChildren(find("#sign_in", parse(text)));
    if (!dialog.open) dialog.showModal();
  });
on("submit", "#sign-in-dialog form", async (form, event) => {
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form));
  const answer = await send(form.action, "section#sign_in", { method: "POST", body }).catch(() => undefined);
  if (answer?.ok) {
    enter();
    return find("#sign-in-dialog").close();
  }
  const again = answer && find("#sign_in", parse(await answer.text()));
  if (again) form.closest("#sign_in").replaceWith(again);
  else complain("The server can't be reached.", "Nothing is lost. Try again.");
  release(form);
  find('#sign-in-dialog :is([autofocus], [type="password"])')?.focus();
});
on("close", "#sign-in-dialog", (dialog) => {
  dialog.replaceChildren();
  turnAway?.();
}, true);
const repeat = ({ sourceElement, sourceEvent }) => {
  if (sourceElement.matches?.("form")) sourceElement.requestSubmit(sourceEvent?.submitter);
  else if (sourceElement.matches?.("a, button")) sourceElement.click();
  else location.reload();
};
