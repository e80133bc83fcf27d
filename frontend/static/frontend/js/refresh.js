// @ts-check
/** What a decision changes on a page is brought up to date in place; see `frontend/partials/live.html`. */

const NEW = 20; // rows that may have come on top since

/**
 * Ask for the page anew and take its live parts from it. What has the focus keeps it, and stays where it is in view.
 * @returns {Promise<boolean>} false where the page has no such parts, or did not come
 */
export async function refresh() {
  const live = document.getElementById("live");
  if (!live) return false;
  const rows = live.dataset.rows; // what has been scrolled to is asked for again
  const held = document.activeElement?.id ?? "";
  const before = topOf(held);
  /** @type {Promise<boolean>} */
  const came = new Promise((resolve) => {
    live.addEventListener("htmx:afterRequest", (event) => resolve(/** @type {CustomEvent} */ (event).detail.successful), { once: true });
  });
  live.addEventListener(
    "htmx:configRequest",
    (event) => {
      if (rows) /** @type {CustomEvent} */ (event).detail.parameters.shown = document.querySelectorAll(rows).length + NEW;
    },
    { once: true },
  );
  live.addEventListener("htmx:beforeSwap", followRedirect, { once: true });
  live.dispatchEvent(new Event("refresh"));
  const successful = await came;
  if (held && document.activeElement?.id === held) window.scrollBy({ top: topOf(held) - before, behavior: "instant" });
  return successful;
}

/** @param {string} id */
function topOf(id) {
  return document.getElementById(id)?.getBoundingClientRect().top ?? 0;
}

/** A person who was merged has the page of another one. @param {Event} event */
function followRedirect(event) {
  const { detail } = /** @type {CustomEvent} */ (event);
  const came = new URL(detail.xhr.responseURL, location.href);
  if (came.pathname === location.pathname) return;
  detail.shouldSwap = false;
  location.assign(came);
}
