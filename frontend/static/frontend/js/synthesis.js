// @ts-check
/** The workbench: samples follow the settings; the job is started with what they show. */

import { ApiError, call } from "./api.js";
import { openDialog } from "./dialogs.js";
import { onKey } from "./keys.js";
import { Settings } from "./synthesis_settings.js";
import { pictureOf, showSample } from "./synthesis_sample.js";
import { toastError } from "./toast.js";

/** @typedef {import("./synthesis_sample.js").Sample} Sample */

const PREVIEW = "/api/v1/synthesis/preview";
const POLL_MS = 1500;

/** @param {string} selector @returns {HTMLElement} */
function find(selector) {
  const found = document.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`${selector} is missing`);
  return found;
}

/** @param {string} id @returns {string} */
function valueOf(id) {
  const found = document.getElementById(id);
  return found instanceof HTMLInputElement || found instanceof HTMLSelectElement ? found.value : "";
}

const root = find("[data-synthesis]");
const list = find("[data-samples]");
const status = find("[data-status]");
const problem = find("[data-problem]");
const startStatus = find("[data-start-status]");
const startProblem = find("[data-start-problem]");
const seed = /** @type {HTMLInputElement} */ (document.getElementById("seed"));
const draw = /** @type {HTMLInputElement} */ (find("[data-draw]"));
const settings = new Settings(/** @type {HTMLFormElement} */ (find("[data-settings]")), () => void redraw());

/** @type {Sample[]} */
let samples = [];
let shown = 0;
let turn = 0;

/** A preset's name, or plain values. @type {unknown} */
const recipe = JSON.parse(document.getElementById("wanted-recipe")?.textContent ?? '""');

/** @returns {{ recipe: unknown, changes: Record<string, unknown>, seed: number, source_dataset: string } | null} */
function wanted() {
  const changes = settings.changes();
  if (changes === null || !seed.checkValidity()) return null;
  return { recipe, changes, seed: Number(seed.value), source_dataset: valueOf("source") };
}

/** @param {HTMLElement} place @param {string} text */
function say(place, text) {
  place.textContent = text;
  place.hidden = text === "";
}

/** Beside the button that was pressed. @param {string} text */
function refuse(text) {
  say(startStatus, "");
  say(startProblem, text);
  startProblem.focus();
}

/** @param {string} id @param {number} unit @returns {number | null} in ones; null where nothing is filled in */
function limit(id, unit) {
  const text = valueOf(id);
  return text === "" ? null : Number(text) * unit;
}

async function redraw() {
  const body = wanted();
  if (!body) {
    status.textContent = "The samples are those of before: something in the settings can't be.";
    return;
  }
  if (root.dataset.needs === "faces" && !body.source_dataset) {
    list.setAttribute("aria-busy", "false");
    status.textContent = "This recipe changes faces, and there is no dataset version to take them from.";
    return;
  }
  if (root.dataset.wait !== undefined) {
    list.setAttribute("aria-busy", "false");
    status.textContent = "Samples are shown once Blender is set up.";
    return;
  }
  const mine = ++turn;
  list.setAttribute("aria-busy", "true");
  status.textContent = "Drawing…";
  try {
    let answer = await call("POST", PREVIEW, { ...body, draw: draw.checked });
    while (answer.job !== null && mine === turn) {
      fill(answer.items, answer.job_state);
      if (!answer.unfinished) break;
      await new Promise((resolve) => window.setTimeout(resolve, POLL_MS));
      answer = await call("GET", `/api/v1/synthesis/previews/${answer.job}`);
    }
    if (mine !== turn) return; // the settings have changed meanwhile
    say(problem, "");
    fill(answer.items, "");
  } catch (error) {
    if (mine !== turn) return;
    say(problem, error instanceof Error ? error.message : String(error));
    status.textContent = "";
  }
  list.setAttribute("aria-busy", "false");
}

/** @param {Sample[]} items @param {string} state of the job that makes them */
function fill(items, state) {
  samples = items;
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.sample : undefined;
  list.replaceChildren(...items.map(tile));
  if (focused !== undefined) list.querySelectorAll("button")[Number(focused)]?.focus();
  const failed = items.filter((item) => item.code).length;
  const ready = `${items.length - failed} samples${failed ? `, ${failed} could not be made` : ""}`;
  status.textContent = state ? `${ready}. The others are being made (${state}).` : `${ready}. Choose one to see its parameters.`;
}

/** @param {Sample} sample @param {number} place @returns {HTMLLIElement} */
function tile(sample, place) {
  const item = document.createElement("li");
  if (sample.code) {
    item.className = "failed";
    item.textContent = `${sample.index}: ${sample.reason}`;
    return item;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.sample = String(place);
  button.setAttribute("aria-label", `Sample ${sample.index}`);
  const image = document.createElement("img");
  image.src = pictureOf(sample);
  image.alt = "";
  button.append(image);
  button.addEventListener("click", () => show(place));
  item.append(button);
  return item;
}

/** @param {number} place */
function show(place) {
  const sample = samples[place];
  const body = wanted();
  if (!sample || sample.code || !body) return;
  shown = place;
  const changes = Object.entries(body.changes).map(([path, value]) => ` --set '${path}=${JSON.stringify(value)}'`);
  const source = body.source_dataset ? ` --source ${body.source_dataset}` : "";
  const name = typeof recipe === "string" ? recipe : "recipe.yaml";
  showSample(
    sample,
    `loupe synth sample ${name} --seed ${sample.seed} --index ${sample.index}${changes.join("")}${source} --out sample.png`,
  );
}

/** @param {number} by */
function step(by) {
  const usable = samples.map((sample, place) => (sample.code ? -1 : place)).filter((place) => place >= 0);
  const next = usable[usable.indexOf(shown) + by];
  if (next !== undefined) show(next);
}

function other() {
  seed.value = String(Number(seed.value) + 1);
  void redraw();
}

/** @param {boolean} confirm */
async function start(confirm) {
  const body = wanted();
  if (!body) {
    refuse("Something in the settings can't be; it is marked there.");
    return;
  }
  const button = /** @type {HTMLButtonElement} */ (find("[data-start] button"));
  button.disabled = true;
  say(startProblem, "");
  say(startStatus, "Making a few to see how long it takes…");
  try {
    const about = { count: Number(valueOf("count")), name: valueOf("name"), format: valueOf("format"), confirm };
    const bytes = limit("most-megabytes", 1e6);
    Object.assign(about, { most_seconds: limit("most-minutes", 60), most_bytes: bytes && Math.round(bytes) });
    if (typeof recipe !== "string") Object.assign(about, { title: root.dataset.name });
    const run = await call("POST", "/api/v1/synthesis/runs", { ...body, ...about });
    window.location.assign(`/synthesis/runs/${run.id}/`);
  } catch (error) {
    button.disabled = false;
    if (error instanceof ApiError && error.code === "confirmation_needed") {
      say(startStatus, "");
      find("[data-estimate]").textContent = error.message;
      openDialog("confirm-run");
      return;
    }
    refuse(error instanceof Error ? error.message : String(error));
  }
}

find("[data-redraw]").addEventListener("click", other);
draw.addEventListener("change", () => void redraw());
seed.addEventListener("change", () => void redraw());
document.getElementById("source")?.addEventListener("change", () => void redraw());
find("[data-seed-form]").addEventListener("submit", (event) => {
  event.preventDefault();
  void redraw();
});
find("[data-start]").addEventListener("submit", (event) => {
  event.preventDefault();
  void start(false);
});
find("[data-confirm]").addEventListener("submit", () => void start(true));
for (const button of document.querySelectorAll("#sample [data-step]")) {
  button.addEventListener("click", () => step(Number(button.getAttribute("data-step"))));
}
document.getElementById("sample")?.addEventListener("keydown", (event) => {
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
});
onKey("r", other);
redraw().catch(toastError);
