// @ts-check
/** Faces that a question shows: what is said of them closes it, instead of an answer. */

import { PersonField } from "./combobox.js";
import { compare, compareNothing } from "./compare.js";
import { openDialog } from "./dialogs.js";
import { Selection } from "./selection.js";
import { toast } from "./toast.js";

/** @typedef {import("./combobox.js").Person} Person */
/** @typedef {"ignore" | "not_a_face"} Aside */

/** @type {WeakMap<HTMLElement, Selection>} */
const known = new WeakMap();

/** @param {HTMLElement | undefined} question @returns {Selection | null} of its faces; null where there is nothing to choose */
export function shownFaces(question) {
  const grid = question?.querySelector("[data-faces]");
  if (!question || !(grid instanceof HTMLElement)) return null;
  const found = known.get(question) ?? new Selection(grid, () => {});
  known.set(question, found);
  return found;
}

/** @param {HTMLElement} question @returns {number[]} what is selected, else the face that the keyboard is on, else the suspect */
export function chosenFaces(question) {
  if (question.dataset.subject) return [Number(question.dataset.subject)];
  const selection = shownFaces(question);
  const chosen = selection?.faces() ?? [];
  const current = selection?.tiles().find((tile) => tile === document.activeElement);
  if (!chosen.length && current) chosen.push(Number(current.dataset.face));
  if (!chosen.length) toast("Select the face first: click it, or move with the arrow keys.");
  return chosen.sort((a, b) => a - b);
}

/** @param {Aside} how @param {number} count */
export function saidOf(how, count) {
  const some = `${count} face${count === 1 ? "" : "s"}`;
  return how === "ignore" ? `${some} set aside` : `${some} ${count === 1 ? "is none" : "are none"}`;
}

/** @param {HTMLElement} question @param {number[]} faces @returns {boolean} whether it makes no sense without them */
export function isMoot(question, faces) {
  const { subject, kind } = question.dataset;
  if (subject) return faces.includes(Number(subject));
  return kind === "pair" && Boolean(shownFaces(question)?.left().some((face) => faces.includes(face)));
}

/**
 * The dialog that looks up a person, and shows them beside the question's face.
 * @param {() => HTMLElement | undefined} current @param {(person: Person) => void} isThem said of a suspect
 * @returns {() => void}
 */
export function startLookUp(current, isThem) {
  const dialog = document.getElementById("look-up-dialog");
  const root = dialog?.querySelector("[data-person-field]");
  const form = dialog?.querySelector("form");
  if (!(dialog instanceof HTMLDialogElement) || !(root instanceof HTMLElement) || !form) return () => {};
  const page = dialog.querySelector("[data-person-page]");
  const button = dialog.querySelector("[data-is-them]");
  /** @param {Person | null} person */
  const offer = (person) => {
    page?.toggleAttribute("hidden", !person);
    button?.toggleAttribute("disabled", !person);
    if (!person) return compareNothing(dialog);
    page?.setAttribute("href", `/people/${person.id}/`);
    const question = current();
    const face = question?.querySelector("[data-faces] [aria-selected=true] img, [data-faces] :focus img, .subject img") ?? question?.querySelector("[data-faces] img, [data-grid] img");
    compare(dialog, { cover: face?.getAttribute("src") ?? "", name: "This face" }, { cover: person.cover ?? "", name: person.name });
    if (button instanceof HTMLButtonElement) button.focus();
  };
  const field = new PersonField(root, offer);
  field.input.addEventListener("input", () => offer(null));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!field.picked || !button) return;
    dialog.close();
    isThem(field.picked);
  });
  return () => {
    if (!current()) return;
    field.reset();
    offer(null);
    openDialog("look-up-dialog");
    field.input.focus();
    void field.look();
  };
}
