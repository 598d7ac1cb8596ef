import { visible } from "../../model/visible.ts";
import { sitePaths } from "../site-paths.ts";
import type { SiteEntry } from "../site-store.ts";
import { durationText, Fragments, Moment, Scroll, Status } from "./parts.tsx";

interface EntryTableProps {
  entries: readonly SiteEntry[];
  root: string;
  label: string;
  /** Whether the cell of each is named; false where all are of one. */
  cells?: boolean;
}

/** Records as a table, one a row. */
export function EntryTable({ entries, root, label, cells = true }: EntryTableProps) {
  if (entries.length === 0) return <p class="none">There are none.</p>;
  return (
    <Scroll label={label}>
      <table class="list" data-list>
        <caption class="unseen">{label}</caption>
        <thead>
          <tr>
            <th scope="col">Verdict</th>
            <th scope="col">Tested (UTC)</th>
            {cells && <th scope="col">Cell</th>}
            {!cells && <th scope="col">Fragments</th>}
            <th scope="col">Did</th>
            <th scope="col">Ended in</th>
            <th scope="col" class="number">
              Took
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.map((one) => (
            <tr>
              <td>
                <Status status={one.status} expected={one.expected} />
              </td>
              <td>
                <a href={root + sitePaths.record(one.id)}>
                  <Moment iso={one.testedAt} />
                </a>
              </td>
              {cells && (
                <td>
                  <a class="name" href={root + sitePaths.cell(one.cell)}>
                    {one.cell}
                  </a>
                </td>
              )}
              {!cells && (
                <td>
                  <Fragments of={one.fragments} />
                </td>
              )}
              <td>{one.action}</td>
              <td>
                {visible(one.stage)}
                {one.class !== null && <span class="quiet"> · {visible(one.class)}</span>}
              </td>
              <td class="number">{durationText(one.durationMs)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
