// @ts-check

import { newKey } from "./api.js";

/**
 * The tabs of this browser that show the same thing, as far as they said so lately.
 *
 * @param {string} what - shared by these tabs
 * @param {number} lately - in milliseconds; a tab that crashed counts no longer after that
 */
export function tabsOf(what, lately) {
  const prefix = `loupe tab ${what} `;
  const own = prefix + newKey();
  return {
    /** This tab shows it. */
    here() {
      localStorage.setItem(own, String(Date.now()));
    },
    /** It does no more. @returns {boolean} whether no other tab does */
    leave() {
      localStorage.removeItem(own);
      const others = Object.keys(localStorage).filter((key) => key.startsWith(prefix));
      const stale = others.filter((key) => Date.now() - Number(localStorage.getItem(key)) > lately);
      for (const key of stale) localStorage.removeItem(key);
      return others.length === stale.length;
    },
  };
}
