// @ts-check
/** Starts what every page has. */

import { csrfToken } from "./api.js";
import { openDialog, startDialogs } from "./dialogs.js";
import { onAction, onKey, startKeys } from "./keys.js";
import { startTheme } from "./theme.js";
import { startToasts, toast, toastError } from "./toast.js";
import { redo, undo } from "./steps.js";

function startMenu() {
  const button = document.querySelector("[data-menu]");
  /** @param {boolean} open */
  const set = (open) => {
    document.body.classList.toggle("menu-open", open);
    button?.setAttribute("aria-expanded", String(open));
  };
  button?.addEventListener("click", () => set(!document.body.classList.contains("menu-open")));
  document.querySelector(".menu-veil")?.addEventListener("click", () => set(false));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") set(false);
  });
}

/** Exact times in the reader's own zone: on hover, and where they are what is told. @param {ParentNode} root */
function localTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const at = new Date(element.getAttribute("datetime") ?? "");
    if (Number.isNaN(at.getTime())) continue;
    element.setAttribute("title", at.toLocaleString());
    if (element.hasAttribute("data-exact")) element.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
  }
}

function startHtmx() {
  document.addEventListener("htmx:configRequest", (event) => {
    /** @type {CustomEvent} */ (event).detail.headers["X-CSRFToken"] = csrfToken();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target instanceof HTMLElement) localTimes(event.target);
  });
  document.addEventListener("htmx:sendError", () => toastError(new Error("The server can't be reached.")));
}

/** Forms that must not be sent twice: a second click does nothing. Those of dialogs are used again. */
function startForms() {
  document.addEventListener("submit", (event) => {
    if (!(event.target instanceof HTMLFormElement) || event.target.method !== "post") return;
    const button = event.submitter;
    if (button instanceof HTMLButtonElement) window.setTimeout(() => (button.disabled = true));
  });
  window.addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("form button:disabled:not([data-stays-disabled])")) {
      if (button instanceof HTMLButtonElement) button.disabled = false;
    }
  });
  for (const select of document.querySelectorAll("form[method=get] select[data-submit]")) {
    select.addEventListener("change", () => /** @type {HTMLSelectElement} */ (select).form?.requestSubmit());
  }
}

/** Buttons that copy the text they name. */
function startCopying() {
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
    const source = button && document.getElementById(button.getAttribute("data-copy") ?? "");
    if (!source) return;
    try {
      await navigator.clipboard.writeText((source.textContent ?? "").trim());
      toast("Copied.");
    } catch {
      window.getSelection()?.selectAllChildren(source);
      toast("Selected: press Ctrl+C to copy.");
    }
  });
}

function startOverlaySwitch() {
  for (const box of document.querySelectorAll("input[data-toggle-class]")) {
    if (!(box instanceof HTMLInputElement)) continue;
    box.addEventListener("change", () => {
      document.getElementById(box.dataset.target ?? "")?.classList.toggle(box.dataset.toggleClass ?? "", !box.checked);
    });
  }
}

startMenu();
startDialogs();
startKeys();
startToasts();
startTheme(toast);
startHtmx();
startForms();
startCopying();
startOverlaySwitch();
localTimes(document);
onKey("?", () => openDialog("keys"));
onAction("search", () => /** @type {HTMLElement | null} */ (document.querySelector("input[type=search]"))?.focus());
onAction("undo", () => void undo());
onAction("redo", () => void redo());
