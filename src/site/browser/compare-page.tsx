import { render } from "#render-into";
import { type BomRow, packageChanges } from "../bom-rows.ts";
import { factChanges, type RecordFacts } from "../fact-changes.ts";
import { shardOf, sitePaths } from "../site-paths.ts";
import { ChangeTables, PackageChanges } from "../views/change-tables.tsx";
import { Moment, Status } from "../views/parts.tsx";
import { dataPart, root } from "./shards.ts";

const RECORD_ID = /^\d{8}t\d{9}z-(?:[a-f0-9]{16}|[a-f0-9]{8})$/;

async function recordOf(id: string): Promise<RecordFacts | null> {
  if (!RECORD_ID.test(id)) return null;
  const part = (await dataPart(`records/${shardOf(id)}`)) as Record<string, RecordFacts> | undefined;
  return part && Object.hasOwn(part, id) ? (part[id] ?? null) : null;
}

interface BomPart {
  parts: number;
  rows: BomRow[];
}

/** All packages of an SBOM; null if the site does not have it. */
export async function packagesOf(sha256: string | null): Promise<BomRow[] | null> {
  const first = sha256 === null ? undefined : ((await dataPart(`sbom/${sha256}-1`)) as BomPart | undefined);
  if (!first) return null;
  const rows = [...first.rows];
  for (let at = 2; at <= first.parts; at += 1)
    rows.push(...(((await dataPart(`sbom/${sha256 ?? ""}-${at}`)) as BomPart | undefined)?.rows ?? []));
  return rows;
}

function Side({ name, of }: { name: string; of: RecordFacts }) {
  return (
    <p>
      <b>{name}</b> <Status status={of.status} expected={of.expected} />{" "}
      <a href={root() + sitePaths.record(of.id)}>{of.cell}</a> · <Moment iso={of.testedAt} />
    </p>
  );
}

/** Shows what differs between the two records that the address names. */
export async function startCompare(): Promise<void> {
  const place = document.querySelector("#compare");
  const form = document.querySelector<HTMLFormElement>("form.pair");
  if (!place || !form) return;
  const asked = new URLSearchParams(location.search);
  const ids = ["a", "b"].map((name) => (asked.get(name) ?? "").trim());
  for (const [at, name] of ["a", "b"].entries()) {
    const input = form.elements.namedItem(name);
    if (input instanceof HTMLInputElement) input.value = ids[at] ?? "";
  }
  place.replaceChildren();
  if (ids.every((id) => id === "")) return;
  const [a, b] = await Promise.all(ids.map(recordOf));
  if (!a || !b) {
    const missing = ids.filter((_, at) => ![a, b][at]);
    render(
      <p class="warning">{`This site has no record ${missing.map((id) => id || "(none named)").join(" and ")}.`}</p>,
      place,
    );
    return;
  }
  const [before, after] = await Promise.all([packagesOf(a.sbom), packagesOf(b.sbom)]);
  render(
    <>
      <Side name="From" of={a} />
      <Side name="To" of={b} />
      <p>
        <a href={`?a=${b.id}&b=${a.id}`}>The other way round</a>
      </p>
      <ChangeTables changes={factChanges(a, b)} />
      {before && after ? (
        <PackageChanges changes={packageChanges(before, after)} />
      ) : (
        <p class="quiet">Packages are not compared: not both have an SBOM here.</p>
      )}
    </>,
    place,
  );
}
