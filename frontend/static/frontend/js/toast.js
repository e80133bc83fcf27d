// @ts-check
/** Short messages over the page. Nothing moves when one comes or goes. */

const SHOWN_MS = 7000;

/** @param {HTMLElement} element */
function leaveLater(element) {
  let timer = window.setTimeout(() => element.remove(), SHOWN_MS);
  element.addEventListener("pointerenter", () => window.clearTimeout(timer));
  element.addEventListener("pointerleave", () => {
    timer = window.setTimeout(() => element.remove(), SHOWN_MS / 2);
  });
}

/**
 * @param {string} text
 * @param {{ bad?: boolean, action?: string, onAction?: () => void }} [options]
 */
export function toast(text, options = {}) {
  const box = document.querySelector(".toasts");
  if (!box) return;
  const element = document.createElement("div");
  element.className = options.bad ? "toast bad" : "toast";
  const span = document.createElement("span");
  span.textContent = text;
  element.append(span);
  if (options.action && options.onAction) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button small";
    button.textContent = options.action;
    const act = options.onAction;
    button.addEventListener("click", () => {
      element.remove();
      act();
    });
    element.append(button);
  }
  while (box.children.length >= 3) box.firstElementChild?.remove();
  box.append(element);
  leaveLater(element);
}

/** @param {unknown} error */
export function toastError(error) {
  toast(error instanceof Error ? error.message : String(error), { bad: true });
}

/** Lets the toasts that the server rendered leave too. */
export function startToasts() {
  for (const element of document.querySelectorAll(".toasts .toast")) leaveLater(/** @type {HTMLElement} */ (element));
}
