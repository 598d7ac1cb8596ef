import { countsOf, countsText, STATES } from "../../model/proof-matrix.ts";
import { dailyHealth } from "../daily-health.ts";
import type { SiteManifest, SiteModel } from "../site-model.ts";
import { sitePaths } from "../site-paths.ts";
import { EntryTable } from "./entry-list.tsx";
import { HealthChart } from "./health-chart.tsx";
import { Moment, State, stateClass } from "./parts.tsx";

const DAYS = 30;
const RECENT = 15;
/** More manifests than this stand in a table, not each with a picture. */
const MOST_CARDS = 60;

/** How much of each state the cells of a manifest have, as one bar. */
function StateBar({ manifest: { cells, id } }: { manifest: SiteManifest }) {
  const counts = countsOf(cells);
  const total = cells.length || 1;
  let x = 0;
  return (
    <svg
      class="states"
      viewBox="0 0 100 4"
      preserveAspectRatio="none"
      role="img"
      aria-label={`Cells of ${id}: ${countsText(counts)}`}
    >
      {[...STATES].reverse().map((state) => {
        const width = (counts[state] / total) * 100;
        const at = x;
        x += width;
        return (
          width > 0 && <rect class={`state ${stateClass(state)}`} x={at} y="0" width={width} height="4" />
        );
      })}
    </svg>
  );
}

function Card({ manifest }: { manifest: SiteManifest }) {
  const { id, products, entries, cells } = manifest;
  const counts = countsOf(cells);
  const newest = entries[0];
  return (
    <article class="card">
      <h3>
        <a href={sitePaths.manifest(id)}>{products.length === 1 ? products[0] : id}</a>
      </h3>
      {(products.length > 1 || (products.length === 1 && products[0] !== id)) && (
        <p class="quiet">
          {products.length > 1 ? `products ${products.join(", ")}` : `of the manifest ${id}`}
        </p>
      )}
      <HealthChart days={dailyHealth(entries, DAYS)} label={`Attempts at ${id}`} />
      <StateBar manifest={manifest} />
      <p class="counts">
        {[...STATES]
          .reverse()
          .map((state) => counts[state] > 0 && <State of={state} count={counts[state]} />)}
        {cells.length === 0 && <span class="quiet">no cell was tried</span>}
      </p>
      {newest && (
        <p class="quiet">
          {entries.length} record{entries.length === 1 ? "" : "s"}, the newest of{" "}
          <Moment iso={newest.testedAt} />
        </p>
      )}
    </article>
  );
}

function Row({ manifest }: { manifest: SiteManifest }) {
  const { id, products, entries, cells } = manifest;
  return (
    <tr>
      <td>
        <a href={sitePaths.manifest(id)}>{id}</a>
      </td>
      <td>{products.join(", ")}</td>
      <td>{countsText(countsOf(cells))}</td>
      <td class="number">{entries.length}</td>
    </tr>
  );
}

/** The first page: each product and manifest with its health, and what happened last. */
export function HomeView({ model }: { model: SiteModel }) {
  const all = [...model.manifests.values()];
  return (
    <>
      <h1>Health</h1>
      {all.length === 0 && <p class="none">There is no manifest and no record yet.</p>}
      <div class="cards">
        {all.slice(0, MOST_CARDS).map((manifest) => (
          <Card manifest={manifest} />
        ))}
      </div>
      {all.length > MOST_CARDS && (
        <table class="list" data-list>
          <caption>More manifests</caption>
          <thead>
            <tr>
              <th scope="col">Manifest</th>
              <th scope="col">Products</th>
              <th scope="col">Cells</th>
              <th scope="col" class="number">
                Records
              </th>
            </tr>
          </thead>
          <tbody>
            {all.slice(MOST_CARDS).map((manifest) => (
              <Row manifest={manifest} />
            ))}
          </tbody>
        </table>
      )}
      <section aria-labelledby="recent">
        <h2 id="recent">What happened last</h2>
        <EntryTable entries={model.store.entries.slice(0, RECENT)} root="" label="The newest records" />
        {model.store.entries.length > RECENT && (
          <p>
            <a href={sitePaths.records()}>All {model.store.entries.length} records</a>
          </p>
        )}
      </section>
    </>
  );
}
