// @ts-check
/** Answers on their way to the server: in order, each once, whatever becomes of the connection or the page. */

import { ApiError, call, newKey } from "./api.js";

/** `items` are all that one entry answers, where it is several. */
/** @typedef {{ item: number, items?: number[], path: string, body: Record<string, unknown>, key: string, said: string, page: string }} Entry */
/**
 * @typedef {object} Told
 * @property {(entry: Entry, vote: any) => void} onSent
 * @property {(entry: Entry, error: ApiError) => void} onRefused
 * @property {(waiting: number, signedOut: boolean) => void} onWaiting how many wait for the connection, or for somebody
 *   to sign in again; 0 once they were sent
 */

const RETRY_MS = 3000;
const SIGNED_OUT = 401;
const AWAY = [0, SIGNED_OUT, 502, 503, 504]; // nobody there who could refuse

/** @param {string} store @returns {Entry[]} */
function stored(store) {
  try {
    return JSON.parse(sessionStorage.getItem(store) ?? "[]");
  } catch {
    return [];
  }
}

export class Outbox {
  /** @param {string} user whose answers these are; somebody else may sign in later @param {Told} told */
  constructor(user, told) {
    this.store = `loupe.outbox.${user}`;
    this.told = told;
    this.entries = stored(this.store); // what an earlier page could not send any more
    this.sending = false;
    this.away = false;
    this.signedOut = false; // what waits is kept while this tab signs in again
    this.timer = 0;
    /** @type {(() => void)[]} */
    this.waiters = [];
    window.addEventListener("online", () => void this.#send());
    window.addEventListener("beforeunload", (event) => this.entries.length && !this.signedOut && event.preventDefault());
    void this.#send();
  }

  /** @param {Omit<Entry, "key">} entry */
  add(entry) {
    this.entries.push({ ...entry, key: newKey() });
    this.#keep();
    if (this.away) this.#tell();
    else void this.#send();
  }

  /** @param {number} item */
  holds(item) {
    return this.entries.some((entry) => entry.item === item || entry.items?.includes(item));
  }

  /** @returns {Promise<void>} once everything was sent or refused */
  idle() {
    if (!this.entries.length) return Promise.resolve();
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  #keep() {
    sessionStorage.setItem(this.store, JSON.stringify(this.entries));
  }

  async #send() {
    if (this.sending) return;
    this.sending = true;
    window.clearTimeout(this.timer);
    try {
      for (let entry = this.entries[0]; entry; entry = this.entries[0]) await this.#sendOne(entry);
      this.#back();
    } catch (error) {
      this.away = true;
      this.signedOut = error instanceof ApiError && error.status === SIGNED_OUT;
      this.#tell();
      if (!this.signedOut) this.timer = window.setTimeout(() => void this.#send(), RETRY_MS);
    } finally {
      this.sending = false;
    }
  }

  /** @param {Entry} entry */
  async #sendOne(entry) {
    let vote;
    try {
      vote = await call("POST", entry.path, entry.body, entry.key);
    } catch (error) {
      if (!(error instanceof ApiError) || AWAY.includes(error.status)) throw error;
      this.#done();
      this.told.onRefused(entry, error);
      return;
    }
    this.#done();
    this.told.onSent(entry, vote);
  }

  #done() {
    this.entries.shift();
    this.#keep();
    if (this.away) this.#tell();
  }

  #tell() {
    this.told.onWaiting(this.entries.length, this.signedOut);
  }

  #back() {
    this.away = false;
    for (const resolve of this.waiters.splice(0)) resolve();
  }
}
