import { visible } from "../../model/visible.ts";
import { dailyHealth } from "../daily-health.ts";
import type { SiteCell } from "../site-model.ts";
import { sitePaths } from "../site-paths.ts";
import type { SiteEntry, SiteProblem } from "../site-store.ts";
import { EntryTable } from "./entry-list.tsx";
import { HealthChart, TrendLine } from "./health-chart.tsx";
import { durationText, Pager, Scroll, State } from "./parts.tsx";

interface ListProps {
  entries: readonly SiteEntry[];
  root: string;
  page: number;
  pages: number;
  to: (page: number) => string;
}

/** A page of records. */
export function RecordsView({ title, ...list }: ListProps & { title: string }) {
  return (
    <>
      <h1>{title}</h1>
      <Pager {...list} />
      <EntryTable {...list} label={title} />
      <Pager {...list} />
    </>
  );
}

/** A cell: its state, and a page of its history. */
export function CellView({ cell, ...list }: ListProps & { cell: SiteCell }) {
  const { cell_id, state, why, platform, entries } = cell;
  const days = dailyHealth(entries, 90);
  const [newest, before] = entries;
  const compare = newest && before && `${list.root}${sitePaths.compare}?a=${before.id}&b=${newest.id}`;
  return (
    <>
      <h1>{cell_id}</h1>
      <p class="lead">
        <State of={state} /> · {visible(why)} · {visible(platform)}
      </p>
      <section aria-labelledby="health">
        <h2 id="health">Health over time</h2>
        <div class="charts">
          <HealthChart days={days} label={`Attempts at ${cell_id}`} height={70} />
          <TrendLine days={days} text={durationText} />
        </div>
      </section>
      <section aria-labelledby="history">
        <h2 id="history">History</h2>
        {compare && (
          <p>
            <a href={compare}>Compare the two newest records</a>
          </p>
        )}
        <Pager {...list} />
        <EntryTable {...list} cells={false} label={`Records of ${cell_id}`} />
        <Pager {...list} />
      </section>
    </>
  );
}

/** How many problems stand on their page. */
const MOST = 1000;

/** What is wrong with records. */
export function ProblemsView({
  problems,
  known,
}: {
  problems: readonly SiteProblem[];
  known: (id: string) => boolean;
}) {
  return (
    <>
      <h1>Problems</h1>
      <p class="lead">
        What was found while records were read. <code>factory records verify</code> checks all of their
        evidence.
      </p>
      {problems.length === 0 && <p class="none">There are none.</p>}
      <Scroll label="Problems">
        <table class="list" data-list>
          <caption class="unseen">Problems</caption>
          <thead>
            <tr>
              <th scope="col">Record</th>
              <th scope="col">What</th>
            </tr>
          </thead>
          <tbody>
            {problems.slice(0, MOST).map(({ record, what }) => (
              <tr>
                <td>
                  {record !== null && known(record) ? (
                    <a href={sitePaths.record(record)}>{record}</a>
                  ) : (
                    <code>{visible(record ?? "–")}</code>
                  )}
                </td>
                <td>{visible(what)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
      {problems.length > MOST && <p class="quiet">and {problems.length - MOST} more</p>}
    </>
  );
}

/** Where the script shows what two records differ in. */
export function CompareView() {
  return (
    <>
      <h1>Compare two records</h1>
      <form class="pair" method="get">
        <label>
          From <input name="a" autocomplete="off" spellcheck={false} placeholder="id of a record" />
        </label>
        <label>
          To <input name="b" autocomplete="off" spellcheck={false} placeholder="id of a record" />
        </label>
        <button type="submit">Compare</button>
      </form>
      <div id="compare" aria-live="polite">
        <noscript>
          <p class="none">
            This page needs its script. A record says what changed since the attempt before it.
          </p>
        </noscript>
      </div>
    </>
  );
}

/** Where the script shows what it finds. */
export function SearchView() {
  return (
    <>
      <h1>Search</h1>
      <p class="lead" id="summary" aria-live="polite">
        Records, cells, manifests, fragments, packages, tests and digests, by the beginnings of words.
      </p>
      <div id="results">
        <noscript>
          <p class="none">Search needs the page's script. The lists of records and cells do not.</p>
        </noscript>
      </div>
    </>
  );
}
