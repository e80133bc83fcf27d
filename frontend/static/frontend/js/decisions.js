// @ts-check
/** Saying something to the ledger, and taking it back. */

import { ApiError, call, newKey } from "./api.js";
import { askBoth } from "./conflict.js";
import { toast, toastError } from "./toast.js";

/**
 * @typedef {object} Statement what the person says; see the ledger's documentation for the meaning of each field
 * @property {string} kind
 * @property {number[]} [faces]
 * @property {number[]} [others]
 * @property {number | null} [identity]
 * @property {number | null} [into]
 * @property {string} [text]
 * @property {number} [cluster] all faces of this cluster are meant, shown or not
 * @property {Record<string, unknown>} [evidence]
 * @property {number} [expected_revision]
 */

/** @typedef {{ decision: { id: number, [key: string]: unknown }, action: string, undo?: unknown }} Answer */
/** @typedef {{ results: { number: number, vote: Vote | null, refused: { code: string, detail: string } | null }[] }} Outcomes */
/** @typedef {{ vote: number, item: number, answer: string, payload: Record<string, unknown>, state: string }} Vote */
/**
 * Something that can be undone: an entry of the ledger, or votes, which are cast again to redo them.
 * `key` stays the same through undo and redo.
 * @typedef {{ key?: string, decision?: number, vote?: number, votes?: number[], path?: string, body?: Record<string, unknown>, said: string, page: string }} Undoable
 */

const STORE = "loupe.undo";
const UNDONE = "loupe.redo";
const KEPT = 50;
let shownAt = performance.now();

/** @param {string} [store] @returns {Undoable[]} */
function stack(store = STORE) {
  try {
    return JSON.parse(sessionStorage.getItem(store) ?? "[]");
  } catch {
    return [];
  }
}

/** @param {Undoable[]} entries @param {string} [store] */
function keep(entries, store = STORE) {
  sessionStorage.setItem(store, JSON.stringify(entries.slice(-KEPT)));
  showSteps();
}

/** @typedef {"undo" | "redo"} Step */
/** @type {(step: Step) => boolean} whether the page has a step of its own to take back, which nobody else knows of yet */
let alsoHere = () => false;

/** @param {(step: Step) => boolean} also */
export function stepsHere(also) {
  alsoHere = also;
  showSteps();
}

/** The buttons for undo and redo say whether there is something. */
export function showSteps() {
  for (const [step, store] of /** @type {[Step, string][]} */ ([["undo", STORE], ["redo", UNDONE]])) {
    const nothing = !stack(store).length && !alsoHere(step);
    for (const button of document.querySelectorAll(`[data-step="${step}"]`)) button.setAttribute("aria-disabled", String(nothing));
  }
}

/** The clock of a decision starts when its question is shown. */
export function restartClock() {
  shownAt = performance.now();
}

/** @returns {number} seconds since the question was shown, at most an hour */
function seconds() {
  return Math.min(3600, Math.round((performance.now() - shownAt) / 10) / 100);
}

/**
 * Say it. The answer can be undone by key on this page and on later ones.
 * @param {Statement} statement
 * @param {string} said what to tell the person, such as "3 faces rejected"
 * @returns {Promise<Answer | null>} null where it was refused, which the person was told
 */
export async function decide(statement, said) {
  try {
    return await say("/api/v1/decisions", { ...statement }, said);
  } catch (error) {
    if (error instanceof ApiError && error.code === "stale_revision") return decideAgain(statement, said, error);
    toastError(error);
    return null;
  }
}

/**
 * Somebody else was faster: see what they did, or say this on top of it.
 * @param {Statement} statement its revision becomes the one that was shown
 * @param {string} said @param {ApiError} error
 * @returns {Promise<Answer | null>}
 */
async function decideAgain(statement, said, error) {
  const changes = /** @type {string[]} */ (error.facts.changes ?? []);
  const way = await askBoth(changes.length ? changes : [error.message], said);
  if (way === "theirs") location.reload();
  if (way !== "mine") return null;
  statement.expected_revision = Number(error.facts.revision);
  return decide(statement, said);
}

/**
 * What is sent to answer a question that mining asked, or to skip it.
 * @param {number} item
 * @param {string} answer `skip` leaves it unanswered
 * @param {Record<string, unknown>} [payload] what the answer names, where it does
 * @returns {{ path: string, body: Record<string, unknown> }}
 */
export function answerOf(item, answer, payload = {}) {
  const path = `/api/v1/review/items/${item}/${answer === "skip" ? "skip" : "answer"}`;
  return { path, body: answer === "skip" ? {} : { answer, payload, seconds: seconds() } };
}

/**
 * What is sent to answer several at once; each took its share of the time.
 * @param {{ item: number, answer: string }[]} answers
 * @returns {{ path: string, body: Record<string, unknown> }}
 */
export function answersOf(answers) {
  const each = Math.round((100 * seconds()) / answers.length) / 100;
  return { path: "/api/v1/review/answers", body: { answers: answers.map((one) => ({ ...one, seconds: each })) } };
}

/**
 * Several answers have arrived and can be undone together.
 * @param {number[]} votes @param {string} path @param {Record<string, unknown>} body @param {string} said @param {string} page
 */
export function rememberVotes(votes, path, body, said, page) {
  remember({ votes, path, body, said, page });
}

/**
 * An answer has arrived and can be undone. Whether a decision followed at once, it does not tell.
 * @param {Vote} vote @param {string} path @param {Record<string, unknown>} body @param {string} said @param {string} page
 */
export function rememberVote(vote, path, body, said, page) {
  remember({ vote: vote.vote, path, body, said, page });
}

/**
 * @param {string} path
 * @param {Record<string, unknown>} body
 * @param {string} said
 * @returns {Promise<Answer>}
 */
async function say(path, body, said) {
  const answer = /** @type {Answer} */ (await call("POST", path, { ...body, seconds: seconds() }));
  restartClock();
  remember({ decision: answer.decision.id, said, page: location.pathname + location.search });
  return answer;
}

/** @param {Undoable} entry */
function remember(entry) {
  const kept = { ...entry, key: newKey() };
  keep([...stack(), kept]);
  keep([], UNDONE);
  toast(entry.said, undoOf(kept));
}

/** What a message needs to take back just what it tells of. @param {Undoable} [entry] */
function undoOf(entry) {
  return entry ? { action: "Undo", onAction: () => void undo(entry.key) } : {};
}

/** Take the last thing back, or the one of that key, and show the page on which it was said. @param {string} [key] */
export async function undo(key) {
  await takeBack(STORE, UNDONE, "undo", "Undone", key);
}

/** Say again what was taken back last: the ledger takes its taking back back. */
export async function redo() {
  await takeBack(UNDONE, STORE, "redo", "Redone");
}

/**
 * @param {string} from the store whose last entry is reverted
 * @param {string} to where the revert goes, which can be reverted in turn
 * @param {string} verb
 * @param {string} done
 * @param {string} [key] of another entry than the last
 */
async function takeBack(from, to, verb, done, key) {
  const entries = stack(from);
  const at = key ? entries.findIndex((entry) => entry.key === key) : entries.length - 1;
  const [last] = at < 0 ? [] : entries.splice(at, 1);
  if (!last) {
    toast(key ? "This was undone already." : `Nothing to ${verb}.`);
    return;
  }
  try {
    const back = last.path === undefined ? await reverted(last) : await revoted(last, verb);
    keep(entries, from);
    keep([...stack(to), back], to);
    tellNext(`${done}: ${last.said}`);
    location.assign(last.page);
  } catch (error) {
    // Somebody else may have taken it back already; it must not block what lies under it.
    keep(entries, from);
    toastError(error);
  }
}

/** An entry of the ledger is taken back by another one, which can be taken back in turn. @param {Undoable} last */
async function reverted(last) {
  const answer = await revert(last.decision ?? 0);
  return { ...last, decision: answer.decision.id };
}

/** A vote is withdrawn, and cast again as a new one. @param {Undoable} last @param {string} verb */
async function revoted(last, verb) {
  if (last.votes) return revotedTogether(last, last.votes, verb);
  const path = verb === "undo" ? `/api/v1/review/votes/${last.vote}/withdraw` : (last.path ?? "");
  const vote = /** @type {Vote} */ (await call("POST", path, verb === "undo" ? {} : last.body));
  return { ...last, vote: vote.vote };
}

/** @param {Undoable} last @param {number[]} votes @param {string} verb */
async function revotedTogether(last, votes, verb) {
  const [path, body] = verb === "undo" ? ["/api/v1/review/withdrawals", { votes }] : [last.path ?? "", last.body];
  const { results } = /** @type {Outcomes} */ (await call("POST", path, body));
  const done = results.flatMap((one) => (one.vote ? [one.vote.vote] : []));
  const refused = results.find((one) => one.refused)?.refused;
  if (!done.length && refused) throw new ApiError(409, refused.code, refused.detail);
  return { ...last, votes: done };
}

/** @param {number} decision @returns {Promise<Answer>} */
export async function revert(decision) {
  return call("POST", `/api/v1/decisions/${decision}/revert`, {});
}

/** Have the next page tell what was done on this one. @param {string} said @param {boolean} [undoable] */
export function tellNext(said, undoable = false) {
  sessionStorage.setItem("loupe.said", JSON.stringify({ said, undoable }));
}

/** Tells after a page change what was done before it. */
function tellEarlier() {
  const earlier = sessionStorage.getItem("loupe.said");
  sessionStorage.removeItem("loupe.said");
  if (!earlier) return;
  const { said, undoable } = JSON.parse(earlier);
  toast(said, undoable ? undoOf(stack().at(-1)) : {});
}

tellEarlier();
showSteps();
