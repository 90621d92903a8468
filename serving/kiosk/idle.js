// Watches whether anybody is there: asks once, and then deletes what the visitor made.

const WARN_S = 15;

export function watch(seconds, { isUsed, onLeave }) {
  const dialog = document.getElementById("idle");
  let last = performance.now();
  const touch = () => {
    last = performance.now();
    if (dialog.open) dialog.close();
  };
  for (const name of ["pointerdown", "keydown", "input"]) addEventListener(name, touch, { capture: true });
  setInterval(() => {
    const quiet = (performance.now() - last) / 1000;
    const left = Math.ceil(seconds - quiet);
    if (!isUsed()) return;
    if (left <= 0) {
      dialog.close();
      onLeave();
    } else if (left <= Math.min(WARN_S, seconds / 2)) {
      document.getElementById("idle-count").textContent = left;
      if (!dialog.open) {
        for (const other of document.querySelectorAll("dialog[open]")) other.close();
        dialog.showModal();
      }
    }
  }, 250);
}
