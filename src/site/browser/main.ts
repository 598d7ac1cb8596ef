import { startFilter } from "./bom-filter.tsx";
import { startCompare } from "./compare-page.tsx";
import { startKeyboard } from "./keyboard.ts";
import { startLog } from "./log-folds.ts";
import { startAxes } from "./matrix-axes.tsx";
import { startSearch } from "./search-page.tsx";
import { root } from "./shards.ts";
import { startSorting } from "./sort-tables.ts";

document.documentElement.classList.add("scripted");

/** What each page starts. All pages are whole without it. */
const PAGES: Readonly<Record<string, () => void | Promise<void>>> = {
  search: startSearch,
  compare: startCompare,
  sbom: startFilter,
  matrix: startAxes,
  log: startLog,
};

startKeyboard();
startSorting(document);
const start = PAGES[document.body.dataset.page ?? ""];
void start?.();

// What is folded is printed too.
addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details")) one.open = true;
});

if (document.body.dataset.live === "yes") {
  const events = new EventSource(`${root()}events`);
  events.addEventListener("changed", () => location.reload());
}
