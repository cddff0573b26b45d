// Layout: one section at a time where they are tabs, fields that need another one, and the chooser of a colour.

const isNeeded = (sent, { depends, dependsTexts }) => {
  const text = (sent.getAll(depends).at(-1) ?? "").trim(); // an unticked box sends a hidden “false”
  return dependsTexts ? JSON.parse(dependsTexts).includes(text) : text !== "";
};
const showDependents = (form) => {
  const sent = new FormData(form);
  for (const field of all("[data-depends]:not([data-settable] > *)", form)) {
    const hasError = find('[aria-invalid="true"]', field) || field.contains(document.activeElement);
    field.hidden = !(isNeeded(sent, field.dataset) || hasError); // what is hidden is sent, too
  }
};
for (const type of ["input", "change"]) on(type, ".form", showDependents);

let tabCount = 0;
const makeTabs = (box) => {
  const panels = all(":scope > [data-section]", box);
  if (panels.length < 2) return;
  const list = Object.assign(document.createElement("div"), { className: "tabs", role: "tablist" });
  const tabs = panels.map((panel) => {
    const heading = find("h2", panel);
    const tab = Object.assign(document.createElement("button"), { type: "button", role: "tab", id: `tab-${++tabCount}`, textContent: heading?.textContent ?? "Other" });
    const count = all('[aria-invalid="true"]', panel).length;
    if (count) tab.append(Object.assign(document.createElement("span"), { className: "count", textContent: `${count} ${count === 1 ? "problem" : "problems"}` }));
    panel.id ||= `${tab.id}-panel`;
    if (heading) heading.hidden = true;
    panel.role = "tabpanel";
    panel.setAttribute("aria-labelledby", tab.id);
    tab.setAttribute("aria-controls", panel.id);
    return tab;
  });
  list.append(...tabs);
  box.prepend(list);
  box.classList.add("tabbed");
  openTab(panels.find((panel) => find('[aria-invalid="true"]', panel)) ?? panels[0]);
};
const openTab = (panel) => {
  for (const tab of all(":scope > .tabs > [role=tab]", panel.parentElement)) {
    const isOpen = tab.getAttribute("aria-controls") === panel.id;
    tab.ariaSelected = isOpen;
    tab.tabIndex = isOpen ? 0 : -1;
    document.getElementById(tab.getAttribute("aria-controls")).hidden = !isOpen;
  }
};
on("click", "[role=tab]", (tab) => openTab(document.getElementById(tab.getAttribute("aria-controls"))));
on("keydown", "[role=tab]", (tab, event) => {
  const tabs = all("[role=tab]", tab.parentElement);
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const next = step ? tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length] : { Home: tabs[0], End: tabs.at(-1) }[event.key];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.click();
});
// What is meant is seen, in whichever section it is.
const reveal = (element) => {
  const panel = element?.closest(".tabbed > [data-section]");
  if (panel?.hidden) openTab(panel);
  const field = element?.closest("[data-depends]");
  if (field) field.hidden = false;
};
on("click", '.summary a[href^="#"]', (link) => reveal(find(link.hash)));
on("invalid", ".form *", reveal, true);

on("input", "[data-color]", (chooser) => {
  const text = chooser.nextElementSibling;
  text.value = chooser.value;
  text.dispatchEvent(new Event("change", { bubbles: true }));
});
