// The page as it came: last, when every module is there.

document.documentElement.classList.add("js", knowsPasskeys ? "passkeys" : "no-passkeys");
if (performance.getEntriesByType("navigation")[0]?.type !== "navigate") find(".scroll")?.scrollTo(0, sessionStorage.getItem(location.href));
find("[data-marked]")?.scrollIntoView({ block: "nearest" });
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
