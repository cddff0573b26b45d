// Files: their size, before they are sent; what is not an image, however it begins, is not shown.

const readSize = (bytes) => (bytes < 1e3 ? `${bytes} bytes` : bytes < 999_500 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
const showFiles = (form) => {
  const boxes = all('[type="file"]', form);
  let left = form.dataset.most; // of what all of them may have together
  for (const box of boxes) {
    const size = box.files[0]?.size ?? 0;
    const most = Math.min(box.dataset.most ?? Infinity, left);
    box.setCustomValidity(size > most ? `Choose a file with at most ${readSize(most)}.` : "");
    find("output", box.closest(".field")).value = box.files.length ? readSize(size) : "";
    left = Math.max(0, left - size);
  }
};
on("change", '.form [type="file"]', ({ form }) => showFiles(form));
document.addEventListener("error", ({ target }) => target.matches?.(".file img") && target.remove(), true);
