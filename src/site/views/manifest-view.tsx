import { STATES } from "../../model/proof-matrix.ts";
import { visible } from "../../model/visible.ts";
import { dailyHealth } from "../daily-health.ts";
import { firstAxes, layOut, type MatrixData } from "../site-matrix.ts";
import type { SiteCell, SiteManifest, SiteModel } from "../site-model.ts";
import { sitePaths } from "../site-paths.ts";
import type { SiteEntry } from "../site-store.ts";
import { EntryTable } from "./entry-list.tsx";
import { HealthChart, TrendLine } from "./health-chart.tsx";
import { MatrixTables } from "./matrix-table.tsx";
import { StateNote } from "./matrix-page.tsx";
import { durationText, Facts, Pager, Scroll, State } from "./parts.tsx";

const DAYS = 90;
/** Cells that are named on the page; search finds the others. */
const MOST_CELLS = 200;

const percent = (part: number, of: number) => (of === 0 ? "–" : `${Math.round((part / of) * 100)} %`);

function Numbers({ manifest, model }: { manifest: SiteManifest; model: SiteModel }) {
  const { entries } = manifest;
  const count = (test: (one: SiteEntry) => boolean) => entries.filter(test).length;
  const judged = count(({ status }) => status !== "error");
  const hits = entries.reduce((sum, one) => sum + one.hits, 0);
  const steps = entries.reduce((sum, one) => sum + one.steps, 0);
  const flaky = new Set(
    entries.flatMap(({ verdictKey }) => (model.flaky.has(verdictKey) ? [verdictKey] : [])),
  );
  const took = entries.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  return (
    <Facts
      facts={[
        [
          "Verdicts that pass",
          percent(
            count(({ status }) => status === "pass"),
            judged,
          ),
        ],
        [
          "As declared",
          percent(
            count(({ expected }) => expected),
            entries.length,
          ),
        ],
        ["Build cache", steps === 0 ? "–" : `${percent(hits, steps)} of ${steps} steps`],
        [
          "Not built again",
          percent(
            count(({ action }) => action === "retest" || action === "retag"),
            entries.length,
          ),
        ],
        ["Median time", took.length === 0 ? "–" : durationText(took[took.length >> 1] ?? 0)],
        ["Tried again", String(entries.reduce((sum, one) => sum + one.retries, 0))],
        ["Flaky verdict keys", String(flaky.size)],
      ]}
    />
  );
}

/** Cells with their states, the worst first. */
function CellTable({ cells, root }: { cells: readonly SiteCell[]; root: string }) {
  const sorted = [...cells].sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state));
  return (
    <>
      <Scroll label="Cells">
        <table class="list" data-list>
          <caption class="unseen">Cells, the worst first</caption>
          <thead>
            <tr>
              <th scope="col">State</th>
              <th scope="col">Cell</th>
              <th scope="col">Why</th>
              <th scope="col" class="number">
                Records
              </th>
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, MOST_CELLS).map(({ cell_id, state, why, entries }) => (
              <tr>
                <td>
                  <State of={state} />
                </td>
                <td>
                  <a class="name" href={root + sitePaths.cell(cell_id)}>
                    {cell_id}
                  </a>
                </td>
                <td class="quiet">{visible(why)}</td>
                <td class="number">{entries.length}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {cells.length > MOST_CELLS && (
        <p class="quiet">and {cells.length - MOST_CELLS} more: search finds them</p>
      )}
    </>
  );
}

interface ManifestViewProps {
  model: SiteModel;
  manifest: SiteManifest;
  data: MatrixData;
  root: string;
  page: number;
  pages: number;
  entries: readonly SiteEntry[];
  to: (page: number) => string;
}

/** A manifest: its health over time, its matrix, its cells, and a page of its records. */
export function ManifestView({ model, manifest, data, root, page, pages, entries, to }: ManifestViewProps) {
  const { id, products, cells, planned } = manifest;
  const days = page === 1 ? dailyHealth(manifest.entries, DAYS) : [];
  const axes = firstAxes(data.axes);
  return (
    <>
      <h1>{id}</h1>
      {page === 1 && (
        <>
          {products.length > 0 && <p class="lead">Product {products.join(", ")}</p>}
          <section aria-labelledby="health">
            <h2 id="health">Health over time</h2>
            <div class="charts">
              <HealthChart days={days} label={`Attempts at ${id}`} height={90} />
              <TrendLine days={days} text={durationText} />
            </div>
            <Numbers manifest={manifest} model={model} />
          </section>
          <section aria-labelledby="works">
            <h2 id="works">What works</h2>
            {axes && <MatrixTables matrix={layOut(data, axes)} root={root} />}
            <StateNote planned={planned} />
            <p class="links">
              {axes && <a href={root + sitePaths.matrix(id)}>By other axes</a>}
              <a href={root + sitePaths.prefixes(id)}>What cells have in common</a>
            </p>
          </section>
          <section aria-labelledby="cells">
            <h2 id="cells">Cells</h2>
            <CellTable cells={cells} root={root} />
          </section>
        </>
      )}
      <section aria-labelledby="records">
        <h2 id="records">Records</h2>
        <Pager page={page} pages={pages} to={to} />
        <EntryTable entries={entries} root={root} label={`Records of ${id}`} />
        <Pager page={page} pages={pages} to={to} />
      </section>
    </>
  );
}
