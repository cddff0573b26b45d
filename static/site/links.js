// Links in forms: what is chosen becomes a box of its own, so that several can be added.

on("change", "[data-adds] select", (select) => {
  const { value, selectedOptions: [option] } = select;
  if (!value) return;
  const list = find("ul[data-name]", select.closest("fieldset"));
  const known = all("input", list).find((box) => box.value === value);
  if (known) known.checked = known.name === list.dataset.name;
  else {
    const item = document.createElement("li");
    const label = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", name: list.dataset.name, value, checked: true });
    label.append(box, Object.assign(document.createElement("bdi"), { textContent: option.text }));
    item.className = "linked-one";
    item.append(label);
    list.insertBefore(item, find("li:not(.linked-one)", list));
  }
  find('[role="status"]', select.parentElement).textContent = `${option.text} added`;
  select.value = "";
});
