// @ts-check
/**
 * A grid of any number of faces of which only those near the viewport are elements; all can be selected. The box keeps
 * the focus; the current face is its active descendant, and is an element wherever one scrolls.
 */

import { dress, gone, makeTile } from "./grid_tile.js";
import { RangeTaps } from "./range_taps.js";
import { picture } from "./sheets.js";

/** @typedef {import("./grid_tile.js").GridFace} GridFace */
/** @typedef {{ faces: GridFace[], next: string }} GridPage */

const LEAST_PX = 104; // width of a tile
const GAP_PX = 8;
const CAPTION_PX = 24;
const AROUND = 1; // rows kept above and below what is seen

export class VirtualGrid {
  /**
   * @param {HTMLElement} root an empty listbox, which scrolls
   * @param {object} options
   * @param {(after: string) => Promise<GridPage>} options.load
   * @param {() => void} options.onChange
   * @param {Map<number, string>} options.marks `medoid` or `widest`, by face
   */
  constructor(root, { load, onChange, marks }) {
    this.root = root;
    this.load = load;
    this.onChange = onChange;
    this.marks = marks;
    /** @type {GridFace[]} in order, as far as they have come */
    this.rows = [];
    /** @type {Set<number>} face ids, whether there are tiles for them or not */
    this.selected = new Set();
    /** @type {Map<number, string>} what was said of faces that leave, by face */
    this.tags = new Map();
    /** @type {Map<number, HTMLElement>} by place */
    this.tiles = new Map();
    this.active = -1;
    this.anchor = -1;
    this.complete = false;
    this.room = document.createElement("div");
    this.room.setAttribute("role", "presentation");
    this.room.className = "room";
    root.replaceChildren(this.room);
    root.addEventListener("scroll", () => this.#draw(), { passive: true });
    this.range = new RangeTaps(root, (tile) => this.#begin(this.#placeOf(tile)));
    root.addEventListener("click", (event) => this.#click(event));
    root.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#lay()).observe(root);
    this.ready = this.#fill();
  }

  /** The same faces as they are now; where one is and what is selected stays. */
  async reload() {
    await this.ready;
    let after = "";
    let at = 0;
    do {
      const page = await this.load(after);
      for (const one of page.faces) this.rows[at++] = one;
      after = page.next;
    } while (after);
    for (const one of this.rows) if (gone(one)) this.selected.delete(one.face);
    this.#changed();
  }

  async #fill() {
    let after = "";
    do {
      const page = await this.load(after);
      this.rows.push(...page.faces);
      after = page.next;
      this.complete = !after;
      this.#lay();
    } while (after);
    this.root.removeAttribute("aria-busy");
    this.onChange();
  }

  /** Where one is, to come back to. @returns {{ active: number, top: number }} */
  get place() {
    return { active: this.active, top: this.root.scrollTop };
  }

  /** @param {{ active: number, top: number }} place */
  restore(place) {
    this.active = Math.min(place.active, this.rows.length - 1);
    this.root.scrollTop = place.top;
    if (this.active >= 0) this.root.focus({ preventScroll: true });
    this.#draw();
  }

  /** Go back to the face that was current, if one was. */
  resume() {
    if (this.active >= 0) this.root.focus({ preventScroll: true });
  }

  /** Go to the grid; the first face is current unless one was before. */
  focus() {
    if (this.active < 0) this.#activate(0);
    this.root.focus({ preventScroll: true });
  }

  /** Nothing is selected any more; where nothing was, no face is current, so that keys are the page's again. */
  clear() {
    if (!this.selected.size) this.active = -1;
    this.selected.clear();
    this.anchor = -1;
    this.range.wanted = "";
    this.#changed();
  }

  all() {
    this.#select(this.rows);
    this.#changed();
  }

  /** @returns {number[]} the selected faces, in order */
  faces() {
    return this.rows.filter((one) => this.selected.has(one.face)).map((one) => one.face);
  }

  /** @returns {number[]} all faces that are not dealt with */
  left() {
    return this.rows.filter((one) => !gone(one)).map((one) => one.face);
  }

  /** Grey the faces out and take them from the selection. @param {number[]} faces */
  settle(faces) {
    const wanted = new Set(faces);
    for (const one of this.rows) if (wanted.has(one.face)) one.state = "aside";
    for (const face of faces) this.selected.delete(face);
    this.#changed();
  }

  /** Mark as confirmed. @param {number[]} faces */
  tick(faces) {
    const wanted = new Set(faces);
    for (const one of this.rows) if (wanted.has(one.face) && !gone(one)) one.state = "confirmed";
    this.#mark();
  }

  /** @param {number[]} faces @param {boolean} [on] whether they are selected from now on */
  select(faces, on = true) {
    const wanted = new Set(faces);
    if (on) this.#select(this.rows.filter((one) => wanted.has(one.face)));
    else for (const face of faces) this.selected.delete(face);
    this.#changed();
  }

  /** @param {GridFace[]} rows */
  #select(rows) {
    for (const one of rows) if (!gone(one)) this.selected.add(one.face);
  }

  /** @param {Map<number, string>} tags by face; what was selected no longer is */
  tag(tags) {
    this.tags = tags;
    this.selected.clear();
    this.anchor = -1;
    this.#changed();
  }

  #columns() {
    return Math.max(1, Math.floor((this.root.clientWidth + GAP_PX) / (LEAST_PX + GAP_PX)));
  }

  #width() {
    const columns = this.#columns();
    return (this.root.clientWidth - GAP_PX * (columns - 1)) / columns;
  }

  #height() {
    return this.#width() + CAPTION_PX + GAP_PX;
  }

  #lay() {
    if (!this.root.clientWidth) return; // not shown yet
    this.room.style.height = `${Math.ceil(this.rows.length / this.#columns()) * this.#height()}px`;
    for (const tile of this.tiles.values()) tile.remove();
    this.tiles.clear();
    this.#draw();
  }

  #draw() {
    if (!this.root.clientWidth) return;
    const columns = this.#columns();
    const height = this.#height();
    const top = Math.max(0, Math.floor(this.root.scrollTop / height) - AROUND);
    const bottom = Math.ceil((this.root.scrollTop + this.root.clientHeight) / height) + AROUND;
    const first = top * columns;
    const last = Math.min(this.rows.length, bottom * columns);
    for (const [place, tile] of this.tiles) {
      if ((place >= first && place < last) || place === this.active) continue;
      tile.remove();
      this.tiles.delete(place);
    }
    const places = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at);
    if (this.active >= 0 && this.active < this.rows.length) places.push(this.active);
    for (const place of places) if (!this.tiles.has(place)) this.#add(place, columns, height);
    this.#mark();
  }

  /** @param {number} place @param {number} columns @param {number} height */
  #add(place, columns, height) {
    const one = /** @type {GridFace} */ (this.rows[place]);
    const tile = makeTile(one, picture(this.rows, place, this.complete), this.marks.get(one.face));
    tile.id = `${this.root.id}-${one.face}`;
    tile.setAttribute("aria-setsize", String(this.rows.length));
    tile.setAttribute("aria-posinset", String(place + 1));
    tile.style.width = `${this.#width()}px`;
    tile.style.transform = `translate(${(place % columns) * (this.#width() + GAP_PX)}px, ${Math.floor(place / columns) * height}px)`;
    this.tiles.set(place, tile);
    this.root.append(tile);
  }

  #mark() {
    for (const [place, tile] of this.tiles) {
      const one = /** @type {GridFace} */ (this.rows[place]);
      const tag = this.tags.get(one.face);
      dress(tile, one, { selected: this.selected.has(one.face), mark: this.marks.get(one.face), tag });
      tile.classList.toggle("active", place === this.active);
    }
    const current = this.tiles.get(this.active);
    if (current) this.root.setAttribute("aria-activedescendant", current.id);
    else this.root.removeAttribute("aria-activedescendant");
  }

  #changed() {
    this.#mark();
    this.onChange();
  }

  /** @param {number} place */
  #activate(place) {
    if (!this.rows.length) return;
    this.active = Math.min(Math.max(place, 0), this.rows.length - 1);
    const height = this.#height();
    const top = Math.floor(this.active / this.#columns()) * height;
    if (top < this.root.scrollTop) this.root.scrollTop = top;
    const bottom = top + height - this.root.clientHeight;
    if (bottom > this.root.scrollTop) this.root.scrollTop = bottom;
    this.#draw();
  }

  /** @param {number} place */
  #toggle(place) {
    const one = this.rows[place];
    if (!one || gone(one)) return;
    if (!this.selected.delete(one.face)) this.selected.add(one.face);
    this.anchor = place;
    this.#changed();
  }

  /** Select all from the anchor on, whether there are tiles for them or not. @param {number} place */
  #extend(place) {
    const from = this.anchor < 0 ? place : this.anchor;
    this.anchor = from;
    this.#select(this.rows.slice(Math.min(from, place), Math.max(from, place) + 1));
    this.#changed();
  }

  /** A range begins here, and is this face alone at first. @param {number} place */
  #begin(place) {
    this.anchor = -1;
    this.#extend(place);
  }

  /** @param {Element | null} tile */
  #placeOf(tile) {
    return this.rows.findIndex((one) => String(one.face) === tile?.getAttribute("data-face"));
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const tile = event.target instanceof Element ? event.target.closest("[role=option]") : null;
    const place = this.#placeOf(tile);
    if (!tile || place < 0) return;
    this.active = place;
    const tap = this.range.tap(tile);
    if (event.shiftKey || tap === "last") this.#extend(place);
    else if (tap === "single") this.#toggle(place);
    this.root.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const place = this.#placeAfter(event.key);
    if (event.key === " " && this.active >= 0) {
      this.#toggle(this.active);
    } else if (place === undefined) {
      return;
    } else {
      const from = this.active;
      if (event.shiftKey && this.anchor < 0) this.anchor = from;
      this.#activate(place);
      if (event.shiftKey) this.#extend(this.active);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {string} key @returns {number | undefined} */
  #placeAfter(key) {
    const columns = this.#columns();
    const screen = Math.max(1, Math.floor(this.root.clientHeight / this.#height())) * columns;
    /** @type {Record<string, number>} */
    const steps = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: columns,
      ArrowUp: -columns,
      PageDown: screen,
      PageUp: -screen,
      Home: -this.rows.length,
      End: this.rows.length,
    };
    const step = steps[key];
    return step === undefined ? undefined : this.active + step;
  }
}
