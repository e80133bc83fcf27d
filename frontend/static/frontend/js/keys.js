// @ts-check
/** Keyboard shortcuts. They rest while somebody types or a dialog is open. */

/** @type {Map<string, (event: KeyboardEvent) => void>} */
const handlers = new Map();

/**
 * @param {string} key as in KeyboardEvent.key, letters in lower case, with `ctrl+` or `shift+` before it
 * @param {(event: KeyboardEvent) => void} handler
 */
export function onKey(key, handler) {
  handlers.set(key, handler);
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** @param {KeyboardEvent} event */
function nameOf(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const ctrl = event.ctrlKey || event.metaKey ? "ctrl+" : "";
  // Shift is part of characters such as "?", so it is named only for keys that have no character.
  const shift = event.shiftKey && event.key.length > 1 ? "shift+" : "";
  return ctrl + shift + key;
}

export function startKeys() {
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
