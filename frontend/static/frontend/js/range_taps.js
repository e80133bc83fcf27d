// @ts-check
/** Ranges without a keyboard: hold the first tile, or press the button for it, then tap the last one. */

import { toast } from "./toast.js";

const HOLD_MS = 450;
const STILL_PX = 10; // a finger that moves further scrolls

/** @typedef {"" | "first" | "last"} Wanted which end of a range is to be tapped next */

export class RangeTaps {
  /** @param {HTMLElement} grid @param {(tile: Element) => void} begin a range at this tile */
  constructor(grid, begin) {
    this.grid = grid;
    this.begin = begin;
    this.timer = 0;
    this.held = false; // the click that ends a long press says nothing more
    grid.addEventListener("pointerdown", (event) => this.#down(event));
    for (const end of ["pointerup", "pointercancel", "scroll"]) grid.addEventListener(end, () => window.clearTimeout(this.timer), { passive: true });
    grid.addEventListener("pointermove", (event) => {
      if (Math.hypot(event.clientX - this.x, event.clientY - this.y) > STILL_PX) window.clearTimeout(this.timer);
    });
    grid.addEventListener("contextmenu", (event) => this.held && event.preventDefault());
    this.x = this.y = 0;
  }

  /** @returns {Wanted} */
  get wanted() {
    return /** @type {Wanted} */ (this.grid.dataset.range ?? "");
  }

  /** @param {Wanted} wanted */
  set wanted(wanted) {
    if (wanted) this.grid.dataset.range = wanted;
    else delete this.grid.dataset.range;
  }

  /** The next two taps are the ends; pressed again, they are not. */
  start() {
    this.wanted = this.wanted ? "" : "first";
    if (this.wanted) toast("Tap the first face of the range, then the last.");
  }

  /** Of a click on a tile. @param {Element} tile @returns {"done" | "last" | "single"} what it was: nothing more to do, the end of a range, or any other */
  tap(tile) {
    window.clearTimeout(this.timer);
    if (this.held) {
      this.held = false;
      return "done";
    }
    const wanted = this.wanted;
    this.wanted = wanted === "first" ? "last" : "";
    if (wanted === "first") this.begin(tile);
    return wanted === "first" ? "done" : wanted === "last" ? "last" : "single";
  }

  /** @param {PointerEvent} event */
  #down(event) {
    this.held = false;
    const tile = event.target instanceof Element ? event.target.closest("[role=option]:not(.gone)") : null;
    if (!tile || event.button || event.shiftKey) return;
    [this.x, this.y] = [event.clientX, event.clientY];
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.held = true;
      this.wanted = "last";
      this.begin(tile);
      toast("Now tap the last face of the range.");
    }, HOLD_MS);
  }
}

/** What a button with `data-select` does. @param {Element | null} button @param {{ all(): void, clear(): void, range: RangeTaps } | null | undefined} grid */
export function selectBy(button, grid) {
  const how = button?.getAttribute("data-select");
  if (how === "all") grid?.all();
  if (how === "none") grid?.clear();
  if (how === "range") grid?.range.start();
}
