// @ts-check
/** The form of a recipe's settings: what was changed, and what can't be. */

/** @param {HTMLElement} box @returns {HTMLInputElement[]} */
function inputsOf(box) {
  return Array.from(box.querySelectorAll("input"));
}

/** @param {HTMLElement} box @returns {boolean} */
function touched(box) {
  const select = box.querySelector("select");
  if (select) return !select.selectedOptions[0]?.defaultSelected;
  return inputsOf(box).some(inputTouched);
}

/** @param {HTMLInputElement} input @returns {boolean} */
function inputTouched(input) {
  return input.type === "checkbox" ? input.checked !== input.defaultChecked : input.value !== input.defaultValue;
}

/** @param {HTMLElement} box @returns {string} what is wrong; empty if nothing is */
function problemOf(box) {
  const values = inputsOf(box).map((input) => input.valueAsNumber);
  if (!(box.dataset.kind ?? "").match(/range|number|whole/)) return "";
  if (values.some(Number.isNaN)) return "A number is needed.";
  const [low, high] = values;
  if (low !== undefined && high !== undefined && low > high) {
    return `The range is turned round: ${low} is more than ${high}.`;
  }
  if (box.dataset.kind?.startsWith("whole") && !values.every(Number.isInteger)) return "Whole numbers only.";
  const beyond = inputsOf(box).find(({ validity }) => validity.rangeUnderflow || validity.rangeOverflow);
  return beyond ? `${beyond.value} is out of bounds; it may be ${beyond.min} to ${beyond.max}.` : "";
}

/** @param {HTMLElement} box @returns {unknown} */
function valueOf(box) {
  const select = box.querySelector("select");
  if (select) return select.value;
  const inputs = inputsOf(box);
  const [first] = inputs;
  if (!first) return null;
  if (box.dataset.kind === "switch") return first.checked;
  if (box.dataset.kind === "word") return first.value;
  return inputs.length > 1 ? inputs.map((input) => input.valueAsNumber) : first.valueAsNumber;
}

export class Settings {
  /** @param {HTMLFormElement} form @param {() => void} changed called some time after the last key */
  constructor(form, changed) {
    this.form = form;
    let timer = 0;
    const later = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(changed, 350);
    };
    form.addEventListener("input", later);
    form.addEventListener("reset", () => window.setTimeout(changed));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      changed();
    });
  }

  /** @returns {HTMLElement[]} */
  #boxes() {
    return Array.from(this.form.querySelectorAll("[data-setting]"));
  }

  /** @returns {Record<string, unknown> | null} by path; null where something can't be, which is then said beside it */
  changes() {
    /** @type {Record<string, unknown>} */
    const found = {};
    let fine = true;
    for (const box of this.#boxes()) {
      const problem = problemOf(box);
      this.#tell(box, problem);
      fine &&= problem === "";
      if (touched(box)) found[box.dataset.setting ?? ""] = valueOf(box);
    }
    return fine ? found : null;
  }

  /** @param {HTMLElement} box @param {string} problem */
  #tell(box, problem) {
    const place = box.querySelector(".error-text");
    if (place && place.textContent !== problem) place.textContent = problem;
    for (const input of inputsOf(box)) input.setAttribute("aria-invalid", String(problem !== ""));
    if (problem) box.closest("details")?.setAttribute("open", "");
  }
}
