// The page: what is new on it, at first and after every swap.

const upgrade = () => {
  all(".form[data-most]").forEach(showFiles); // a browser that reloads a form keeps its files
  for (const picture of all(".file img")) if (picture.complete && !picture.naturalWidth) picture.remove();
  all(".picker:not(:has([role]))").forEach(pick);
  all(".sections[data-tabs]:not(.tabbed)").forEach(makeTabs);
  all(".form").forEach(showDependents);
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

addEventListener("pageshow", () => {
  all("form").forEach(release);
  followAddress();
  countSelected();
});

// Theme: at once, without leaving what is being written.
on("submit", ".theme", (form, event) => {
  event.preventDefault();
  const { value } = event.submitter;
  document.documentElement.dataset.theme = value;
  for (const button of all("button", form)) button.ariaPressed = button.value === value;
  send(form.action, "html", { method: "POST", body: new URLSearchParams({ theme: value }), redirect: "manual" });
});
