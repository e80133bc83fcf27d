// @ts-check
/** Two people side by side, each by one typical face, before they are said to be one. */

/** @typedef {{ cover: string, name: string }} Shown */

/** @param {HTMLElement} dialog holds the place for it @param {Shown} left @param {Shown} right */
export function compare(dialog, left, right) {
  const box = dialog.querySelector("[data-compare]");
  for (const [side, { cover, name }] of /** @type {[string, Shown][]} */ ([["left", left], ["right", right]])) {
    const image = box?.querySelector(`[data-${side}]`);
    if (image instanceof HTMLImageElement) image.toggleAttribute("hidden", !cover);
    if (image instanceof HTMLImageElement && cover) image.src = cover;
    const text = box?.querySelector(`[data-${side}-name]`);
    if (text) text.textContent = name;
  }
  box?.removeAttribute("hidden");
}

/** Nobody is picked any more. @param {HTMLElement} dialog */
export function compareNothing(dialog) {
  dialog.querySelector("[data-compare]")?.setAttribute("hidden", "");
}
