// @ts-check
/** Saying something to the ledger. */

import { ApiError, call } from "./api.js";
import { askBoth } from "./conflict.js";
import { here, refreshPage, remember } from "./steps.js";
import { toastError } from "./toast.js";

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

let shownAt = performance.now();

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
 * @param {number[]} [selected] faces that are selected again when it is undone
 * @returns {Promise<Answer | null>} null where it was refused, which the person was told
 */
export async function decide(statement, said, selected) {
  try {
    return await say(statement, said, selected);
  } catch (error) {
    if (error instanceof ApiError && error.code === "stale_revision") return decideAgain(statement, said, error, selected);
    toastError(error);
    return null;
  }
}

/**
 * Somebody else was faster: see what they did, or say this on top of it.
 * @param {Statement} statement its revision becomes the one that was shown
 * @param {string} said @param {ApiError} error @param {number[]} [selected]
 * @returns {Promise<Answer | null>}
 */
async function decideAgain(statement, said, error, selected) {
  const changes = /** @type {string[]} */ (error.facts.changes ?? []);
  const way = await askBoth(changes.length ? changes : [error.message], said);
  if (way === "theirs") await refreshPage();
  if (way !== "mine") return null;
  statement.expected_revision = Number(error.facts.revision);
  return decide(statement, said, selected);
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
 * @param {Statement} statement @param {string} said @param {number[]} [faces]
 * @returns {Promise<Answer>}
 */
async function say(statement, said, faces) {
  const answer = /** @type {Answer} */ (await call("POST", "/api/v1/decisions", { ...statement, seconds: seconds() }));
  restartClock();
  remember({ decision: answer.decision.id, said, page: here(), faces });
  return answer;
}
