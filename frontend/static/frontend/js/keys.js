// @ts-check
/** Keyboard shortcuts. They rest while somebody types or a dialog is open. */

/** @type {Map<string, (event: KeyboardEvent) => void>} */
const handlers = new Map();
/** @type {Map<string, (event: Event) => void>} by action, for buttons that do the same */
const actions = new Map();

/**
 * @param {string} key as in KeyboardEvent.key, letters in lower case, with `ctrl+` or `shift+` before it
 * @param {(event: KeyboardEvent) => void} handler
 */
export function onKey(key, handler) {
  handlers.set(key, handler);
}

/** @type {Record<string, string>} the person's own key of each action, in words of `accounts.shortcuts` */
const own = JSON.parse(document.body.dataset.keys ?? "{}");

/**
 * @param {string} action whose key people choose themselves
 * @param {(event: Event) => void} handler
 */
export function onAction(action, handler) {
  actions.set(action, handler);
  const key = own[action];
  if (key) onKey(key, handler);
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** @param {KeyboardEvent} event @returns {string} as `accounts.shortcuts` writes it */
export function nameOf(event) {
  const key = event.key === " " ? "Space" : event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const ctrl = event.ctrlKey || event.metaKey ? "ctrl+" : "";
  // Shift is part of characters such as "?", so it is named only where the key has no character by itself.
  const shift = event.shiftKey && (ctrl || key.length > 1) ? "shift+" : "";
  return ctrl + shift + key;
}

export function startKeys() {
  document.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-step]") : null;
    if (button) actions.get(button.getAttribute("data-step") ?? "")?.(event);
  });
  document.addEventListener("keydown", (event) => {
    if (event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    // Enter and Space on a focused link or button belong to it.
    const onControl = event.target instanceof HTMLElement && event.target.closest("a, button, summary");
    if (onControl && (event.key === "Enter" || event.key === " ")) return;
    const handler = handlers.get(nameOf(event));
    if (!handler) return;
    event.preventDefault();
    handler(event);
  });
}
