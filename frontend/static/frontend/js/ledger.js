// @ts-check
/** Taking single decisions back. */

import { revert, tellNext } from "./decisions.js";
import { toastError } from "./toast.js";

document.addEventListener("click", async (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-revert]") : null;
  if (!(button instanceof HTMLButtonElement)) return;
  button.disabled = true;
  try {
    await revert(Number(button.dataset.revert));
    tellNext(`Decision ${button.dataset.revert} was taken back.`);
    location.reload();
  } catch (error) {
    button.disabled = false;
    toastError(error);
  }
});
