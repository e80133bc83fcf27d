// @ts-check
/** A sample in a dialog: the image, what was drawn for it, its labels. */

import { openDialog } from "./dialogs.js";

/**
 * @typedef {{ index: number, seed: number, image: string, width: number, height: number, labels: unknown,
 *   params: unknown, code: string, reason: string }} Sample
 */

/** @param {Sample} sample @returns {string} */
export function pictureOf(sample) {
  return `data:image/png;base64,${sample.image}`;
}

/** @param {string} name @param {string} text */
function fill(name, text) {
  const place = document.querySelector(`#sample [${name}]`);
  if (place) place.textContent = text;
}

/**
 * @param {Sample} sample
 * @param {string} command that makes it again
 */
export function showSample(sample, command) {
  const title = document.getElementById("sample-title");
  if (title) title.textContent = `Sample ${sample.index} of seed ${sample.seed}`;
  const image = document.querySelector("#sample [data-large]");
  if (image instanceof HTMLImageElement) {
    image.src = pictureOf(sample);
    image.alt = `${sample.width} by ${sample.height} pixels`;
  }
  fill("data-params", JSON.stringify(sample.params, null, 1));
  fill("data-labels", JSON.stringify(sample.labels, null, 1));
  fill("data-command", command);
  openDialog("sample");
}
