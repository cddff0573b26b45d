// Selected rows: the box for all of them, ranges with Shift, and how many there are.

let lastBox;
const boxesOf = (element) => all("tbody .check input", element.closest(".listing"));
const countSelected = () => {
  for (const every of all("[data-all]")) {
    const boxes = boxesOf(every);
    const count = boxes.filter((box) => box.checked).length;
    every.checked = count > 0 && count === boxes.length;
    every.indeterminate = count > 0 && count < boxes.length;
    const bar = find(".selection", every.closest(".listing"));
    const matching = find('[name="form.all"]', bar);
    if (!count && matching) matching.checked = false;
    find("output", bar).value = matching?.checked ? "All selected" : `${count} selected`;
    for (const button of all("button", bar)) button.disabled = !count; // they have keys, and Enter in a box presses the first
  }
};
on("click", ".list tbody .check input", (box, { shiftKey }) => {
  const boxes = boxesOf(box);
  const [from, to] = [boxes.indexOf(lastBox), boxes.indexOf(box)].sort((a, b) => a - b);
  if (shiftKey && from >= 0) for (const each of boxes.slice(from, to)) each.checked = box.checked;
  lastBox = box;
});
on("change", '.selection [name="form.all"]', countSelected);
// All that match are named by their query: thousands of keys make no address.
on("formdata", ".selection", (bar, { formData }) => {
  if (formData.has("form.all")) formData.delete("id");
});
on("change", ".list .check input", (box) => {
  if (box.matches("[data-all]")) for (const each of boxesOf(box)) each.checked = box.checked;
  countSelected();
});
