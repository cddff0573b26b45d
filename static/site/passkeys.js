// Passkeys: the browser's own dialog answers, and the answer is sent with the form like anything typed.

// A browser knows none at an address without a name, nor without HTTPS.
const knowsPasskeys = Boolean(window.PublicKeyCredential) && !/^([\d.]+|\[.*)$/.test(location.hostname);
const bytesOf = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
const textOf = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const askBrowser = async (url) => {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${answer.status}`);
  const publicKey = await answer.json();
  publicKey.challenge = bytesOf(publicKey.challenge);
  const named = [publicKey.user, ...(publicKey.allowCredentials ?? []), ...(publicKey.excludeCredentials ?? [])];
  for (const each of named.filter(Boolean)) each.id = bytesOf(each.id);
  const { id, type, rawId, response } = await navigator.credentials[publicKey.user ? "create" : "get"]({ publicKey });
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"].filter((each) => response[each]);
  return JSON.stringify({ id, type, rawId: textOf(rawId), response: Object.fromEntries(parts.map((each) => [each, textOf(response[each])])) });
};
on("click", "[data-passkey]", async (button) => {
  const { form } = button;
  button.disabled = true;
  const answer = await askBrowser(button.dataset.passkey).catch(({ name }) => {
    if (name === "InvalidStateError") complain("There is a passkey already.", "This device has one for your account.");
    else complain("The passkey wasn't used.", "Try again, or go on without it.");
  });
  button.disabled = false;
  if (!answer) return button.focus();
  find('[name$="passkey"]', form).value = answer;
  form.requestSubmit();
});
