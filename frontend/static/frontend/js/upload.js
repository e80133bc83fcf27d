// @ts-check
/** Sending photos in bounded requests, with progress per file. The same calls as `loupe ingest`. */

import { ApiError, call, csrfToken, newKey } from "./api.js";
import { toast, toastError } from "./toast.js";

const REQUEST_FILES = 50;
const REQUEST_BYTES = 16 * 1024 * 1024;
const SHOWN = 400;
const IMAGE = /\.(jpe?g|png|webp|heic|heif|gif|zip)$/i;

/** @typedef {{ file: File, path: string, row: Row | null, sent: number, problem: string }} Item */

/** @returns {string} a random UUID, also on pages without a secure context */
function newBatch() {
  const hex = newKey();
  const variant = ((parseInt(hex[16] ?? "0", 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** @param {number} bytes */
function size(bytes) {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`;
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(1)} MB` : `${Math.ceil(bytes / 1e3)} kB`;
}

/** One line of the list of files. */
class Row {
  /** @param {HTMLElement} list @param {string} path */
  constructor(list, path) {
    this.element = document.createElement("li");
    const name = document.createElement("span");
    name.className = "path";
    name.textContent = path;
    name.title = path;
    this.bar = document.createElement("progress");
    this.bar.max = 1;
    this.bar.value = 0;
    this.bar.setAttribute("aria-label", path);
    this.element.append(name, this.bar);
    list.append(this.element);
  }

  /** @param {number} share 0..1 */
  show(share) {
    this.bar.value = share;
  }

  /** @param {string} problem */
  fail(problem) {
    const text = document.createElement("span");
    text.className = "error-text";
    text.textContent = problem;
    this.bar.classList.add("bad");
    this.element.append(text);
    this.element.parentElement?.prepend(this.element);
  }
}

/** Sends one set of files. */
class Upload {
  /** @param {Item[]} items @param {string} collection @param {HTMLElement} panel */
  constructor(items, collection, panel) {
    this.items = items;
    this.collection = collection;
    this.panel = panel;
    this.batch = newBatch();
    this.total = items.reduce((sum, item) => sum + item.file.size, 0);
    this.stopped = false;
    /** @type {XMLHttpRequest | null} */
    this.request = null;
    this.began = performance.now();
  }

  /** @returns {Promise<number | null>} the job that ingests what arrived, null if nothing did */
  async run() {
    for (const group of groups(this.items)) {
      if (this.stopped) break;
      await this.sendOrSplit(group);
    }
    const arrived = this.items.filter((item) => !item.problem && item.sent === item.file.size).length;
    if (!arrived || this.stopped) return null;
    /** @type {Record<string, unknown>} */
    const body = { upload: this.batch };
    if (this.collection) body.collection = this.collection;
    return (await call("POST", "/api/v1/ingests", body)).job;
  }

  stop() {
    this.stopped = true;
    this.request?.abort();
  }

  /** A refused request is tried again file by file, so that one bad file stops no other. @param {Item[]} group */
  async sendOrSplit(group) {
    try {
      await this.send(group);
    } catch (error) {
      if (this.stopped) return;
      if (group.length === 1) this.fail(group[0], error);
      else for (const item of group) await this.sendOrSplit([item]);
    }
  }

  /** @param {Item[]} group */
  async send(group) {
    const form = new FormData();
    const listing = [];
    for (const item of group) listing.push({ path: item.path, digest: await digestOf(item.file) });
    form.append("batch", this.batch);
    form.append("listing", JSON.stringify(listing));
    group.forEach((item, index) => form.append("files", item.file, String(index)));
    await this.post(form, group);
  }

  /** fetch can't tell how far an upload is, XMLHttpRequest can. @param {FormData} form @param {Item[]} group */
  post(form, group) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      this.request = request;
      request.open("POST", "/api/v1/uploads");
      request.setRequestHeader("X-CSRFToken", csrfToken());
      request.setRequestHeader("Idempotency-Key", newKey());
      request.responseType = "json";
      request.upload.addEventListener("progress", (event) => this.spread(group, event.loaded));
      request.addEventListener("load", () => {
        if (request.status < 300) {
          this.spread(group, Infinity);
          resolve(request.response);
        } else {
          const body = request.response ?? {};
          reject(new ApiError(request.status, body.code ?? "error", body.detail ?? `The server answered ${request.status}.`));
        }
      });
      request.addEventListener("error", () => reject(new ApiError(0, "unreachable", "The server can't be reached.")));
      request.addEventListener("abort", () => reject(new ApiError(0, "stopped", "Stopped.")));
      request.send(form);
    });
  }

  /** Bytes travel in the order of the files. @param {Item[]} group @param {number} loaded */
  spread(group, loaded) {
    let left = loaded;
    for (const item of group) {
      item.sent = Math.min(item.file.size, Math.max(0, left));
      left -= item.file.size;
      item.row?.show(item.file.size ? item.sent / item.file.size : 1);
    }
    this.show();
  }

  /** @param {Item | undefined} item @param {unknown} error */
  fail(item, error) {
    if (!item) return;
    item.problem = error instanceof Error ? error.message : String(error);
    item.sent = 0;
    const list = this.panel.querySelector("[data-list]");
    item.row ??= list instanceof HTMLElement ? new Row(list, item.path) : null;
    item.row?.fail(item.problem);
    this.show();
  }

  show() {
    const sent = this.items.reduce((sum, item) => sum + item.sent, 0);
    const failed = this.items.filter((item) => item.problem).length;
    const seconds = (performance.now() - this.began) / 1000;
    const bar = this.panel.querySelector("[data-total]");
    if (bar instanceof HTMLProgressElement) bar.value = this.total ? (100 * sent) / this.total : 100;
    const summary = this.panel.querySelector("[data-summary]");
    const bad = failed ? `, ${failed} refused` : "";
    if (summary) summary.textContent = `${size(sent)} of ${size(this.total)}, ${this.items.length} files${bad}`;
    const rate = this.panel.querySelector("[data-rate]");
    if (rate && seconds > 1) rate.textContent = `${size(sent / seconds)}/s`;
  }
}

/** @param {File} file @returns {Promise<string | undefined>} SHA-256 in hexadecimal, where the browser can */
async function digestOf(file) {
  if (!crypto.subtle || file.size > REQUEST_BYTES) return undefined;
  const hash = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {Item[]} items @returns {Generator<Item[]>} bounded in number and bytes */
function* groups(items) {
  /** @type {Item[]} */
  let group = [];
  let bytes = 0;
  for (const item of items) {
    if (group.length && (group.length >= REQUEST_FILES || bytes + item.file.size > REQUEST_BYTES)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(item);
    bytes += item.file.size;
  }
  if (group.length) yield group;
}

/** All files below a dropped entry. @param {FileSystemEntry} entry @returns {Promise<{ file: File, path: string }[]>} */
async function filesBelow(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject));
    return [{ file, path: entry.fullPath.replace(/^\//, "") }];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  const found = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    for (const one of some) found.push(...(await filesBelow(one)));
  }
}

/** @param {{ file: File, path: string }[]} found */
async function start(found) {
  const zone = /** @type {HTMLElement} */ (document.getElementById("dropzone"));
  const panel = /** @type {HTMLElement} */ (document.getElementById("upload"));
  const done = /** @type {HTMLElement} */ (document.getElementById("upload-done"));
  const list = /** @type {HTMLElement} */ (panel.querySelector("[data-list]"));
  const largest = Number(zone.dataset.largest);
  const wanted = found.filter(({ path }) => IMAGE.test(path));
  const left = found.length - wanted.length;
  if (left) toast(`${left} file${left === 1 ? " is no photo" : "s are no photos"} by name and ${left === 1 ? "was" : "were"} left out.`);
  if (!wanted.length) return;
  list.replaceChildren();
  done.hidden = true;
  panel.hidden = false;
  const items = wanted.map(({ file, path }, index) => {
    const row = index < SHOWN ? new Row(list, path) : null;
    return /** @type {Item} */ ({ file, path, row, sent: 0, problem: "" });
  });
  const select = /** @type {HTMLSelectElement} */ (document.getElementById("collection"));
  const small = items.filter((item) => item.file.size <= largest);
  const upload = new Upload(small, select.value, panel);
  for (const item of items) if (item.file.size > largest) upload.fail(item, new Error(`Larger than ${size(largest)}.`));
  const stop = panel.querySelector("[data-stop]");
  stop?.addEventListener("click", () => upload.stop(), { once: true });
  upload.show();
  try {
    const job = await upload.run();
    if (job !== null) showDone(done, job, small.filter((item) => !item.problem).length);
    else toast(upload.stopped ? "Stopped. What was sent is not imported." : "No file arrived.", { bad: true });
  } catch (error) {
    toastError(error);
  }
}

/** @param {HTMLElement} done @param {number} job @param {number} count */
function showDone(done, job, count) {
  const text = done.querySelector("[data-done-text]");
  if (text) text.textContent = `${count} file${count === 1 ? "" : "s"} arrived and ${count === 1 ? "is" : "are"} being worked on.`;
  const link = done.querySelector("[data-job]");
  if (link instanceof HTMLAnchorElement) link.href = `/jobs/${job}/`;
  done.hidden = false;
}

function startZone() {
  const zone = document.getElementById("dropzone");
  if (!zone) return;
  for (const kind of ["files", "folder"]) {
    const input = /** @type {HTMLInputElement} */ (document.getElementById(kind));
    zone.querySelector(`[data-pick="${kind}"]`)?.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      const found = Array.from(input.files ?? [], (file) => ({ file, path: file.webkitRelativePath || file.name }));
      input.value = "";
      void start(found);
    });
  }
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    zone.classList.add("over");
  });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", async (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    // Entries must be taken before the event ends; reading them may take longer.
    const items = Array.from(event.dataTransfer?.items ?? []).filter((item) => item.kind === "file");
    const taken = items.map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
    const found = [];
    for (const { entry, file } of taken) {
      if (entry) found.push(...(await filesBelow(entry)));
      else if (file) found.push({ file, path: file.name });
    }
    await start(found);
  });
}

startZone();
