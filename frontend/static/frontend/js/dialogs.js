// @ts-check
/** Native dialogs: anything with `data-open="id"` opens one, anything with `data-close` inside closes it. */

/**
 * @param {string} id
 * @returns {HTMLDialogElement | null}
 */
export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement)) return null;
  if (!dialog.open) dialog.showModal();
  return dialog;
}

export function startDialogs() {
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const opener = event.target.closest("[data-open]");
    if (opener) openDialog(opener.getAttribute("data-open") ?? "");
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    // A click on the backdrop has the dialog itself as its target.
    if (event.target instanceof HTMLDialogElement) event.target.close();
  });
}
