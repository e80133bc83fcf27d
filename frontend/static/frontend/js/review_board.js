// @ts-check
/** Pairs on one board: most have the answer that mining expects, and the person picks out those that do not. */

import { Selection } from "./selection.js";

/** @typedef {"same" | "different"} Answer */

const OTHER = /** @type {const} */ ({ same: "different", different: "same" });
const WORDS = { same: "One person", different: "Two people", skip: "Left out" };

/** Nobody looks at several pairs in less: a second Enter within it was meant for the board before. */
const LOOK_MS = 600;

/** @type {WeakMap<HTMLElement, BoardQuestion>} */
const boards = new WeakMap();

/** @param {HTMLElement} question @returns {BoardQuestion | null} */
export function boardQuestion(question) {
  if (question.dataset.kind !== "board") return null;
  const known = boards.get(question) ?? new BoardQuestion(question);
  boards.set(question, known);
  return known;
}

export class BoardQuestion {
  /** @param {HTMLElement} question */
  constructor(question) {
    this.question = question;
    this.expected = /** @type {Answer} */ (question.dataset.expected);
    this.grid = /** @type {HTMLElement} */ (question.querySelector("[data-grid]"));
    this.selection = new Selection(this.grid, () => this.#tell());
    this.shownAt = 0;
    const observer = new IntersectionObserver((entries) => this.#see(entries, observer), { threshold: 0.6 });
    for (const tile of this.selection.tiles()) observer.observe(tile);
    this.#tell();
  }

  /** @param {IntersectionObserverEntry[]} entries @param {IntersectionObserver} observer */
  #see(entries, observer) {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      entry.target.toggleAttribute("data-seen", true); // only what was before somebody's eyes is answered
      observer.unobserve(entry.target);
    }
  }

  show() {
    this.shownAt = performance.now();
  }

  /** @returns {boolean} whether it came just now */
  isNew() {
    return performance.now() - this.shownAt < LOOK_MS;
  }

  /** @returns {number[]} the items of its pairs */
  items() {
    return this.selection.tiles().map((tile) => Number(tile.dataset.pair));
  }

  /** @returns {HTMLElement | undefined} a pair that was not in view yet */
  unseen() {
    return this.selection.tiles().find((tile) => !("seen" in tile.dataset));
  }

  /** @returns {{ item: number, answer: string }[]} */
  answers() {
    return this.selection.tiles().map((tile) => ({ item: Number(tile.dataset.pair), answer: this.#answerOf(tile) }));
  }

  /** @param {HTMLElement} tile @returns {Answer | "skip"} */
  #answerOf(tile) {
    if ("leftOut" in tile.dataset) return "skip";
    return tile.getAttribute("aria-selected") === "true" ? OTHER[this.expected] : this.expected;
  }

  /** The pair that the keyboard is on is answered so. @param {Answer | "skip"} answer */
  mark(answer) {
    const tile = this.current();
    if (!tile) return;
    const leftOut = answer === "skip" && !("leftOut" in tile.dataset);
    tile.toggleAttribute("data-left-out", leftOut);
    this.selection.toggle(tile, answer === OTHER[this.expected]);
    tile.focus();
  }

  /** @returns {HTMLElement | undefined} */
  current() {
    const tiles = this.selection.tiles();
    return tiles.find((tile) => tile === document.activeElement) ?? tiles.find((tile) => tile.tabIndex === 0) ?? tiles[0];
  }

  /** The photos of the current pair, instead of those of another one. */
  togglePhotos() {
    const photos = this.question.querySelector(`[data-photos-of="${this.current()?.dataset.pair}"]`);
    for (const other of this.question.querySelectorAll("[data-photos-of]")) {
      if (other !== photos) other.setAttribute("hidden", "");
    }
    for (const image of photos?.querySelectorAll("img[data-src]") ?? []) {
      image.setAttribute("src", image.getAttribute("data-src") ?? "");
      image.removeAttribute("data-src");
    }
    if (photos?.toggleAttribute("hidden") === false) photos.scrollIntoView({ block: "nearest" });
  }

  /** @param {{ item: number, answer: string }[]} answers that were given before */
  restore(answers) {
    for (const { item, answer } of answers) {
      const tile = this.selection.tiles().find((one) => Number(one.dataset.pair) === item);
      tile?.toggleAttribute("data-left-out", answer === "skip");
      tile?.setAttribute("aria-selected", String(answer === OTHER[this.expected]));
    }
    this.#tell();
  }

  /** Only these pairs are asked again. @param {number[]} items */
  keep(items) {
    for (const tile of this.selection.tiles()) if (!items.includes(Number(tile.dataset.pair))) tile.remove();
    this.#tell();
  }

  #tell() {
    const counts = { same: 0, different: 0, skip: 0 };
    for (const tile of this.selection.tiles()) {
      if (tile.getAttribute("aria-selected") === "true") delete tile.dataset.leftOut;
      const answer = this.#answerOf(tile);
      counts[answer] += 1;
      const said = tile.querySelector("[data-said]");
      if (said) said.textContent = WORDS[answer];
    }
    const parts = [`${counts.same} one person`, `${counts.different} two people`];
    if (counts.skip) parts.push(`${counts.skip} left out`);
    const status = this.question.querySelector("[data-status]");
    if (status) status.textContent = parts.join(", ");
  }
}
