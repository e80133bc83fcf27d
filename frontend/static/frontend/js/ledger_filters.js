// @ts-check
/** The ledger's filters: a person by name, a time in the reader's own zone. */

import { PersonField } from "./combobox.js";
import { toast } from "./toast.js";

/** @param {number} number */
const two = (number) => String(number).padStart(2, "0");

/** @param {Date} at @returns {string} as a field of a local time has it */
function localText(at) {
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** @param {string} text of a field of a local time @returns {string} the same instant for everybody, with the offset that holds then */
function instant(text) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return "";
  const east = -at.getTimezoneOffset();
  const [hours, minutes] = [Math.floor(Math.abs(east) / 60), Math.abs(east) % 60];
  return `${localText(at)}${east < 0 ? "-" : "+"}${two(hours)}:${two(minutes)}`;
}

/** @param {HTMLInputElement} shown @param {HTMLInputElement} sent */
function startInstant(shown, sent) {
  const at = new Date(sent.value);
  if (sent.value && !Number.isNaN(at.getTime())) shown.value = localText(at);
  shown.addEventListener("input", () => (sent.value = instant(shown.value)));
}

/** @param {HTMLFormElement} form @param {HTMLElement} root @param {HTMLInputElement} sent */
function startPerson(form, root, sent) {
  /** @param {import("./combobox.js").Person} person */
  const pick = (person) => {
    sent.value = String(person.id);
    form.requestSubmit();
  };
  const field = new PersonField(root, pick);
  field.input.addEventListener("input", () => (sent.value = ""));
  field.input.addEventListener("blur", () => field.close());
  form.addEventListener("submit", async (event) => {
    const text = field.input.value.trim();
    if (!text || sent.value) return;
    event.preventDefault();
    const person = await field.exact();
    if (person) pick(person);
    else toast(`There is nobody called ${text}. Pick somebody from the list.`, { bad: true });
  });
}

const form = document.querySelector("[data-ledger-filters]");
if (form instanceof HTMLFormElement) {
  const shown = form.querySelector("[data-instant]");
  const sent = form.querySelector("[name=since]");
  if (shown instanceof HTMLInputElement && sent instanceof HTMLInputElement) startInstant(shown, sent);
  const [root, person] = [form.querySelector("[data-person-field]"), form.querySelector("[name=person]")];
  if (root instanceof HTMLElement && person instanceof HTMLInputElement) startPerson(form, root, person);
}
