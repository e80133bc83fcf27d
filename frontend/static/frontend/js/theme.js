// @ts-check
/** The light and dark switch. The cookie lets the server render the right theme at once. */

const NEXT = /** @type {const} */ ({ auto: "dark", dark: "light", light: "auto" });
const SAID = { auto: "Theme follows the system", dark: "Dark theme", light: "Light theme" };

/** @param {(text: string) => void} tell */
export function startTheme(tell) {
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.addEventListener("click", () => {
      const root = document.documentElement;
      const now = /** @type {keyof typeof NEXT} */ (root.dataset.theme ?? "auto");
      const next = NEXT[now] ?? "auto";
      if (next === "auto") delete root.dataset.theme;
      else root.dataset.theme = next;
      document.cookie = `loupe_theme=${next}; path=/; max-age=31536000; samesite=lax`;
      tell(SAID[next]);
    });
  }
}
