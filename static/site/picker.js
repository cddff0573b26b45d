// The picker: a select with a search of its own (ARIA 1.2 combobox); the select stays what is submitted.

const icon = (name) => find(".icon").outerHTML.replace(/#[\w-]+/, `#${name}`);
function pick(box) {
  const select = find("select", box);
  const { id } = select;
  const empty = find('option[value=""]', select);
  select.insertAdjacentHTML("afterend", `<input id="${id}" dir="auto" role="combobox" autocomplete="off" aria-autocomplete="list" aria-expanded="false" aria-controls="${id}-list">
    <button type="button" tabindex="-1" aria-label="Clear">${icon("close")}</button>${icon("down")}
    <ul id="${id}-list" role="listbox" hidden></ul><p class="visually-hidden" role="status"></p>`);
  const [input, clear, list, status] = ["input", "button", "ul", "p"].map((tag) => find(tag, box));
  for (const name of ["aria-describedby", "aria-invalid"]) if (select.hasAttribute(name)) input.setAttribute(name, select.getAttribute(name));
  input.placeholder = empty?.text ?? "";
  input.ariaRequired = select.ariaRequired;
  list.ariaLabel = select.labels[0]?.firstChild.textContent.trim();
  Object.assign(select, { id: `${id}-value`, hidden: true });
  find(".find", box)?.remove();

  let timer, asked, active, isEager;
  const options = () => all('[role="option"]', list);
  const highlight = (option) => {
    if (active) active.ariaSelected = "false";
    if (option) option.ariaSelected = "true";
    option?.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option?.id ?? "");
    active = option;
  };
  const show = (isOpen) => {
    list.hidden = !isOpen;
    input.ariaExpanded = isOpen;
  };
  const forget = () => {
    clearTimeout(timer);
    asked?.abort();
    asked = isEager = undefined;
    highlight();
  };
  const restore = () => {
    forget();
    show(false);
    input.setCustomValidity("");
    input.value = select.value && select.selectedOptions[0].text;
    clear.hidden = !select.value || !empty;
  };
  const choose = (value, text) => {
    const isOther = select.value !== value;
    if (!all("option", select).some((option) => option.value === value)) select.add(new Option(text, value));
    select.value = value;
    restore();
    if (isOther) select.dispatchEvent(new Event("change", { bubbles: true }));
    if (select.value !== value) restore(); // what adds is empty again
  };
  const chooseOption = (option) => choose(option.dataset.value, option.textContent.trim());
  // The chosen record may not be among the first ones.
  const asOption = ({ value, text }) => {
    const item = document.createElement("li");
    Object.assign(item, { role: "option", dir: "auto", textContent: text });
    item.dataset.value = value;
    return item;
  };
  const search = async (query) => {
    asked?.abort();
    const mine = (asked = new AbortController());
    const items = await fetchOptions(box, query, mine.signal).catch(() => []);
    if (mine !== asked) return; // a later key has asked again
    asked = undefined;
    list.replaceChildren(...items);
    if (!query && select.value && !options().some((option) => option.dataset.value === select.value)) list.prepend(asOption(select.selectedOptions[0]));
    options().forEach((option, index) => (option.id = `${id}-${index}`));
    status.textContent = options().length ? `${options().length} found` : "Nothing found";
    if (!items.length) list.append(status.textContent);
    const chosen = options().find((option) => option.dataset.value === select.value);
    show(true); // before it is scrolled
    highlight(query ? options()[0] : chosen);
    if (isEager && active) chooseOption(active);
    else if (isEager) show(false);
  };
  // Typed text becomes a choice; text that matches none stays, and keeps the form from being sent.
  const settle = () => {
    const typed = input.value.trim().toLowerCase();
    const isTyped = (option) => option.textContent.trim().toLowerCase() === typed;
    const option = options().find(isTyped) ?? active;
    const known = all("option", select).find((known) => known.value && isTyped(known));
    if (!input.validationMessage) restore();
    else if (!typed && empty) choose("", "");
    else if (typed && option) chooseOption(option);
    else if (known) choose(known.value, known.text);
    else if (asked) isEager = true;
    else show(false);
  };

  input.addEventListener("input", () => {
    forget();
    asked = new AbortController();
    timer = setTimeout(search, 150, input.value.trim());
    input.setCustomValidity("Choose one from the list, or press Escape.");
  });
  input.addEventListener("click", () => list.hidden && search(""));
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const isOpen = asked || !list.hidden;
    if (event.ctrlKey || event.metaKey || event.isComposing) return event.key === "Enter" && settle();
    if (step && !isOpen) search("");
    else if (step) highlight(options().at((active ? options().indexOf(active) + step : Math.min(step, 0) || 0) % options().length));
    else if (event.key === "Enter" && isOpen) active ? chooseOption(active) : (isEager = true);
    else if (event.key === "Escape" && (isOpen || input.validationMessage)) restore();
    else return;
    event.preventDefault();
  });
  box.addEventListener("focusout", ({ relatedTarget }) => {
    if (!box.contains(relatedTarget)) settle();
  });
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", ({ target }) => {
    const option = target.closest('[role="option"]');
    if (option) chooseOption(option);
  });
  clear.addEventListener("click", () => {
    choose("", "");
    input.focus();
  });
  restore();
}
