// @ts-check
/** Choosing one's own keys: press a button, then the key. */

import { call } from "./api.js";
import { nameOf } from "./keys.js";
import { tellNext } from "./steps.js";
import { toastError } from "./toast.js";

const table = document.querySelector("[data-key-choice]");
/** @type {Record<string, string>} */
const keys = JSON.parse(document.body.dataset.keys ?? "{}");
const MODIFIERS = ["Shift", "Control", "Alt", "Meta", "AltGraph"];
/** @type {HTMLButtonElement | null} the button that waits for a key */
let waiting = null;

/** @param {Record<string, string>} chosen @param {string} said */
async function keep(chosen, said) {
  try {
    await call("PUT", "/api/v1/me/keys", { keys: chosen });
    tellNext(said);
    location.reload();
  } catch (error) {
    rest();
    toastError(error);
  }
}

function rest() {
  if (waiting) waiting.textContent = waiting.dataset.shown ?? "";
  waiting = null;
}

table?.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-choose], [data-reset-keys]") : null;
  if (!(button instanceof HTMLButtonElement)) return;
  rest();
  if (button.hasAttribute("data-reset-keys")) {
    void keep({}, "All keys are as they were at first.");
    return;
  }
  waiting = button;
  button.dataset.shown = button.textContent ?? "";
  button.textContent = "Press a key, Esc to leave it";
});

document.addEventListener(
  "keydown",
  (event) => {
    if (!waiting || MODIFIERS.includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const action = waiting.dataset.choose ?? "";
    if (event.key === "Escape" || event.key === "Tab") rest();
    else void keep({ ...keys, [action]: nameOf(event) }, "Your key was kept.");
  },
  { capture: true },
);
