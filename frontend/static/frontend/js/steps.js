// @ts-check
/** What the person said last: taken back and said again, in place where the page knows how. */

import { ApiError, call, newKey } from "./api.js";
import { refresh } from "./refresh.js";
import { toast, toastError } from "./toast.js";

/** @typedef {{ vote: number, item: number, answer: string, payload: Record<string, unknown>, state: string }} Vote */
/** @typedef {{ results: { number: number, vote: Vote | null, refused: { code: string, detail: string } | null }[] }} Outcomes */
/**
 * Something that can be undone: an entry of the ledger, or votes, which are cast again to redo them.
 * `key` stays the same through undo and redo; `items` are the questions that were answered, `closed` those of them that
 * are answered although it was undone; `faces` were selected.
 * @typedef {{ key?: string, decision?: number, vote?: number, votes?: number[], path?: string, body?: Record<string, unknown>,
 *   said: string, page: string, items?: number[], closed?: number[], faces?: number[] }} Undoable
 */
/** @typedef {"undo" | "redo"} Step */
/**
 * What a page knows of steps.
 * @typedef {object} Page
 * @property {(step: Step) => boolean} also whether it has a step of its own to take back, which nobody else knows of yet
 * @property {() => Promise<boolean>} refresh bring what decisions change up to date; false: only loading the page anew does
 * @property {(entry: Undoable, step: Step) => boolean | Promise<boolean>} show what was undone or redone, once the page
 *   is up to date or was loaded anew; false: only loading it anew does
 */

const STORES = /** @type {const} */ ({ undo: "loupe.undo", redo: "loupe.redo" });
const TOLD = "loupe.said";
const KEPT = 50;
const CLOSED = ["answered", "obsolete"];

/** @type {Page} */
const page = { also: () => false, refresh, show: () => true };

/** @param {Step} step @returns {Undoable[]} */
function stack(step) {
  try {
    return JSON.parse(sessionStorage.getItem(STORES[step]) ?? "[]");
  } catch {
    return [];
  }
}

/** @param {Step} step @param {Undoable[]} entries */
function keep(step, entries) {
  sessionStorage.setItem(STORES[step], JSON.stringify(entries.slice(-KEPT)));
  showSteps();
}

/** The buttons for undo and redo say whether there is something. */
export function showSteps() {
  for (const step of /** @type {Step[]} */ (["undo", "redo"])) {
    const nothing = !stack(step).length && !page.also(step);
    for (const button of document.querySelectorAll(`[data-step="${step}"]`)) button.setAttribute("aria-disabled", String(nothing));
  }
}

/** @returns {string} the address of this page, as steps keep it */
export function here() {
  return location.pathname + location.search;
}

/** @param {Undoable} entry something that was just said, and can be undone from now on */
export function remember(entry) {
  const kept = { ...entry, key: newKey() };
  keep("undo", [...stack("undo"), kept]);
  keep("redo", []);
  toast(entry.said, undoOf(kept));
}

/**
 * Answers to questions have arrived and can be undone, several together. Whether a decision followed at once, it does not
 * tell.
 * @param {number[]} votes @param {import("./outbox.js").Entry} answered
 */
export function rememberVotes(votes, { item, items, path, body, said, page: address }) {
  remember({ ...(items ? { votes } : { vote: votes[0] }), items: items ?? [item], path, body, said, page: address });
}

/** What a message needs to take back just what it tells of. @param {Undoable} [entry] */
function undoOf(entry) {
  return entry ? { action: "Undo", onAction: () => void undo(entry.key) } : {};
}

let turn = Promise.resolve(); // a second press takes back what lies under the first one's

/** Take the last thing back, or the one of that key, and show the page on which it was said. @param {string} [key] */
export function undo(key) {
  return (turn = turn.then(() => takeStep("undo", key)));
}

/** Say again what was taken back last: the ledger takes its taking back back. */
export function redo() {
  return (turn = turn.then(() => takeStep("redo")));
}

/** @param {Step} step @param {string} [key] of another entry than the last */
async function takeStep(step, key) {
  const last = key ? stack(step).find((entry) => entry.key === key) : stack(step).at(-1);
  if (!last) {
    toast(key ? "This was undone already." : `Nothing to ${step}.`);
    return;
  }
  try {
    const back = last.path === undefined ? await reverted(last) : await revoted(last, step);
    drop(step, last);
    const other = step === "undo" ? "redo" : "undo";
    keep(other, [...stack(other), back]);
    await shown(back, step);
  } catch (error) {
    drop(step, last); // somebody else may have taken it back already; it must not block what lies under it
    toastError(error);
  }
}

/** @param {Step} step @param {Undoable} gone */
function drop(step, gone) {
  keep(step, stack(step).filter((entry) => entry.key !== gone.key));
}

/** @param {Undoable} entry @param {Step} step */
async function shown(entry, step) {
  const said = `${step === "undo" ? "Undone" : "Redone"}: ${entry.said}`;
  if (entry.page === here() && (await page.refresh()) && (await page.show(entry, step))) return toast(said);
  sessionStorage.setItem(TOLD, JSON.stringify({ said, entry, step }));
  if (entry.page === here()) location.reload();
  else location.assign(entry.page);
}

/** An entry of the ledger is taken back by another one, which can be taken back in turn. @param {Undoable} last */
async function reverted(last) {
  return { ...last, decision: await revert(last.decision ?? 0) };
}

/** A vote is withdrawn, and cast again as a new one. @param {Undoable} last @param {Step} step @returns {Promise<Undoable>} */
async function revoted(last, step) {
  if (last.votes) return revotedTogether(last, last.votes, step);
  const path = step === "undo" ? `/api/v1/review/votes/${last.vote}/withdraw` : (last.path ?? "");
  const vote = /** @type {Vote} */ (await call("POST", path, step === "undo" ? {} : last.body));
  return { ...last, vote: vote.vote, closed: closedBy([vote]) };
}

/** @param {Undoable} last @param {number[]} votes @param {Step} step @returns {Promise<Undoable>} */
async function revotedTogether(last, votes, step) {
  const [path, body] = step === "undo" ? ["/api/v1/review/withdrawals", { votes }] : [last.path ?? "", last.body];
  const { results } = /** @type {Outcomes} */ (await call("POST", path, body));
  const done = results.flatMap((one) => (one.vote ? [one.vote] : []));
  const refused = results.find((one) => one.refused)?.refused;
  if (!done.length && refused) throw new ApiError(409, refused.code, refused.detail);
  return { ...last, votes: done.map((one) => one.vote), closed: closedBy(done) };
}

/** @param {Vote[]} votes */
function closedBy(votes) {
  return votes.filter((one) => CLOSED.includes(one.state)).map((one) => one.item);
}

/** @param {number} decision @returns {Promise<number>} the entry that takes it back */
async function revert(decision) {
  const answer = await call("POST", `/api/v1/decisions/${decision}/revert`, {});
  return answer.decision.id;
}

/** Take back an entry that a page lists, which can be undone in turn. @param {number} decision @throws {ApiError} */
export async function takeBack(decision) {
  const said = `Decision ${decision} was taken back`;
  remember({ decision: await revert(decision), said, page: here() });
  await refreshPage(said);
}

/** This page as things are now; loaded anew where it can't be brought up to date. @param {string} [said] tells then what was done */
export async function refreshPage(said) {
  if (await page.refresh()) return;
  if (said) tellNext(said, true);
  location.reload();
}

/** Have the next page tell what was done on this one. @param {string} said @param {boolean} [undoable] */
export function tellNext(said, undoable = false) {
  sessionStorage.setItem(TOLD, JSON.stringify({ said, undoable }));
}

/** What the server did on a form's behalf can be undone as well: its message names the decision. */
function rememberSent() {
  for (const element of document.querySelectorAll('.toasts [data-about^="undo-"]')) {
    const decision = Number(element.getAttribute("data-about")?.slice("undo-".length));
    element.remove();
    remember({ decision, said: element.textContent?.trim() ?? "", page: here() });
  }
}

/** @typedef {{ said?: string, undoable?: boolean, entry?: Undoable, step?: Step }} Told */

/** What was done before this page came. @returns {Told} */
function tellEarlier() {
  /** @type {Told} */
  const earlier = JSON.parse(sessionStorage.getItem(TOLD) ?? "{}");
  sessionStorage.removeItem(TOLD);
  if (earlier.said) toast(earlier.said, earlier.undoable ? undoOf(stack("undo").at(-1)) : {});
  return earlier;
}

const earlier = tellEarlier();
rememberSent();
showSteps();

/** A page says what it knows of steps; it is told the one that it was loaded for. @param {Partial<Page>} known */
export function stepsHere(known) {
  Object.assign(page, known);
  showSteps();
  if (earlier.entry && earlier.step) void page.show(earlier.entry, earlier.step);
}
