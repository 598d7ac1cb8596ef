const order = new Intl.Collator("en", { numeric: true });

function sortBy(table: HTMLTableElement, column: number, head: HTMLElement): void {
  const [body] = table.tBodies;
  if (!body) return;
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const one of table.querySelectorAll("th[aria-sort]")) one.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const text = (row: HTMLTableRowElement) => row.cells[column]?.textContent ?? "";
  const sorted = [...body.rows].sort((a, b) => order.compare(text(a), text(b)) * (down ? -1 : 1));
  body.append(...sorted);
}

/** Lets people sort tables by their columns. */
export function startSorting(within: ParentNode): void {
  for (const table of within.querySelectorAll<HTMLTableElement>("table[data-sortable]"))
    for (const [column, head] of [...(table.tHead?.rows[0]?.cells ?? [])].entries()) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sortBy(table, column, head));
      head.append(button);
    }
}
