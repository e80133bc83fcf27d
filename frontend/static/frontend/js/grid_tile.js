// @ts-check
/** One face of a grid: its picture, its similarity, and what is to be said of it. */

/** @typedef {{ face: number, similarity: number, note: string, state: string }} GridFace */

/** What is written on marked tiles. @type {Record<string, string>} */
const WORDS = { medoid: "typical", widest: "least alike" };

/** Whether a face is dealt with: it stays in sight, and can't be selected. @param {GridFace} one */
export const gone = (one) => one.state === "aside" || one.state === "moved";

/**
 * @param {GridFace} one
 * @param {HTMLElement} picture
 * @param {string | undefined} mark `medoid` or `widest`
 */
export function makeTile(one, picture, mark) {
  const tile = document.createElement("div");
  tile.className = mark === "widest" ? "tile widest" : "tile";
  tile.dataset.face = String(one.face);
  tile.setAttribute("role", "option");
  const caption = document.createElement("span");
  caption.className = "caption";
  tile.append(picture, caption);
  if (mark) {
    const badge = document.createElement("span");
    badge.className = `mark badge ${mark === "widest" ? "warn" : "accent"}`;
    badge.textContent = WORDS[mark] ?? "";
    tile.append(badge);
  }
  return tile;
}

/**
 * How the face is now.
 * @param {HTMLElement} tile
 * @param {GridFace} one
 * @param {{ selected: boolean, mark: string | undefined, tag: string | undefined }} how `tag` is what was said of it
 */
export function dress(tile, one, { selected, mark, tag }) {
  const similarity = one.similarity.toFixed(2);
  const words = [`Face ${one.face}`, `similarity ${similarity}`, WORDS[mark ?? ""], one.note, tag];
  tile.setAttribute("aria-label", words.filter(Boolean).join(", "));
  tile.setAttribute("aria-selected", String(selected));
  tile.classList.toggle("tagged", tag !== undefined);
  tile.classList.toggle("gone", gone(one));
  tile.ariaDisabled = gone(one) ? "true" : null;
  const caption = /** @type {HTMLElement} */ (tile.querySelector(".caption"));
  const text = tag ?? similarity + (one.state === "confirmed" ? " ✓" : gone(one) ? ` ${one.note}` : "");
  if (caption.textContent !== text) caption.textContent = text;
}
