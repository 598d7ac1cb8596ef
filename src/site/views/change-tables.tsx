import { sizeText } from "../../model/bytes.ts";
import { visible } from "../../model/visible.ts";
import type { PackageChange } from "../bom-rows.ts";
import type { FactChange, FactChanges } from "../fact-changes.ts";
import { durationText } from "./parts.tsx";

interface ChangeTableProps {
  title: string;
  changes: readonly FactChange[];
}

const side = (value: string | null) => (value === null ? <span class="quiet">none</span> : visible(value));

function ChangeTable({ title, changes }: ChangeTableProps) {
  if (changes.length === 0) return null;
  return (
    <table class="list changes">
      <caption>{title}</caption>
      <thead class="unseen">
        <tr>
          <th scope="col">Name</th>
          <th scope="col">From</th>
          <th scope="col">To</th>
        </tr>
      </thead>
      <tbody>
        {changes.map(({ name, from, to }) => (
          <tr>
            <th scope="row">{visible(name)}</th>
            <td class="from">{side(from)}</td>
            <td class="to">{side(to)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** How many rows of times differ so much that they are worth a word: by a quarter, and half a second. */
const differs = ({ from, to }: { from: number | null; to: number | null }) =>
  from === null || to === null || (Math.abs(to - from) > 500 && Math.abs(to - from) > Math.max(from, to) / 4);

/** What differs between two records. */
export function ChangeTables({ changes }: { changes: FactChanges }) {
  const { inputs, fragments, tests, image } = changes;
  const times = changes.times.filter(differs).map(({ name, from, to }) => ({
    name,
    from: from === null ? null : durationText(from),
    to: to === null ? null : durationText(to),
  }));
  const shown = image.map((one) => {
    const text = (value: string | null) =>
      value !== null && one.name === "size" ? sizeText(Number(value)) : value;
    return { ...one, from: text(one.from), to: text(one.to) };
  });
  if ([inputs, fragments, tests, image, times].every(({ length }) => length === 0))
    return <p class="none">Nothing that a record tells differs.</p>;
  return (
    <div class="differences">
      <ChangeTable title="Fragments" changes={fragments} />
      <ChangeTable title="Inputs" changes={inputs} />
      <ChangeTable title="Tests" changes={tests} />
      <ChangeTable title="Image" changes={shown} />
      <ChangeTable title="Times" changes={times} />
    </div>
  );
}

/** How many packages are shown; more than these are counted. */
const MOST = 500;

/** Packages that differ between two SBOMs. */
export function PackageChanges({ changes }: { changes: readonly PackageChange[] }) {
  if (changes.length === 0) return <p class="none">No package differs.</p>;
  return (
    <>
      <table class="list changes">
        <caption>{`Packages (${changes.length})`}</caption>
        <thead>
          <tr>
            <th scope="col">Package</th>
            <th scope="col">From</th>
            <th scope="col">To</th>
            <th scope="col">Fragment</th>
          </tr>
        </thead>
        <tbody>
          {changes.slice(0, MOST).map(({ name, type, from, to, fragment }) => (
            <tr>
              <th scope="row">
                {visible(name)} <span class="quiet">{visible(type)}</span>
              </th>
              <td class="from">{side(from || null)}</td>
              <td class="to">{side(to || null)}</td>
              <td>{visible(fragment)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {changes.length > MOST && <p class="quiet">and {changes.length - MOST} more</p>}
    </>
  );
}
