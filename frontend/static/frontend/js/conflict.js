// @ts-check
/** Two people at once: what the other one did, in words, and both ways on. */

/** @typedef {"theirs" | "mine" | "neither"} Way */

/**
 * @param {string[]} changes sentences, the latest first
 * @param {string} mine what the person wanted to say
 * @returns {Promise<Way>}
 */
export function askBoth(changes, mine) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-labelledby", "conflict-title");
  dialog.innerHTML = `<form method="dialog">
    <div class="dialog-head"><h2 id="conflict-title">This has changed meanwhile</h2></div>
    <div class="dialog-body stack"><ul data-changes></ul><p>You wanted: <strong data-mine></strong></p></div>
    <div class="dialog-foot"><button class="button" value="mine">Say mine as well</button><button class="button primary" value="theirs">Keep what is there</button></div>
  </form>`;
  const items = changes.map((change) => Object.assign(document.createElement("li"), { textContent: change }));
  dialog.querySelector("[data-changes]")?.replaceChildren(...items);
  const wanted = dialog.querySelector("[data-mine]");
  if (wanted) wanted.textContent = mine;
  const before = document.activeElement;
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
      resolve(dialog.returnValue === "theirs" || dialog.returnValue === "mine" ? dialog.returnValue : "neither");
    });
  });
}
