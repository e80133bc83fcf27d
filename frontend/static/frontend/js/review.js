// @ts-check
/** Questions one by one, answered by key. The next one shows at once, while the answer is on its way. */

import { ApiError, call } from "./api.js";
import { answerOf, answersOf, restartClock } from "./decisions.js";
import { onAction, onKey } from "./keys.js";
import { Outbox } from "./outbox.js";
import { selectBy } from "./range_taps.js";
import { boardQuestion } from "./review_board.js";
import { clusterQuestion, startNaming } from "./review_cluster.js";
import { chosenFaces, isMoot, saidOf, shownFaces, startLookUp } from "./review_faces.js";
import { keepLeases } from "./review_leases.js";
import { queueSteps } from "./review_steps.js";
import { redo, rememberVotes, showSteps, stepsHere, undo } from "./steps.js";
import { toast, toastError } from "./toast.js";

const box = document.getElementById("questions");
const rest = document.getElementById("all-done"); // what is so where no question is left

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

const outbox = new Outbox(box?.dataset.user ?? "", {
  onSent: (entry, answer) => {
    if (entry.items) boardSent(entry, answer);
    else rememberVotes([answer.vote], entry);
  },
  onRefused: (entry, error) => {
    toastError(error);
    if (!SETTLED.includes(error.code)) comeBack(entry.item, entry.items?.length);
  },
  onWaiting: tellWaiting,
});

/** @param {number} waiting @param {boolean} signedOut */
function tellWaiting(waiting, signedOut) {
  const notice = document.getElementById("waiting");
  if (!notice) return;
  notice.hidden = waiting === 0 && !signedOut;
  const wait = `${waiting} answer${waiting === 1 ? " waits" : "s wait"}`;
  const kept = waiting ? ` ${wait} and will be sent once you have signed in again.` : "";
  const said = signedOut ? `You were signed out.${kept}` : waiting ? `No connection. ${wait} and will be sent when it is back.` : "";
  const text = notice.querySelector("[data-waiting]");
  if (text) text.textContent = said;
  notice.querySelector("[data-sign-in]")?.toggleAttribute("hidden", !signedOut);
}

/** @param {string} answer @param {string} [said] @param {import("./review_cluster.js").Payload} [payload] */
function give(answer, said = SAID[answer] ?? answer, payload = {}) {
  const question = current();
  if (!question) return;
  const item = Number(question.dataset.question);
  outbox.add({ item, ...answerOf(item, answer, { ...payload }), said, page: location.pathname + location.search });
  question.dataset.answered = "";
  count(-1);
  show(open()[0]);
  showSteps();
}

/** All pairs of the board are answered at once, unless it came just now or some were not looked at. */
function giveBoard() {
  const question = current();
  const board = question && boardQuestion(question);
  if (!board) return;
  if (board.isNew()) {
    toast("These pairs came just now. Press again once you have looked at them.");
    return;
  }
  const unseen = board.unseen();
  if (unseen) {
    unseen.scrollIntoView({ block: "center", behavior: "smooth" });
    toast("Some pairs were not in view yet.");
    return;
  }
  const answers = board.answers();
  const said = `${answers.length} pair${answers.length === 1 ? "" : "s"} answered`;
  const [item, items, page] = [Number(question.dataset.question), board.items(), location.pathname + location.search];
  outbox.add({ item, items, ...answersOf(answers), said, page });
  question.dataset.answered = "";
  count(-items.length);
  show(open()[0]);
}

/** @param {import("./outbox.js").Entry} entry @param {import("./steps.js").Outcomes} outcomes */
function boardSent(entry, { results }) {
  const votes = results.flatMap((one) => (one.vote ? [one.vote.vote] : []));
  if (votes.length) rememberVotes(votes, entry);
  const refused = results.flatMap((one) => (one.refused ? [{ item: one.number, ...one.refused }] : []));
  const first = refused[0];
  if (!first) return;
  toastError(new ApiError(409, first.code, `${refused.length} of ${results.length} pairs: ${first.detail}`));
  const again = refused.filter((one) => !SETTLED.includes(one.code)).map((one) => one.item);
  const question = box?.querySelector(`[data-question="${entry.item}"]`);
  if (!again.length || !(question instanceof HTMLElement)) return;
  boardQuestion(question)?.keep(again);
  comeBack(entry.item, again.length);
}

/** A refused answer: its question is asked again. @param {number} item @param {number} [questions] of a board */
function comeBack(item, questions = 1) {
  const question = box?.querySelector(`[data-question="${item}"]`);
  if (!(question instanceof HTMLElement)) return;
  delete question.dataset.answered;
  count(questions);
  show(question);
}

let started = false; // what is there from the start is read out anyway

/** @param {HTMLElement | undefined} question */
function show(question) {
  const before = document.activeElement;
  const lost = before === document.body || before === null || Boolean(box?.contains(before));
  for (const other of box?.querySelectorAll("[data-question]") ?? []) other.toggleAttribute("hidden", other !== question);
  if (question) rest?.toggleAttribute("hidden", true);
  restartClock();
  if (question) {
    prepare(question);
    if (lost) question.focus({ preventScroll: true });
    if (started) announce(`${question.querySelector("h2")?.textContent} ${question.querySelector(".why")?.textContent ?? ""}`);
  }
  void more();
}

/** @param {string} text for those who can't see that the question changed */
function announce(text) {
  const region = document.getElementById("announce");
  if (region) region.textContent = text.replace(/\s+/g, " ").trim();
}

/** The grid of this question and the pictures of the next one. @param {HTMLElement} question */
function prepare(question) {
  clusterQuestion(question)?.show();
  boardQuestion(question)?.show();
  shownFaces(question);
  const next = open().find((other) => other !== question);
  if (!next) return;
  for (const image of next.querySelectorAll("img[loading=lazy]")) image.setAttribute("loading", "eager");
  clusterQuestion(next)?.prefetch();
}

/** @param {number} by */
function count(by) {
  const left = document.querySelector("[data-open-count]");
  if (left) left.textContent = String(Math.max(0, Number(left.textContent) + by));
  countDown(by);
}

/** What is left takes less time than before; worded as the server words it. @param {number} by */
function countDown(by) {
  const left = document.querySelector("[data-time-left]");
  if (!(left instanceof HTMLElement)) return;
  const answers = Math.max(0, Number(left.dataset.answers) + by);
  left.dataset.answers = String(answers);
  const minutes = (answers * Number(left.dataset.seconds)) / 60;
  left.textContent = !answers ? "" : minutes < 1 ? "Less than a minute." : `About ${Math.round(minutes)} min.`;
}

const FEW = 5; // questions left when more are asked for
const AGAIN_MS = 4000; // until they are asked for once more
const WAIT_MS = 15 * 1000; // until somebody who waits for what others have looks again
let asking = false;

function hasMore() {
  return Boolean(box?.hasAttribute("data-more"));
}

/** Whether a question is on the page already, or one of the pairs of a board is asked. @param {Element} question */
function isHere(question) {
  if (box?.querySelector(`[data-question="${question.getAttribute("data-question")}"]:not([data-kind=board])`)) return true;
  const pairs = Array.from(question.querySelectorAll("[data-pair]"), (pair) => pair.getAttribute("data-pair"));
  return open().some((other) => pairs.some((pair) => other.querySelector(`[data-pair="${pair}"]`)));
}

/** Puts further questions behind those that are there; where none is left, tells why. @param {boolean} [again] */
async function more(again = false) {
  if (!box || asking) return;
  const nothing = !open().length;
  if (nothing ? !again && !rest?.hidden : !hasMore() || open().length > FEW) return;
  asking = true;
  try {
    if (nothing) await outbox.idle();
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (answer.redirected) return tellWaiting(outbox.entries.length, true); // to the page that signs in
    if (!answer.ok) throw new ApiError(answer.status, "error", "The server is in trouble.");
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const page = fresh.getElementById("questions");
    for (const question of page?.querySelectorAll("[data-question]") ?? []) {
      // What somebody else had, and gave back, is asked anew.
      if (nothing) box.querySelector(`[data-question="${question.getAttribute("data-question")}"]`)?.remove();
      else if (isHere(question)) continue;
      question.toggleAttribute("hidden", true);
      box.append(document.adoptNode(question));
    }
    if (!page?.hasAttribute("data-more") || (nothing && !open().length)) box.removeAttribute("data-more");
    if (nothing && !open().length) tellRest(fresh.getElementById("all-done"));
    renew();
  } catch {
    window.setTimeout(() => void more(), AGAIN_MS); // the connection is lost
    return;
  } finally {
    asking = false;
  }
  if (!current()) show(open()[0]); // asks again if all was answered meanwhile, before the server knew
}

/** Why nothing is left here, and where there is more. @param {HTMLElement | null} fresh as the server tells it now */
function tellRest(fresh) {
  if (!rest || !fresh) return;
  const before = rest.hidden ? "" : rest.textContent;
  rest.replaceChildren(...fresh.childNodes);
  rest.hidden = false;
  if (started && rest.textContent !== before) announce(rest.querySelector("h2")?.textContent ?? "");
  waitForOthers();
}

/** What others give back comes by itself. */
function waitForOthers() {
  if (!rest?.querySelector("[data-wait]")) return;
  window.setTimeout(() => (document.hidden ? waitForOthers() : void more(true)), WAIT_MS);
}

/** Skipped questions are asked once more. @param {number[]} votes */
async function askAgain(votes) {
  try {
    await call("POST", "/api/v1/review/withdrawals", { votes: votes.slice(0, 50) });
    location.reload();
  } catch (error) {
    toastError(error);
  }
}

/** The same key means the first answer whichever kind of question is shown. @param {string[]} answers */
function pick(...answers) {
  const question = current();
  const answer = answers.find((one) => question?.querySelector(`[data-answer="${one}"]`));
  if (question && answer) choose(question, answer);
}

/** @param {HTMLElement} question @param {string} answer */
function choose(question, answer) {
  const cluster = clusterQuestion(question);
  if (answer === "board") giveBoard();
  else if (cluster && answer === "same") cluster.confirm(give);
  else if (cluster?.left.size) toast("Faces are marked to leave. Confirm the rest, or undo the marks first.");
  else give(answer);
}

/** @returns {import("./review_cluster.js").ClusterQuestion | null} */
function currentCluster() {
  const question = current();
  return question ? clusterQuestion(question) : null;
}

/** @returns {import("./review_board.js").BoardQuestion | null} */
function currentBoard() {
  const question = current();
  return question ? boardQuestion(question) : null;
}

/** The selected face is set aside, or none, and with it all that asks about it. @param {import("./review_faces.js").Aside} how */
function setAside(how) {
  const question = current();
  if (!question || boardQuestion(question) || clusterQuestion(question)) return;
  const faces = chosenFaces(question);
  if (!faces.length) return;
  const moot = open().filter((other) => other !== question && isMoot(other, faces));
  for (const other of moot) other.dataset.answered = "";
  count(-moot.length);
  give(how, saidOf(how, faces.length), { faces });
}

/** The photos that the faces were found on, with their boxes. */
async function togglePhotos() {
  const question = current();
  if (question?.dataset.kind === "board") return currentBoard()?.togglePhotos();
  const photos = question?.querySelector("[data-photos]");
  if (!photos || !(await currentCluster()?.bringPhotos(photos) ?? true)) return;
  for (const image of photos.querySelectorAll("img[data-src]")) {
    image.setAttribute("src", image.getAttribute("data-src") ?? "");
    image.removeAttribute("data-src");
  }
  const shown = photos.toggleAttribute("hidden") === false;
  question?.querySelector("[data-toggle-photos]")?.setAttribute("aria-expanded", String(shown));
}

/** @returns {number[]} the questions that are here, one by one */
function shownItems() {
  return open().flatMap((question) => boardQuestion(question)?.items() ?? [Number(question.dataset.question)]);
}

/** @param {unknown} error */
function notKept(error) {
  if (error instanceof ApiError && error.status === 401) tellWaiting(outbox.entries.length, true);
  else if (!outbox.away) toastError(error);
}

/** What was marked on this question comes first, then what is still on its way. */
async function undoWhenSent() {
  if (currentCluster()?.step("undo")) return;
  if (outbox.away) {
    toast("Your answers wait for the connection. Undo when they were sent.");
    return;
  }
  await outbox.idle();
  await undo();
}

for (const question of open()) {
  const items = boardQuestion(question)?.items() ?? [Number(question.dataset.question)];
  if (items.some((item) => outbox.holds(item))) question.dataset.answered = "";
}
const openName = startNaming(currentCluster, give);
const lookUp = startLookUp(current, (person) => give("somebody", `This is ${person.name}`, { into: person.id }));
if (box) show(open()[0]);
started = true;
stepsHere({
  also: (step) => Boolean(currentCluster()?.has(step)) || (step === "undo" && outbox.entries.length > 0),
  refresh: async () => true,
  ...(box && { show: queueSteps({ box, open, show, count }) }),
});
waitForOthers();
const renew = box ? keepLeases(box, shownItems, notKept) : () => {};

onAction("confirm", (event) => (event instanceof KeyboardEvent && event.repeat) || pick("board", "same", "left")); // a held key answers one question
onAction("different", () => {
  if (currentBoard()) currentBoard()?.mark("different");
  else pick("different", "right");
});
onAction("reject", () => {
  const cluster = currentCluster();
  if (cluster) cluster.reject(give);
  else if (currentBoard()) currentBoard()?.mark("different");
  else if (shownFaces(current())?.faces().length) toast("Of a selected face it can be said that it is set aside, or no face.");
  else pick("neither", "different");
});
onAction("merge", () => {
  if (currentCluster()) openName({ other: true });
  else if (currentBoard()) currentBoard()?.mark("same");
  else pick("both", "same");
});
onAction("search", () => (currentCluster() ? openName({ other: true }) : lookUp()));
onAction("skip", () => pick("skip"));
onAction("name", () => openName());
onAction("photos", () => void togglePhotos());
onAction("split", () => currentCluster()?.leave("split"));
onAction("ignore", () => {
  currentBoard()?.mark("skip");
  currentCluster()?.leave("ignored");
  setAside("ignore");
});
onAction("not_a_face", () => {
  currentCluster()?.leave("not_faces");
  setAside("not_a_face");
});
onAction("undo", () => void undoWhenSent());
onAction("redo", () => currentCluster()?.step("redo") || void redo());
for (let number = 1; number <= 9; number++) {
  onKey(String(number), () => {
    const cluster = currentCluster();
    if (cluster) cluster.propose(give, number);
    else if (number <= 2) pick(number === 1 ? "left" : "right");
  });
}
onKey("ctrl+a", () => currentCluster()?.grid.all());
onKey("Escape", () => {
  currentCluster()?.grid.clear();
  const faces = shownFaces(current());
  if (!faces) return;
  faces.clear();
  current()?.focus({ preventScroll: true }); // keys are the question's again
});
for (const arrow of ["ArrowRight", "ArrowDown"]) {
  onKey(arrow, () => (currentBoard()?.selection ?? currentCluster()?.grid ?? shownFaces(current()))?.focus());
}

box?.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  const question = current();
  if (!button || !question) return;
  if (button.dataset.answer) choose(question, button.dataset.answer);
  else if (button.dataset.mark) currentBoard()?.mark(/** @type {"same" | "different" | "skip"} */ (button.dataset.mark));
  else if (button.dataset.propose) {
    const proposals = Array.from(question.querySelectorAll("[data-propose]"));
    currentCluster()?.propose(give, proposals.indexOf(button) + 1);
  } else if (button.dataset.leave) currentCluster()?.leave(/** @type {import("./review_cluster.js").Leaving} */ (button.dataset.leave));
  else if (button.hasAttribute("data-name-it")) openName();
  else if (button.hasAttribute("data-toggle-photos")) void togglePhotos();
  else if (button.dataset.select) selectBy(button, currentBoard()?.selection ?? currentCluster()?.grid);
  else if (button.hasAttribute("data-look-up")) lookUp();
  else if (button.dataset.aside) setAside(/** @type {import("./review_faces.js").Aside} */ (button.dataset.aside));
});

rest?.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-again]") : null;
  if (button) void askAgain((button.getAttribute("data-again") ?? "").split(",").map(Number));
});
