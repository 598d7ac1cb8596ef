import { grouped } from "../../model/count.ts";
import { sizeText } from "../../model/bytes.ts";
import { visible } from "../../model/visible.ts";
import { rowsHtml } from "../log-html.ts";
import { type LogPart, type LogStep, type ReadLog } from "../log-steps.ts";
import { sitePaths } from "../site-paths.ts";
import type { SiteEntry } from "../site-store.ts";
import { Pager, Status } from "./parts.tsx";

const STATE_TEXT = {
  failed: "✘ failed",
  canceled: "– canceled",
  done: "✔",
  cached: "cached",
  open: "not ended",
};

function Heading({ step }: { step: LogStep }) {
  const { name, state, seconds, rows, number } = step;
  return (
    <summary id={`step-${number ?? "other"}`}>
      {number !== null && <span class={`step ${state}`}>{STATE_TEXT[state]}</span>}{" "}
      <code>{visible(name)}</code>{" "}
      <span class="quiet">
        {seconds !== null && `${seconds.toFixed(1)} s · `}
        {grouped(rows.length)} line{rows.length === 1 ? "" : "s"}
      </span>
    </summary>
  );
}

function Part({ part: { step, from, to }, open }: { part: LogPart; open: boolean }) {
  return (
    <details class={`step ${step.state}`} open={open}>
      <Heading step={step} />
      {to > from && (
        <pre class="log" tabindex={0} dangerouslySetInnerHTML={{ __html: rowsHtml(step.rows, from, to) }} />
      )}
    </details>
  );
}

interface LogViewProps {
  log: ReadLog;
  parts: readonly LogPart[];
  entry: SiteEntry;
  root: string;
  page: number;
  pages: number;
  bytes: number;
  to: (page: number) => string;
}

/** A page of a build log: its steps, folded; those that failed are open. */
export function LogView({ log, parts, entry, root, page, pages, bytes, to }: LogViewProps) {
  const failed = log.steps.filter(({ state }) => state === "failed");
  const raw = root + sitePaths.evidence(entry.log ?? "", "text/plain");
  // Without a failure, what belongs to no step or the only one is worth seeing at once.
  const isOpen = ({ step }: LogPart) =>
    step.state === "failed" || (failed.length === 0 && parts.length === 1);
  return (
    <>
      <h1>Build log</h1>
      <p class="lead">
        <Status status={entry.status} expected={entry.expected} />{" "}
        <a href={root + sitePaths.record(entry.id)}>{entry.cell}</a> · {grouped(log.lines)} lines ·{" "}
        {log.steps.filter(({ number }) => number !== null).length} steps
        {failed.length > 0 && `, ${failed.length} failed`} · <a href={raw}>raw file ({sizeText(bytes)})</a>
      </p>
      {log.leftOut > 0 && (
        <p class="warning" role="note">
          {sizeText(log.leftOut)} in its middle are not shown: they are in the raw file.
        </p>
      )}
      {log.ignored > 0 && (
        <p class="quiet">
          {grouped(log.ignored)} control sequences, such as titles and links, do nothing here. The raw file
          has them.
        </p>
      )}
      <p class="tools" data-only-script>
        <button type="button" data-fold="open">
          Open all
        </button>
        <button type="button" data-fold="closed">
          Fold all
        </button>
      </p>
      <Pager page={page} pages={pages} to={to} />
      {parts.map((part) => (
        <Part part={part} open={isOpen(part)} />
      ))}
      {log.steps.length === 0 && <p class="none">It is empty.</p>}
      <Pager page={page} pages={pages} to={to} />
    </>
  );
}
