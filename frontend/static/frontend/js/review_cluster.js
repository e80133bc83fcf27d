// @ts-check
/** One question of the clusters queue: its grid, its proposals, its name. */

import { PersonField } from "./combobox.js";
import { openDialog } from "./dialogs.js";
import { toast } from "./toast.js";
import { VirtualGrid } from "./virtual_grid.js";

/** @typedef {{ rejected?: number[], name?: string, into?: number }} Payload */
/** @typedef {(answer: string, said: string, payload: Payload) => void} Give */

/** @param {number} count */
const faces = (count) => `${count} face${count === 1 ? "" : "s"}`;

/** @type {Map<HTMLElement, ClusterQuestion>} */
const known = new Map();

/** @param {HTMLElement} question @returns {ClusterQuestion | null} null for a question of another kind */
export function clusterQuestion(question) {
  if (question.dataset.kind !== "cluster") return null;
  let found = known.get(question);
  if (!found) known.set(question, (found = new ClusterQuestion(question)));
  return found;
}

export class ClusterQuestion {
  /** @param {HTMLElement} question */
  constructor(question) {
    this.question = question;
    const { facesUrl, medoid, widest } = question.dataset;
    /** @type {Map<number, string>} */
    const marks = new Map();
    if (medoid) marks.set(Number(medoid), "medoid");
    for (const face of (widest ?? "").split(",")) marks.set(Number(face), "widest");
    const root = /** @type {HTMLElement} */ (question.querySelector("[data-grid]"));
    this.grid = new VirtualGrid(root, {
      marks,
      onChange: () => this.show(),
      load: async (after) => {
        const answer = await fetch(`${facesUrl}?${new URLSearchParams({ after })}`, { credentials: "same-origin" });
        if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
        return answer.json();
      },
    });
    this.grid.ready.catch(() => toast("The faces of this cluster could not be read. Reload the page.", { bad: true }));
  }

  /** Crops that are seen first, before the question is shown. */
  prefetch() {
    void this.grid.ready.then(() => {
      for (const one of this.grid.faces.slice(0, 40)) new Image().src = `/crops/${one.face}.png`;
    });
  }

  show() {
    const out = this.grid.selected.size;
    const status = this.question.querySelector("[data-status]");
    if (status) status.textContent = out ? `${faces(out)} selected, not this person` : "Nothing selected";
    const label = this.question.querySelector("[data-confirm-label]");
    if (label) label.textContent = out ? `Confirm the rest, reject ${out}` : "One person";
  }

  /** @returns {Payload} */
  #rejected() {
    const rejected = Array.from(this.grid.selected);
    return rejected.length ? { rejected } : {};
  }

  /** @param {string} what @param {Payload} payload */
  #said(what, payload) {
    return payload.rejected ? `${what}, ${payload.rejected.length} rejected` : what;
  }

  /** @returns {boolean} whether all faces have come; nobody confirms what was not there to be seen */
  #loaded() {
    if (!this.grid.complete) toast("The faces are still on their way.");
    return this.grid.complete;
  }

  /** @param {Give} give */
  confirm(give) {
    if (!this.#loaded()) return;
    const left = this.grid.faces.length - this.grid.selected.size;
    if (!left) {
      toast("No face is left to confirm. Skip the question, or leave some faces unselected.");
      return;
    }
    const payload = this.#rejected();
    give("same", this.#said(`Confirmed: ${faces(left)}`, payload), payload);
  }

  /** @param {Give} give */
  reject(give) {
    if (this.grid.selected.size) this.confirm(give);
    else toast("Select the faces that are not this person first.");
  }

  /** @param {Give} give @param {number} number from 1 */
  propose(give, number) {
    const proposal = this.question.querySelectorAll("[data-propose]")[number - 1];
    if (!(proposal instanceof HTMLElement) || !this.#loaded()) return;
    const payload = { ...this.#rejected(), into: Number(proposal.dataset.propose) };
    give("same", this.#said(`The same as ${proposal.dataset.name}`, payload), payload);
  }

  /** @param {Give} give @param {string} text @param {import("./combobox.js").Person | null} person */
  name(give, text, person) {
    if (!this.#loaded() || !text) return;
    const payload = { ...this.#rejected(), ...(person ? { into: person.id } : { name: text }) };
    give("same", this.#said(person ? `The same as ${person.name}` : `Named: ${text}`, payload), payload);
  }
}

/** The dialog that asks for a name. @param {() => ClusterQuestion | null} current @param {Give} give */
export function startNaming(current, give) {
  const dialog = document.getElementById("name-dialog");
  const root = dialog?.querySelector("[data-person-field]");
  const form = dialog?.querySelector("form");
  if (!(dialog instanceof HTMLDialogElement) || !(root instanceof HTMLElement) || !form) return () => {};
  const field = new PersonField(root, () => {});
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const cluster = current();
    const text = field.input.value.trim();
    const unchanged = text === (cluster?.question.dataset.name ?? "");
    const person = unchanged ? field.picked : await field.exact();
    dialog.close();
    cluster?.name(give, text, person);
  });
  return () => {
    const cluster = current();
    if (!cluster) return;
    field.reset();
    field.input.value = cluster.question.dataset.name ?? "";
    field.except = cluster.question.dataset.identity ?? "";
    openDialog("name-dialog");
    field.input.select();
    void field.look();
  };
}
