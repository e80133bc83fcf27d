// @ts-check
/** Deciding about the faces of one cluster or one person: the grid, its keys and its dialogs. */

import { call } from "./api.js";
import { PersonField } from "./combobox.js";
import { compare, compareNothing } from "./compare.js";
import { decide } from "./decisions.js";
import { openDialog } from "./dialogs.js";
import { onAction, onKey } from "./keys.js";
import { refresh } from "./refresh.js";
import { selectBy } from "./range_taps.js";
import { Selection } from "./selection.js";
import { refreshPage, stepsHere, tellNext } from "./steps.js";
import { toast } from "./toast.js";
import { VirtualGrid } from "./virtual_grid.js";

/** @typedef {import("./combobox.js").Person} Person */
/** @typedef {import("./decisions.js").Statement} Statement */

/** @param {number} count */
const faces = (count) => `${count} face${count === 1 ? "" : "s"}`;

/** All faces of a cluster: the first of them came with the page. @param {HTMLElement} root @param {() => void} onChange */
function clusterGrid(root, onChange) {
  const { facesUrl = "", first, medoid, widest } = root.dataset;
  let here = first; // came with the page
  /** @type {Map<number, string>} */
  const marks = new Map([[Number(medoid), "medoid"]]);
  for (const face of (widest ?? "").split(",")) marks.set(Number(face), "widest");
  const grid = new VirtualGrid(root, {
    marks,
    onChange,
    load: async (after) => {
      const page = after || !here ? call("GET", after ? `${facesUrl}?${new URLSearchParams({ after })}` : facesUrl) : JSON.parse(here);
      here = undefined;
      return page;
    },
  });
  grid.ready.then(() => comeBack(grid), () => toast("The faces of this cluster could not be read. Reload the page.", { bad: true }));
  return grid;
}

const PLACE = "loupe.grid";

/** The way back, or an undo on another page, shows this one anew: one is where one was. @param {VirtualGrid} grid */
function comeBack(grid) {
  const left = JSON.parse(sessionStorage.getItem(PLACE) ?? "{}");
  if (left.page === location.pathname) grid.restore(left);
  sessionStorage.removeItem(PLACE);
  window.addEventListener("pagehide", () => {
    sessionStorage.setItem(PLACE, JSON.stringify({ page: location.pathname, ...grid.place }));
  });
}

class Workspace {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.isCluster = root.dataset.kind === "cluster";
    const grid = /** @type {HTMLElement} */ (root.querySelector("#grid"));
    this.selection = this.isCluster ? clusterGrid(grid, () => this.show()) : new Selection(grid, () => this.show());
    this.busy = false;
    this.start();
    this.show();
    stepsHere({ refresh: () => this.refresh(), show: (entry, step) => this.showStep(entry.faces ?? [], step) });
  }

  /** What the page knows of the person, which decisions change. @returns {DOMStringMap} */
  get person() {
    return /** @type {HTMLElement} */ (this.root.querySelector("#about")).dataset;
  }

  get identity() {
    return Number(this.person.identity);
  }

  get revision() {
    return Number(this.person.revision);
  }

  set revision(revision) {
    this.person.revision = String(revision);
  }

  get name() {
    return this.person.name ?? "";
  }

  /** Shortly after a merge the cluster still stands under the person that was merged: then its faces are named singly. */
  get wholeCluster() {
    return this.isCluster && this.person.merged === undefined && this.root.dataset.old === undefined;
  }

  /** The faces and the person as they are now; the selection stays. @returns {Promise<boolean>} */
  async refresh() {
    const chosen = this.selection.faces();
    const [came] = await Promise.all([refresh(), this.selection.reload()]);
    this.selection.select(chosen);
    return came;
  }

  /** What was undone can be said of the same faces again. @param {number[]} chosen @param {"undo" | "redo"} step */
  async showStep(chosen, step) {
    await this.selection.ready;
    this.selection.select(chosen, step === "undo");
    return true;
  }

  start() {
    /** @type {Record<string, () => void>} */
    const acts = {
      confirm: () => void this.confirm(),
      reject: () => void this.reject(),
      split: () => this.openSplit(),
      name: () => this.openName(),
      merge: () => this.openMerge(),
      not_a_face: () => void this.setAside("not_a_face", "is no face", "are no faces"),
      ignore: () => void this.setAside("ignore", "set aside", "set aside"),
    };
    for (const [action, act] of Object.entries(acts)) onAction(action, act);
    onKey("ctrl+a", () => this.selection.all());
    onKey("Escape", () => this.selection.clear());
    onAction("next", () => this.go("next"));
    onAction("previous", () => this.go("previous"));
    for (const arrow of ["ArrowRight", "ArrowDown"]) onKey(arrow, () => this.selection.focus());
    this.root.addEventListener("click", (event) => {
      const button = event.target instanceof Element ? event.target.closest("[data-act]") : null;
      acts[button?.getAttribute("data-act") ?? ""]?.();
      selectBy(event.target instanceof Element ? event.target.closest("[data-select]") : null, this.selection);
    });
  }

  /** @returns {Record<string, unknown>} what the person saw when deciding */
  evidence() {
    const { run, cluster } = this.root.dataset;
    return this.isCluster ? { page: "cluster", run: Number(run), cluster: Number(cluster) } : { page: "person" };
  }

  /** @returns {number[]} the selected faces, or [] after telling that some are needed */
  needed() {
    const chosen = this.selection.faces();
    if (!chosen.length) toast("Select faces first: click them, or move with the arrow keys and press Space.");
    return chosen;
  }

  /**
   * @param {Statement} statement
   * @param {string} said
   * @param {{ settled?: number[], selected?: number[] }} [faces] to grey out, and to select again on undo
   */
  async say(statement, said, { settled = [], selected = settled } = {}) {
    if (this.busy) return null;
    this.busy = true;
    try {
      const full = { evidence: this.evidence(), ...statement };
      const answer = await decide(full, said, selected);
      if (answer) this.selection.settle(settled);
      if (answer && full.expected_revision !== undefined) this.revision = full.expected_revision + 1;
      return answer;
    } finally {
      this.busy = false;
    }
  }

  async confirm() {
    const chosen = this.selection.faces();
    const named = this.name || "this person";
    /** @type {Statement} */
    const statement = { kind: "assign", identity: this.identity, expected_revision: this.revision };
    if (chosen.length) statement.faces = chosen;
    else if (this.wholeCluster) statement.cluster = Number(this.root.dataset.cluster);
    else statement.faces = this.selection.left();
    const count = chosen.length || (statement.faces?.length ?? Number(this.root.dataset.size));
    const answer = await this.say(statement, `Confirmed: ${faces(count)} of ${named}`, { selected: chosen });
    if (!answer) return;
    this.selection.tick(chosen.length ? chosen : this.selection.left());
    this.selection.clear();
    if (this.isCluster && !chosen.length) {
      if (document.querySelector('[data-go="next"]')) tellNext(`Confirmed: ${faces(count)} of ${named}`, true);
      this.go("next");
    }
  }

  async reject() {
    const chosen = this.needed();
    if (!chosen.length) return;
    const statement = { kind: "reject", faces: chosen, identity: this.identity, expected_revision: this.revision };
    await this.say(statement, `Rejected: ${faces(chosen.length)}`, { settled: chosen });
  }

  /** @param {"ignore" | "not_a_face"} kind @param {string} one @param {string} many */
  async setAside(kind, one, many) {
    const chosen = this.needed();
    if (!chosen.length) return;
    const said = `${faces(chosen.length)} ${chosen.length === 1 ? one : many}`;
    await this.say({ kind, faces: chosen }, said, { settled: chosen });
  }

  openName() {
    openDialog("name-dialog");
  }

  /** @param {string} text @param {Person | null} person */
  async rename(text, person) {
    if (person) {
      await this.merge(person);
      return;
    }
    if (text === this.name) return;
    const statement = { kind: "rename", identity: this.identity, text, expected_revision: this.revision };
    if (!(await this.say(statement, text ? `Named: ${text}` : "Name removed"))) return;
    this.person.name = text;
    const shown = text || `Person ${this.identity}`;
    for (const element of document.querySelectorAll("[data-person-name]")) element.textContent = shown;
  }

  openMerge() {
    openDialog("merge-dialog");
  }

  /** @param {Person} person */
  async merge(person) {
    const statement = { kind: "merge", identity: this.identity, into: person.id };
    const said = `Merged with ${person.name}`;
    if (!(await this.say(statement, said))) return;
    if (this.isCluster) return refreshPage(said);
    tellNext(said, true);
    location.assign(`/people/${person.id}/`);
  }

  openSplit() {
    const chosen = this.needed();
    if (!chosen.length) return;
    const dialog = openDialog("split-dialog");
    if (!dialog) return;
    const count = dialog.querySelector("[data-split-count]");
    if (count) count.textContent = faces(chosen.length);
    const images = chosen.slice(0, 12).map((face) => {
      const image = document.createElement("img");
      image.className = "crop s";
      image.alt = "";
      image.src = `/crops/${face}.png`;
      return image;
    });
    dialog.querySelector("[data-split-faces]")?.replaceChildren(...images);
  }

  /** @param {string} text @param {Person | null} person */
  async split(text, person) {
    const chosen = this.selection.faces();
    if (!chosen.length) return;
    /** @type {Statement} */
    const statement = { kind: "split", faces: chosen, identity: this.identity };
    if (person) statement.into = person.id;
    else if (text) statement.text = text;
    const who = person?.name ?? text;
    const said = `Split out: ${faces(chosen.length)}${who ? ` as ${who}` : ""}`;
    if (await this.say(statement, said, { settled: chosen })) this.revision += 1;
  }

  /** @param {"next" | "previous"} where */
  go(where) {
    const link = document.querySelector(`[data-go="${where}"]`);
    if (link instanceof HTMLAnchorElement) location.assign(link.href);
    else toast(where === "next" ? "This is the last cluster." : "This is the first cluster.");
  }

  show() {
    const count = this.selection.faces().length;
    const status = this.root.querySelector("[data-status]");
    if (status) status.textContent = count ? `${faces(count)} selected` : "Nothing selected";
    for (const button of this.root.querySelectorAll("[data-needs-selection]")) {
      button.setAttribute("aria-disabled", String(count === 0));
    }
  }
}

/** @param {string} id @param {Workspace} work */
function startDialog(id, work) {
  const dialog = document.getElementById(id);
  const root = dialog?.querySelector("[data-person-field]");
  const form = dialog?.querySelector("form");
  if (!(dialog instanceof HTMLDialogElement) || !(root instanceof HTMLElement) || !form) return;
  const field = new PersonField(root, (person) => offerMerge(dialog, work, person));
  field.input.addEventListener("input", () => compareNothing(dialog));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = field.input.value.trim();
    const person = text === work.name ? field.picked : await field.exact();
    dialog.close();
    if (id === "name-dialog") await work.rename(text, person);
    if (id === "split-dialog") await work.split(text, person);
    if (id === "merge-dialog" && person) await work.merge(person);
  });
  new MutationObserver(() => dialog.open && offer(dialog, field, work)).observe(dialog, { attributeFilter: ["open"] });
}

/** Offer people at once, before anything is typed. @param {HTMLDialogElement} dialog @param {PersonField} field @param {Workspace} work */
function offer(dialog, field, work) {
  field.reset();
  field.except = String(work.identity);
  if (dialog.id === "name-dialog") field.input.value = work.name;
  field.input.focus();
  field.input.select();
  compareNothing(dialog);
  dialog.querySelector("[data-submit-merge]")?.setAttribute("disabled", "");
  void field.look();
}

/** Both covers before two people become one. @param {HTMLDialogElement} dialog @param {Workspace} work @param {Person} person */
function offerMerge(dialog, work, person) {
  const own = { cover: work.person.cover ?? "", name: work.name || `Person ${work.identity}` };
  compare(dialog, own, { cover: person.cover ?? "", name: person.name });
  const button = dialog.querySelector("[data-submit-merge]");
  if (button instanceof HTMLButtonElement) {
    button.disabled = false;
    button.focus();
  }
}

const root = document.getElementById("workspace");
const preview = document.querySelector("[data-preview-grid]");
if (preview instanceof HTMLElement) clusterGrid(preview, () => {});
if (root) {
  const work = new Workspace(root);
  for (const id of ["name-dialog", "merge-dialog", "split-dialog"]) startDialog(id, work);
}
