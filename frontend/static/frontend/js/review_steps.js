// @ts-check
/** Answers that are undone or redone on the page of their queue: the question comes back with what was chosen on it. */

import { boardQuestion } from "./review_board.js";
import { clusterQuestion } from "./review_cluster.js";

/**
 * @typedef {object} Queue
 * @property {HTMLElement} box of the questions
 * @property {() => HTMLElement[]} open those that are to be answered
 * @property {(question: HTMLElement | undefined) => void} show one of them
 * @property {(by: number) => void} count how many more, or fewer, are open
 */

/** @param {Queue} queue @returns {import("./steps.js").Page["show"]} */
export function queueSteps({ box, open, show, count }) {
  /** @param {number[]} items of one question, or of a board @returns {HTMLElement | undefined} */
  const find = (items) =>
    Array.from(/** @type {NodeListOf<HTMLElement>} */ (box.querySelectorAll("[data-question]"))).find((question) => {
      const those = boardQuestion(question)?.items() ?? [Number(question.dataset.question)];
      return those.some((item) => items.includes(item));
    });

  /** Ask the server for questions that are not here any more. @param {number[]} items */
  async function fetchQuestion(items) {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(answer.ok ? await answer.text() : "", "text/html");
    const question = page.querySelector(`[data-question="${items[0]}"]:not([data-kind=board])`);
    if (items.length > 1 || !(question instanceof HTMLElement)) return undefined;
    box.prepend(document.adoptNode(question));
    return question;
  }

  /** @param {import("./steps.js").Undoable} entry @param {number[]} items */
  async function comeBack(entry, items) {
    const question = find(items) ?? (await fetchQuestion(items));
    if (!question) return false;
    const board = boardQuestion(question);
    board?.restore(/** @type {any} */ (entry.body?.answers ?? []));
    if (entry.closed?.length) board?.keep(items);
    if (question.dataset.answered !== undefined) count(items.length);
    delete question.dataset.answered;
    show(question);
    await clusterQuestion(question)?.restore(entry.body?.payload ?? {});
    if (document.activeElement === question) (clusterQuestion(question)?.grid ?? board?.selection)?.resume();
    return true;
  }

  /** @param {number[]} items */
  function go(items) {
    const question = find(items);
    if (!question || question.dataset.answered !== undefined) return;
    question.dataset.answered = "";
    count(-items.length);
    if (!question.hidden) show(open()[0]);
  }

  return async (entry, step) => {
    const items = (entry.items ?? []).filter((item) => step === "redo" || !entry.closed?.includes(item));
    if (step === "redo") go(items);
    return step === "redo" || !items.length || comeBack(entry, items);
  };
}
