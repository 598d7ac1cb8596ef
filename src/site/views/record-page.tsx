import { visible, visibleLines } from "../../model/visible.ts";
import type { RecordView, ViewedTest } from "../record-view.ts";
import { sitePaths } from "../site-paths.ts";
import { ChangeTables } from "./change-tables.tsx";
import { durationText, Moment, Scroll, Status } from "./parts.tsx";
import { EvidenceTable, Origin } from "./record-origin.tsx";
import { Reuse } from "./reuse.tsx";
import { PackageMap, SizeMap } from "./size-map.tsx";
import { Steps, Timeline } from "./timeline.tsx";

interface RecordPageProps {
  view: RecordView;
  root: string;
  /** Whether another record has a page. */
  known: (id: string) => boolean;
}

const RANK = { fail: 0, error: 1, skipped: 2, pass: 3 } as const;

function Tests({ tests }: { tests: readonly ViewedTest[] }) {
  if (tests.length === 0) return <p class="none">No test ran.</p>;
  return (
    <Scroll label="Tests">
      <table class="list">
        <caption class="unseen">Smoke tests, those that failed first</caption>
        <thead>
          <tr>
            <th scope="col">Verdict</th>
            <th scope="col">Test</th>
            <th scope="col">Expected, and what came</th>
            <th scope="col" class="number">
              Took
            </th>
          </tr>
        </thead>
        <tbody>
          {[...tests]
            .sort((a, b) => RANK[a.status] - RANK[b.status])
            .map(({ id, status, expected, actual, duration_ms, loosened }) => (
              <tr>
                <td>
                  <Status status={status} expected={false} />
                </td>
                <td>
                  {visible(id)}
                  {loosened.length > 0 && <span class="quiet"> with {visible(loosened.join(", "))}</span>}
                </td>
                <td class="said">
                  {expected !== "" && <div>{visibleLines(expected)}</div>}
                  {actual !== "" && <div class="quiet">{visibleLines(actual)}</div>}
                </td>
                <td class="number">{durationText(duration_ms)}</td>
              </tr>
            ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Failure({ view: { record, entry, evidence }, root }: RecordPageProps) {
  const { result } = record;
  if (result.status === "pass") return null;
  const log = evidence.find(({ kind, lost }) => kind === "build_log" && lost === null);
  return (
    <section class="failure" aria-labelledby="why">
      <h2 id="why">
        It ended in {visible(result.stage)}
        {result.class !== null && ` (${visible(result.class)})`}
      </h2>
      {result.log_excerpt.length > 0 && (
        <Scroll label="The end of the log">
          <pre class="log">{visibleLines(result.log_excerpt.join("\n"))}</pre>
        </Scroll>
      )}
      {log && entry.log !== null && (
        <p>
          <a href={root + sitePaths.log(entry.log)}>The whole build log, failed steps first</a>
        </p>
      )}
    </section>
  );
}

/** The page of one record. */
export function RecordPage(props: RecordPageProps) {
  const { view, root } = props;
  const { record, entry, times, steps, layers, packages, before, doubt } = view;
  const { result } = record;
  const compare = before && `${root}${sitePaths.compare}?a=${before.entry.id}&b=${entry.id}`;
  const fragments = record.fragments.map(({ name, version }) => `${name}@${version}`);
  return (
    <>
      <h1>
        <Status status={result.status} expected={result.expected} /> {entry.cell}
      </h1>
      <p class="lead">
        <code>{entry.id}</code> · <Moment iso={result.tested_at} /> UTC · {durationText(result.duration_ms)}
        {record.plan_id !== null && ` · plan ${record.plan_id}`} · {entry.platform}
      </p>
      {doubt !== null && (
        <p class="warning" role="note">
          {doubt}
        </p>
      )}
      <Failure {...props} />
      <section aria-labelledby="tests">
        <h2 id="tests">Tests</h2>
        <Tests tests={view.tests} />
      </section>
      <section aria-labelledby="stages">
        <h2 id="stages">Stages</h2>
        <Timeline times={times} failed={result.status === "pass" ? null : result.stage} />
        {steps.length > 0 && entry.log !== null && (
          <details>
            <summary>{steps.length} steps of the build</summary>
            <Steps steps={steps} href={root + sitePaths.log(entry.log)} />
          </details>
        )}
      </section>
      <section aria-labelledby="reused">
        <h2 id="reused">What was reused</h2>
        <Reuse {...props} />
      </section>
      <section aria-labelledby="made-of">
        <h2 id="made-of">What it is made of</h2>
        <Origin {...props} />
      </section>
      {(layers ?? packages) !== null && (
        <section aria-labelledby="sizes">
          <h2 id="sizes">Whose it is</h2>
          {layers && <SizeMap layers={layers} fragments={fragments} />}
          {packages && packages.length > 0 && <PackageMap packages={packages} fragments={fragments} />}
          {entry.sbom !== null && (
            <p>
              <a href={root + sitePaths.sbom(entry.sbom)}>All packages</a>
            </p>
          )}
        </section>
      )}
      {before && (
        <section aria-labelledby="changed">
          <h2 id="changed">What changed since the attempt before</h2>
          <p>
            <Status status={before.entry.status} expected={before.entry.expected} />{" "}
            <a href={root + sitePaths.record(before.entry.id)}>
              <Moment iso={before.entry.testedAt} />
            </a>{" "}
            · <a href={compare ?? ""}>compare the packages too</a>
          </p>
          <ChangeTables changes={before.changes} />
        </section>
      )}
      {result.notes.length > 0 && (
        <section aria-labelledby="notes">
          <h2 id="notes">Notes</h2>
          <ul>
            {result.notes.map((note) => (
              <li>{visible(note)}</li>
            ))}
          </ul>
        </section>
      )}
      <section aria-labelledby="evidence">
        <h2 id="evidence">Evidence</h2>
        <EvidenceTable {...props} />
      </section>
    </>
  );
}
