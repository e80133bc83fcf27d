// @ts-check
/** One question of the clusters queue: its grid, its proposals, its name. */

import { call } from "./api.js";
import { PersonField } from "./combobox.js";
import { compare, compareNothing } from "./compare.js";
import { openDialog } from "./dialogs.js";
import { prefetch } from "./sheets.js";
import { showSteps } from "./steps.js";
import { toast } from "./toast.js";
import { VirtualGrid } from "./virtual_grid.js";

/**
 * @typedef {{ rejected?: number[], split?: number[][], ignored?: number[], not_faces?: number[], name?: string,
 *   into?: number, faces?: number[] }} Payload `faces` of a question that is none about a cluster
 */
/** @typedef {"split" | "ignored" | "not_faces"} Leaving how faces can leave a cluster, besides being rejected */
/** @typedef {{ how: Leaving, group: number }} Left */
/** @typedef {{ left: Map<number, Left>, selected: number[] }} Chosen what is said of faces: those that leave with the answer, and those selected */
/** @typedef {(answer: string, said: string, payload: Payload) => void} Give */

const MOST_PHOTOS = 6;

/** @param {number} count */
const faces = (count) => `${count} face${count === 1 ? "" : "s"}`;

/** On a tile. @param {Left} left */
const tagOf = (left) => ({ split: `person ${left.group}`, ignored: "ignore", not_faces: "no face" })[left.how];

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
    /** @type {Map<number, Left>} faces that leave when the rest is confirmed; each change makes a new map */
    this.left = new Map();
    /** @type {Chosen[]} */
    this.before = [];
    /** @type {Chosen[]} */
    this.after = [];
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
        const page = await call("GET", `${facesUrl}${after}`);
        /** @type {{ face: number, similarity: number, confirmed: boolean }[]} */
        const rows = page.results;
        const faces = rows.map((one) => ({ ...one, note: "", state: one.confirmed ? "confirmed" : "open" }));
        return { faces, next: page.next ? new URL(page.next).search : "" };
      },
    });
    this.grid.ready.catch(() => toast("The faces of this cluster could not be read. Reload the page.", { bad: true }));
  }

  /** Crops that are seen first, before the question is shown. */
  prefetch() {
    void this.grid.ready.then(() => prefetch(this.grid.rows, this.grid.complete));
  }

  show() {
    const out = this.#rejected().length;
    const status = this.question.querySelector("[data-status]");
    const said = [out ? `${faces(out)} selected, not this person` : "", ...this.#leaving()].filter(Boolean);
    if (status) status.textContent = said.join("; ") || "Nothing selected";
    const label = this.question.querySelector("[data-confirm-label]");
    if (label) label.textContent = out ? `Confirm the rest, reject ${out}` : this.left.size ? "Confirm the rest" : "One person";
    for (const button of this.question.querySelectorAll("[data-leave]")) {
      button.setAttribute("aria-disabled", String(!this.grid.selected.size));
    }
    showSteps();
  }

  /**
   * The selected faces leave with the answer; once more, and they stay.
   * @param {Leaving} how
   */
  leave(how) {
    const chosen = this.grid.selected;
    if (!chosen.size) {
      toast("Select faces first: click them, or move with the arrow keys and press Space.");
      return;
    }
    const next = new Map(this.left);
    const back = Array.from(chosen).every((face) => next.get(face)?.how === how);
    const group = Math.max(1, ...Array.from(next.values(), (one) => one.group)) + 1;
    for (const face of chosen) if (!next.delete(face) || !back) next.set(face, { how, group: how === "split" ? group : 0 });
    this.before.push(this.#chosen());
    this.after = [];
    this.#choose({ left: next, selected: [] });
  }

  /** @param {"undo" | "redo"} verb @returns {boolean} whether there is a change to what leaves that can be taken back, or done again */
  has(verb) {
    return (verb === "undo" ? this.before : this.after).length > 0;
  }

  /** Take back, or do again, the last change to what leaves. @param {"undo" | "redo"} verb @returns {boolean} whether there was one */
  step(verb) {
    const [from, to] = verb === "undo" ? [this.before, this.after] : [this.after, this.before];
    const found = from.pop();
    if (!found) return false;
    to.push(this.#chosen());
    this.#choose(found);
    return true;
  }

  /** What an answer says of faces is chosen again. @param {Payload} payload */
  async restore({ rejected = [], split = [], ignored = [], not_faces = [] }) {
    await this.grid.ready;
    /** @type {Map<number, Left>} */
    const left = new Map();
    split.forEach((group, at) => group.forEach((face) => left.set(face, { how: "split", group: at + 2 })));
    for (const face of ignored) left.set(face, { how: "ignored", group: 0 });
    for (const face of not_faces) left.set(face, { how: "not_faces", group: 0 });
    this.#choose({ left, selected: rejected });
  }

  /** @returns {Chosen} */
  #chosen() {
    return { left: this.left, selected: this.grid.faces() };
  }

  /** @param {Chosen} chosen */
  #choose({ left, selected }) {
    this.left = left;
    this.grid.tag(new Map(Array.from(left, ([face, one]) => [face, tagOf(one)])));
    this.grid.select(selected);
  }

  /** @returns {number[]} */
  #rejected() {
    return Array.from(this.grid.selected).filter((face) => !this.left.has(face)).sort((a, b) => a - b);
  }

  /** @param {Leaving} how @returns {number[][]} by person to be */
  #groups(how) {
    /** @type {Map<number, number[]>} */
    const groups = new Map();
    const those = Array.from(this.left).filter(([, one]) => one.how === how);
    for (const [face, one] of those.sort(([a], [b]) => a - b)) groups.set(one.group, [...(groups.get(one.group) ?? []), face]);
    return Array.from(groups.values());
  }

  /** @returns {Payload} what leaves */
  #out() {
    const rejected = this.#rejected();
    const split = this.#groups("split");
    const [ignored, none] = [this.#groups("ignored")[0], this.#groups("not_faces")[0]];
    return {
      ...(rejected.length && { rejected }),
      ...(split.length && { split }),
      ...(ignored && { ignored }),
      ...(none && { not_faces: none }),
    };
  }

  /** @returns {string[]} in words */
  #leaving() {
    /** @param {Leaving} how */
    const count = (how) => this.#groups(how).flat().length;
    const [split, ignored, none] = [count("split"), count("ignored"), count("not_faces")];
    return [split && `${split} split off`, ignored && `${ignored} ignored`, none && `${none} no face`].filter(Boolean).map(String);
  }

  /** @param {string} what */
  #said(what) {
    const out = this.#rejected().length;
    return [what, ...(out ? [`${out} rejected`] : []), ...this.#leaving()].join(", ");
  }

  /** @returns {boolean} whether all faces have come; nobody confirms what was not there to be seen */
  #loaded() {
    if (!this.grid.complete) toast("The faces are still on their way.");
    return this.grid.complete;
  }

  /** @returns {number} of faces that stay */
  #rest() {
    return this.grid.rows.length - this.#rejected().length - this.left.size;
  }

  /**
   * The photos of what is selected, or of the current face. @param {Element} box @returns {Promise<boolean>} whether to show or
   * hide the box
   */
  async bringPhotos(box) {
    const active = this.grid.rows[this.grid.active];
    const chosen = this.grid.faces().slice(0, MOST_PHOTOS);
    if (!chosen.length && active) chosen.push(active.face);
    const wanted = chosen.join(",");
    if (!box.hasAttribute("hidden") && (!wanted || wanted === box.getAttribute("data-faces"))) return true; // to hide it
    if (!wanted) {
      toast("Select a face first: click it, or move with the arrow keys.");
      return false;
    }
    const answer = await fetch(`${box.getAttribute("data-shots-url")}?faces=${wanted}`, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) {
      toast("The photos could not be read.", { bad: true });
      return false;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    box.replaceChildren(...page.body.children);
    box.setAttribute("data-faces", wanted);
    box.setAttribute("hidden", ""); // is shown next
    return true;
  }

  /** @param {Give} give */
  confirm(give) {
    if (!this.#loaded()) return;
    const rest = this.#rest();
    if (!rest && this.#rejected().length) {
      toast("No face is left to confirm. Skip the question, or leave some faces unselected.");
      return;
    }
    give("same", this.#said(rest ? `Confirmed: ${faces(rest)}` : "No face of this person"), this.#out());
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
    const payload = { ...this.#out(), into: Number(proposal.dataset.propose) };
    give("same", this.#said(`The same as ${proposal.dataset.name}`), payload);
  }

  /** @param {Give} give @param {string} text @param {import("./combobox.js").Person | null} person */
  name(give, text, person) {
    if (!this.#loaded() || !text) return;
    const payload = { ...this.#out(), ...(person ? { into: person.id } : { name: text }) };
    give("same", this.#said(person ? `The same as ${person.name}` : `Named: ${text}`), payload);
  }
}

/**
 * The dialog that asks for a name; with `other`, for somebody else whom the cluster shows.
 * @param {() => ClusterQuestion | null} current @param {Give} give
 * @returns {(how?: { other: boolean }) => void}
 */
export function startNaming(current, give) {
  const dialog = document.getElementById("name-dialog");
  const root = dialog?.querySelector("[data-person-field]");
  const form = dialog?.querySelector("form");
  if (!(dialog instanceof HTMLDialogElement) || !(root instanceof HTMLElement) || !form) return () => {};
  /** Both typical faces before the two become one. @param {import("./combobox.js").Person | null} person */
  const offer = (person) => {
    const save = dialog.querySelector("[data-save]");
    if (save) save.textContent = person ? "They are one person" : "Save";
    const question = current()?.question;
    if (!person || !question) return compareNothing(dialog);
    const cover = question.dataset.medoid ? `/crops/${question.dataset.medoid}.png` : "";
    compare(dialog, { cover, name: question.dataset.name || "This cluster" }, { cover: person.cover ?? "", name: person.name });
    if (save instanceof HTMLButtonElement) save.focus();
  };
  const field = new PersonField(root, offer);
  field.input.addEventListener("input", () => offer(null));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const cluster = current();
    const text = field.input.value.trim();
    const unchanged = text === (cluster?.question.dataset.name ?? "");
    const person = unchanged ? field.picked : await field.exact();
    if (person && !field.picked) return field.pick(person); // typed, so not seen yet
    dialog.close();
    cluster?.name(give, text, person);
  });
  return ({ other } = { other: false }) => {
    const cluster = current();
    if (!cluster) return;
    field.reset();
    offer(null);
    field.input.value = other ? "" : (cluster.question.dataset.name ?? "");
    field.except = cluster.question.dataset.identity ?? "";
    openDialog("name-dialog");
    field.input.select();
    void field.look();
  };
}
