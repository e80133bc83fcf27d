// @ts-check
/** A grid of tiles that can be selected by pointer and by keyboard, as in a file manager. */

import { RangeTaps } from "./range_taps.js";

/** Tiles are `[role=option][data-face]` inside one `[role=listbox]`; new ones may arrive at any time. */
export class Selection {
  /**
   * @param {HTMLElement} grid
   * @param {() => void} onChange
   */
  constructor(grid, onChange) {
    this.grid = grid;
    this.onChange = onChange;
    /** @type {HTMLElement | null} the tile from which a range starts */
    this.anchor = null;
    this.range = new RangeTaps(grid, (tile) => tile instanceof HTMLElement && this.toggle(tile, true));
    grid.addEventListener("click", (event) => this.#click(event));
    grid.addEventListener("keydown", (event) => this.#key(event));
    grid.addEventListener("focusin", (event) => this.#rove(event.target));
    this.ready = Promise.resolve();
    this.#enter();
  }

  /** The key of Tab leads to the first tile until one has been current. */
  #enter() {
    const tiles = this.tiles();
    if (tiles[0] && !tiles.some((tile) => tile.tabIndex === 0)) tiles[0].tabIndex = 0;
  }

  /** The tiles came with the page, and come anew with it. */
  async reload() {}

  /** @returns {HTMLElement[]} in page order, without those already dealt with */
  tiles() {
    return Array.from(this.grid.querySelectorAll("[role=option]:not(.gone)"));
  }

  /** @returns {HTMLElement[]} */
  selected() {
    return this.tiles().filter((tile) => tile.getAttribute("aria-selected") === "true");
  }

  /** @returns {number[]} face ids */
  faces() {
    return this.selected().map((tile) => Number(tile.dataset.face));
  }

  /** @returns {number[]} all faces that are not dealt with */
  left() {
    return this.tiles().map((tile) => Number(tile.dataset.face));
  }

  /** Go back to the tile that was current, if one was. */
  resume() {
    if (this.anchor?.isConnected) this.anchor.focus({ preventScroll: true });
  }

  focus() {
    this.tiles()[0]?.focus();
  }

  /** Mark as confirmed. @param {number[]} faces */
  tick(faces) {
    const wanted = new Set(faces);
    for (const tile of this.tiles()) {
      if (!wanted.has(Number(tile.dataset.face)) || tile.querySelector(".ok")) continue;
      const mark = document.createElement("span");
      mark.className = "ok";
      mark.textContent = "✓";
      tile.querySelector(".caption")?.append(mark);
    }
  }

  /** @param {number[]} faces @param {boolean} [on] whether they are selected from now on */
  select(faces, on = true) {
    const wanted = new Set(faces);
    for (const tile of this.tiles()) {
      if (wanted.has(Number(tile.dataset.face))) tile.setAttribute("aria-selected", String(on));
    }
    this.#enter();
    this.onChange();
  }

  clear() {
    for (const tile of this.selected()) tile.setAttribute("aria-selected", "false");
    this.anchor = null;
    this.range.wanted = "";
    this.onChange();
  }

  all() {
    for (const tile of this.tiles()) tile.setAttribute("aria-selected", "true");
    this.onChange();
  }

  /** Grey the tiles out and take them from the selection. @param {number[]} faces */
  settle(faces) {
    const wanted = new Set(faces);
    for (const tile of this.tiles()) {
      if (!wanted.has(Number(tile.dataset.face))) continue;
      tile.setAttribute("aria-selected", "false");
      tile.setAttribute("aria-disabled", "true");
      tile.classList.add("gone");
    }
    this.onChange();
  }

  /** @param {HTMLElement} tile @param {boolean} [on] */
  toggle(tile, on = tile.getAttribute("aria-selected") !== "true") {
    tile.setAttribute("aria-selected", String(on));
    this.anchor = tile;
    this.onChange();
  }

  /** Select all from the anchor to this tile. @param {HTMLElement} tile */
  extendTo(tile) {
    const tiles = this.tiles();
    const from = this.anchor ? tiles.indexOf(this.anchor) : tiles.indexOf(tile);
    const to = tiles.indexOf(tile);
    for (const one of tiles.slice(Math.min(from, to), Math.max(from, to) + 1)) one.setAttribute("aria-selected", "true");
    this.onChange();
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const tile = this.#tileOf(event.target);
    if (!tile || tile.classList.contains("gone")) return;
    const tap = this.range.tap(tile);
    if (event.shiftKey || tap === "last") this.extendTo(tile);
    else if (tap === "single") this.toggle(tile);
    tile.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const tile = this.#tileOf(event.target);
    if (!tile || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " ") {
      this.toggle(tile);
    } else {
      const next = this.#neighbour(tile, event.key);
      if (!next) return;
      if (event.shiftKey) {
        this.anchor ??= tile;
        this.extendTo(next);
      }
      next.focus();
      next.scrollIntoView({ block: "nearest" });
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {HTMLElement} tile @param {string} key @returns {HTMLElement | null} */
  #neighbour(tile, key) {
    const tiles = this.tiles();
    const at = tiles.indexOf(tile);
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.#columns(), ArrowUp: -this.#columns() }[key];
    if (key === "Home") return tiles[0] ?? null;
    if (key === "End") return tiles.at(-1) ?? null;
    return step === undefined ? null : (tiles[Math.min(Math.max(at + step, 0), tiles.length - 1)] ?? null);
  }

  #columns() {
    return getComputedStyle(this.grid).gridTemplateColumns.split(" ").length;
  }

  /** One tile is in the tab order: the one that had the focus last. @param {EventTarget | null} target */
  #rove(target) {
    const tile = this.#tileOf(target);
    if (!tile) return;
    for (const other of this.grid.querySelectorAll("[role=option][tabindex='0']")) other.setAttribute("tabindex", "-1");
    tile.tabIndex = 0;
  }

  /** @param {EventTarget | null} target @returns {HTMLElement | null} */
  #tileOf(target) {
    return target instanceof Element ? target.closest("[role=option]") : null;
  }
}
