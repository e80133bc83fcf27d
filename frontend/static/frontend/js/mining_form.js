// @ts-check
/** The form that starts a mining run says how long its questions would take to answer. */

/** @param {number} count minutes, in the words of the template filter `minutes` */
function words(count) {
  if (count < 1) return "Less than a minute";
  return count < 120 ? `About ${Math.round(count)} min` : `About ${Math.round(count / 60)} h`;
}

for (const form of document.querySelectorAll("form[data-mining]")) {
  const output = form.querySelector("[data-estimate]");
  const tell = () => {
    const given = new FormData(/** @type {HTMLFormElement} */ (form));
    /** @type {NodeListOf<HTMLInputElement>} */
    const ticked = form.querySelectorAll("input[data-seconds]:checked");
    const seconds = Array.from(ticked, (box) => Number(box.dataset.seconds)).reduce((sum, one) => sum + one, 0);
    if (output) output.textContent = words((seconds * Number(given.get("budget")) * Number(given.get("overlap"))) / 60);
  };
  form.addEventListener("input", tell);
  tell(); // the browser may have restored what was chosen before
}
