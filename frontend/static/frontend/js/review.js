// @ts-check
/** Questions one by one, answered by key. */

import { ApiError, call, csrfToken } from "./api.js";
import { answerItem, restartClock } from "./decisions.js";
import { onAction, onKey } from "./keys.js";
import { toastError } from "./toast.js";

const box = document.getElementById("questions");

/** @returns {HTMLElement[]} */
function open() {
  return Array.from(box?.querySelectorAll("[data-question]:not([data-answered])") ?? []);
}

/** @returns {HTMLElement | undefined} the question that is shown */
function current() {
  return open().find((question) => !question.hidden);
}

/** What to tell the person about each answer. @type {Record<string, string>} */
const SAID = {
  same: "Same person",
  different: "Different people",
  left: "The person on the left",
  right: "Moved to the other person",
  neither: "Neither of the two",
  both: "Two names, one person",
  skip: "Skipped",
};

/** Somebody else was faster: nothing to do here any more. */
const SETTLED = ["item_closed", "item_leased", "already_answered"];

let busy = false;

/** @param {string} answer */
async function give(answer) {
  const question = current();
  if (!question || busy) return;
  busy = true;
  try {
    const item = Number(question.dataset.question);
    await answerItem(item, answer, SAID[answer] ?? answer);
    move(question);
  } catch (error) {
    toastError(error);
    if (error instanceof ApiError && SETTLED.includes(error.code)) move(question);
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
  countDown();
  const next = open()[0];
  if (next) next.hidden = false;
  else if (box?.hasAttribute("data-more")) location.reload();
  else document.getElementById("all-done")?.removeAttribute("hidden");
  restartClock();
}

/** What is left takes less time than before; worded as the server words it. */
function countDown() {
  const left = document.querySelector("[data-time-left]");
  if (!(left instanceof HTMLElement)) return;
  const answers = Math.max(0, Number(left.dataset.answers) - 1);
  left.dataset.answers = String(answers);
  const minutes = (answers * Number(left.dataset.seconds)) / 60;
  const about = minutes < 120 ? `About ${Math.round(minutes)} min` : `About ${Math.round(minutes / 60)} h`;
  left.textContent = minutes < 1 ? "Less than a minute" : about;
}

/** The same key means the first answer whichever kind of question is shown. @param {string[]} answers */
function pick(...answers) {
  const question = current();
  const answer = answers.find((one) => question?.querySelector(`[data-answer="${one}"]`));
  if (answer) void give(answer);
}

const RENEW_MS = 40 * 1000; // the server gives it to others after two minutes

/** What is shown here is kept from others for a while, and for as long as somebody looks at it. */
async function lease() {
  const count = open().length;
  if (!count || document.hidden) return;
  try {
    await call("POST", `/api/v1/review/batches/${box?.dataset.batch}/lease`, { count });
  } catch (error) {
    toastError(error);
  }
}

/** Given back on leaving; what the page can't send any more, the server takes back after a while. */
function release() {
  void fetch(`/api/v1/review/batches/${box?.dataset.batch}/release`, {
    method: "POST",
    keepalive: true,
    credentials: "same-origin",
    headers: { "X-CSRFToken": csrfToken() },
  });
}

void lease();
window.addEventListener("pagehide", () => box && release());
window.addEventListener("pageshow", (event) => event.persisted && void lease());
window.setInterval(() => void lease(), RENEW_MS);

onAction("confirm", () => pick("same", "left"));
onAction("different", () => pick("different", "right"));
onAction("reject", () => pick("neither"));
onAction("merge", () => pick("both"));
onAction("skip", () => pick("skip"));
onKey("1", () => pick("left"));
onKey("2", () => pick("right"));
box?.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-answer]") : null;
  if (button) void give(button.getAttribute("data-answer") ?? "");
});
