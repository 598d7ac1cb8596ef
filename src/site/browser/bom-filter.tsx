import type { BomRow } from "../bom-rows.ts";
import { BomTable } from "../views/bom-view.tsx";
import { packagesOf } from "./compare-page.tsx";
import { showFresh } from "./show-fresh.ts";
import { startSorting } from "./sort-tables.ts";

/** How many rows are shown of what a filter lets through. */
const MOST = 1000;

/** Filters the packages of all pages of an SBOM; the address keeps what is asked. */
export function startFilter(): void {
  const input = document.querySelector<HTMLInputElement>("#filter");
  const found = document.querySelector("#found");
  const place = document.querySelector("#packages");
  if (!input || !found || !place) return;
  const whole = [...place.childNodes];
  let rows: Promise<BomRow[] | null> | undefined;
  const show = async (): Promise<void> => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const pager of document.querySelectorAll<HTMLElement>(".pager")) pager.hidden = words.length > 0;
    if (words.length === 0) {
      place.replaceChildren(...whole);
      found.textContent = "";
      return;
    }
    const all = (await (rows ??= packagesOf(input.dataset.sbom ?? null))) ?? [];
    const own = all.filter((row) => {
      const text = row.join(" ").toLowerCase();
      return words.every((word) => text.includes(word));
    });
    showFresh(<BomTable rows={own.slice(0, MOST)} />, place);
    startSorting(place);
    found.textContent = `${own.length} of ${all.length}${own.length > MOST ? `, ${MOST} shown` : ""}`;
  };
  input.addEventListener("input", () => {
    history.replaceState(
      null,
      "",
      input.value === "" ? location.pathname : `?q=${encodeURIComponent(input.value)}`,
    );
    void show();
  });
  const asked = new URLSearchParams(location.search).get("q");
  if (asked === null) return;
  input.value = asked;
  void show();
}
