// @ts-check
/** A run's page: an item that failed is made again, alone. */

import { call } from "./api.js";
import { showSample } from "./synthesis_sample.js";
import { toast, toastError } from "./toast.js";

const run = document.querySelector("[data-run]")?.getAttribute("data-run") ?? "";

/** @param {number} index */
async function again(index) {
  const found = await call("GET", `/api/v1/synthesis/runs/${run}`);
  const body = { recipe: found.recipe, seed: found.seed, source_dataset: found.source_dataset ?? "" };
  let answer = await call("POST", "/api/v1/synthesis/preview", { ...body, first: index, count: 1 });
  while (answer.unfinished) {
    await new Promise((resolve) => window.setTimeout(resolve, 1500));
    answer = await call("GET", `/api/v1/synthesis/previews/${answer.job}`);
  }
  const [item] = answer.items;
  if (!item || item.code) {
    toast(item ? `It failed again: ${item.reason}` : "It could not be made.", { bad: true });
    return;
  }
  toast("This time it could be made. “Try again what failed” puts it into a new version.");
  showSample(item, `loupe synth sample --run ${run} --index ${index} --out sample.png`);
}

for (const button of document.querySelectorAll("button[data-again]")) {
  button.addEventListener("click", async () => {
    button.setAttribute("aria-busy", "true");
    await again(Number(button.getAttribute("data-again"))).catch(toastError);
    button.removeAttribute("aria-busy");
  });
}
for (const button of document.querySelectorAll("#sample [data-step]")) button.remove();
