// @ts-check
/** What is shown here is kept from others for a while, and for as long as somebody looks at it. */

import { call, csrfToken } from "./api.js";
import { tabsOf } from "./tabs.js";

const RENEW_MS = 40 * 1000; // the server gives it to others after two minutes

/**
 * @param {HTMLElement} box of the questions of a batch
 * @param {() => number[]} shown their numbers
 * @param {(error: unknown) => void} failed told where they could not be kept
 * @returns {() => void} to keep those that came since
 */
export function keepLeases(box, shown, failed) {
  const { batch, user } = box.dataset;
  const address = `/api/v1/review/batches/${batch}`;
  const tabs = tabsOf(`review ${user} ${batch}`, 3 * RENEW_MS);

  async function renew() {
    const items = shown();
    if (!items.length || document.hidden || !navigator.onLine) return;
    tabs.here();
    try {
      await call("POST", `${address}/lease`, { items: items.slice(0, 100) });
    } catch (error) {
      failed(error);
    }
  }

  /** Given back on leaving, unless another tab shows them; what can't be sent any more, the server takes back later. */
  function release() {
    if (!tabs.leave()) return;
    const headers = { "X-CSRFToken": csrfToken() };
    void fetch(`${address}/release`, { method: "POST", keepalive: true, credentials: "same-origin", headers });
  }

  window.addEventListener("pagehide", release);
  window.addEventListener("pageshow", (event) => event.persisted && void renew());
  document.addEventListener("visibilitychange", () => void renew()); // a tab that was hidden may have lost them
  window.setInterval(() => void renew(), RENEW_MS);
  void renew();
  return () => void renew();
}
