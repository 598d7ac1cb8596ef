/** Opens the fold that has the line or step of the address, and shows it. */
function reveal(): void {
  const id = decodeURIComponent(location.hash.slice(1));
  const target = id === "" ? null : document.getElementById(id);
  const fold = target?.closest("details");
  if (!target || !fold) return;
  fold.open = true;
  for (const one of document.querySelectorAll(".log .here")) one.classList.remove("here");
  if (target.tagName === "I") target.classList.add("here");
  target.scrollIntoView({ block: "center" });
}

/** Folds steps, and makes the address of a line that is clicked. */
export function startLog(): void {
  const folds = () => document.querySelectorAll<HTMLDetailsElement>("details.step");
  for (const button of document.querySelectorAll<HTMLElement>("button[data-fold]"))
    button.addEventListener("click", () => {
      for (const one of folds()) one.open = button.dataset.fold === "open";
    });
  document.addEventListener("click", ({ target }) => {
    const line = target instanceof Element ? target.closest<HTMLElement>(".log i[id]") : null;
    if (!line || (getSelection()?.toString() ?? "") !== "") return;
    history.replaceState(null, "", `#${line.id}`);
    reveal();
  });
  addEventListener("hashchange", reveal);
  reveal();
}
