// Toasts: they leave by themselves, unless somebody reads them.

const expire = (toast) => (toast.matches(":hover, :focus-within") ? setTimeout(expire, 2000, toast) : toast.remove());
on("click", "[data-dismiss]", (button) => button.closest(".toast").remove());
const forgive = () => all(".toast.bad").forEach((toast) => toast.remove());
const complain = (title, text) => {
  forgive(); // one is enough, however often it fails
  const toast = document.createElement("div");
  toast.className = "toast bad";
  toast.role = "alert";
  toast.innerHTML = '<p><strong></strong> <span></span></p><button class="button quiet" type="button" data-dismiss>Dismiss</button>';
  find("strong", toast).textContent = title;
  find("span", toast).textContent = text;
  (find("dialog[open] :is(.confirm, .sign-in)") ?? find("#toasts")).append(toast); // what lies behind an open dialog is not heard
};
