import { render } from "#render-into";
import { visible } from "../../model/visible.ts";
import type { Hit } from "../search-index.ts";
import { find } from "./find-words.ts";
import { root } from "./shards.ts";

function Hits({ hits }: { hits: readonly Hit[] }) {
  return (
    <ul class="hits" data-list>
      {hits.map(([kind, title, path, detail]) => (
        <li>
          <span class="kind">{kind}</span>{" "}
          <a class="name" href={root() + path}>
            {visible(title)}
          </a>{" "}
          <span class="quiet">{visible(detail)}</span>
        </li>
      ))}
    </ul>
  );
}

/** Shows what the query in the address finds, and what is typed. */
export function startSearch(): void {
  const input = document.querySelector<HTMLInputElement>("#search");
  const results = document.querySelector("#results");
  const summary = document.querySelector("#summary");
  if (!input || !results || !summary) return;
  let asked = "";
  const show = async (query: string): Promise<void> => {
    asked = query;
    const { hits, more } = await find(query);
    // A later question may have been answered first.
    if (asked !== query) return;
    render(<Hits hits={hits} />, results);
    summary.textContent =
      query.trim() === ""
        ? "Records, cells, manifests, fragments, packages, tests and digests, by the beginnings of words."
        : hits.length === 0
          ? "Nothing was found. Words are found by their beginnings, from two letters on; a record by its day, as 20261121."
          : more
            ? `The first ${hits.length} of many: another word says more.`
            : `${hits.length} found`;
  };
  const query = new URLSearchParams(location.search).get("q") ?? "";
  input.value = query;
  results.replaceChildren();
  void show(query);
  input.addEventListener("input", () => {
    const next = `?q=${encodeURIComponent(input.value)}`;
    history.replaceState(null, "", next);
    void show(input.value);
  });
  input.form?.addEventListener("submit", (event) => {
    event.preventDefault();
    void show(input.value);
    document.querySelector<HTMLElement>("#results a")?.focus();
  });
}
