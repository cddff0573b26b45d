// Values: masked ones shown one at a time, others copied, times relative to now.

on("click", ".reveal:not([data-download])", async (button, event) => {
  event.preventDefault();
  const answer = await fetchPart(button.formAction, "span#revealed", { method: "POST" }).catch(() => undefined);
  const value = answer?.ok && find("#revealed", parse(await answer.text()));
  if (!value) return complain("Couldn't show the value.", "Try again.");
  value.removeAttribute("id");
  value.tabIndex = -1;
  const masked = button.previousElementSibling;
  masked.replaceWith(value);
  button.remove();
  value.focus();
});

// What is shown once is copied, or at least selected where a page may not copy.
on("click", "[data-copies]", async (button) => {
  const shown = find(`#${button.dataset.copies}`);
  shown.select();
  await navigator.clipboard?.writeText(shown.value).then(() => (button.textContent = "Copied")).catch(() => {});
});

// Times: relative to now, in full on hover.
const sizes = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const showTimes = () => {
  const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
  for (const time of all('time[datetime*="T"]')) {
    const isInstant = time.dateTime.endsWith("Z");
    // A bare clock may show what no clock here did, in the night when summer time begins.
    const date = new Date(isInstant ? time.dateTime : `${time.dateTime}Z`);
    const zone = isInstant ? {} : { timeZone: "UTC" };
    const seconds = Math.round((date - Date.now()) / 1000);
    const [unit, size] = sizes.find(([, length]) => Math.abs(seconds) >= length) ?? sizes[3];
    const isNear = isInstant && Math.abs(seconds) < 7 * 86400; // how long ago a bare clock was, only its place knows
    const clock = date.toLocaleTimeString([], { timeStyle: date.getSeconds() ? "medium" : "short", ...zone });
    const day = isNear ? relative.format(Math.round(seconds / size), unit) : date.toLocaleDateString([], { dateStyle: "medium", ...zone });
    time.title = date.toLocaleString([], { dateStyle: "full", timeStyle: "medium", ...zone });
    time.textContent = `${day}, ${clock}`;
  }
};
