// @ts-check
/** Range inputs say their value in the output beside them. */

/** @param {HTMLInputElement} input */
function tell(input) {
  const output = input.form?.querySelector(`output[for="${input.id}"]`);
  if (!output) return;
  const [value, usual] = [Number(input.value).toFixed(3), Number(input.defaultValue).toFixed(3)];
  output.textContent = value === usual ? `${value}, as calibrated` : `${value} instead of ${usual}`;
}

for (const form of document.querySelectorAll("form[data-sliders]")) {
  /** @type {NodeListOf<HTMLInputElement>} */
  const inputs = form.querySelectorAll("input[type=range]");
  const tellAll = () => inputs.forEach(tell);
  form.addEventListener("input", tellAll);
  form.addEventListener("reset", () => window.setTimeout(tellAll));
  tellAll(); // the browser may have restored what was chosen before
}
