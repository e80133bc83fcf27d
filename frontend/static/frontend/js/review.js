// @ts-check
/** Questions one by one, answered by key. */

import { call } from "./api.js";
import { decide, restartClock } from "./decisions.js";
import { onKey } from "./keys.js";
import { toastError } from "./toast.js";

/** @typedef {import("./decisions.js").Statement} Statement */

const box = document.getElementById("questions");

/** @returns {HTMLElement[]} */
function open() {
  return Array.from(box?.querySelectorAll("[data-question]:not([data-answered])") ?? []);
}

/** @returns {HTMLElement | undefined} the question that is shown */
function current() {
  return open().find((question) => !question.hidden);
}

/** @param {HTMLElement} question @param {string} name */
const id = (question, name) => (question.dataset[name] ? Number(question.dataset[name]) : null);

/**
 * What the answer says, and how to tell it.
 * @param {HTMLElement} question
 * @param {string} answer
 * @returns {[Statement, string] | null}
 */
function statementOf(question, answer) {
  const face = id(question, "left") ?? 0;
  const other = id(question, "right");
  const mine = id(question, "leftPerson");
  const theirs = id(question, "rightPerson");
  if ((answer === "same" || answer === "different") && other) {
    const said = answer === "same" ? "Same person" : "Different people";
    return [{ kind: answer, faces: [face], others: [other] }, said];
  }
  if (answer === "left" && mine) return [{ kind: "assign", faces: [face], identity: mine }, "Stays as it is"];
  if (answer === "right" && theirs) return [{ kind: "assign", faces: [face], identity: theirs }, "Moved"];
  if (answer === "neither" && mine) return [{ kind: "reject", faces: [face], identity: mine }, "Rejected"];
  return null;
}

let busy = false;

/** @param {string} answer */
async function give(answer) {
  const question = current();
  if (!question || busy) return;
  busy = true;
  try {
    const item = Number(question.dataset.question);
    if (answer === "skip") {
      await call("POST", `/api/v1/review/items/${item}/skip`, {});
    } else {
      const found = statementOf(question, answer);
      if (!found) return;
      const [statement, said] = found;
      if (!(await decide({ ...statement, evidence: { page: "review", item } }, said))) return;
    }
    move(question);
  } catch (error) {
    toastError(error);
  } finally {
    busy = false;
  }
}

/** @param {HTMLElement} question */
function move(question) {
  question.dataset.answered = "";
  question.hidden = true;
  const count = document.querySelector("[data-open-count]");
  if (count) count.textContent = String(Math.max(0, Number(count.textContent) - 1));
  const next = open()[0];
  if (next) next.hidden = false;
  else if (box?.hasAttribute("data-more")) location.reload();
  else document.getElementById("all-done")?.removeAttribute("hidden");
  restartClock();
}

/** The same key means the first answer whichever kind of question is shown. @param {string[]} answers */
function pick(...answers) {
  const question = current();
  const answer = answers.find((one) => question?.querySelector(`[data-answer="${one}"]`));
  if (answer) void give(answer);
}

onKey("s", () => pick("same", "left"));
onKey("d", () => pick("different", "right"));
onKey("x", () => pick("neither"));
onKey(" ", () => pick("skip"));
box?.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-answer]") : null;
  if (button) void give(button.getAttribute("data-answer") ?? "");
});
