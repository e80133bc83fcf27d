// @ts-check
/** Taking single decisions back. */

import { takeBack } from "./steps.js";
import { toastError } from "./toast.js";

document.addEventListener("click", async (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-revert]") : null;
  if (!(button instanceof HTMLButtonElement)) return;
  if (button.ariaDisabled) return;
  button.ariaDisabled = "true"; // and keeps the focus
  try {
    await takeBack(Number(button.dataset.revert));
  } catch (error) {
    button.ariaDisabled = null;
    toastError(error);
  }
});
