import { visible } from "../../model/visible.ts";
import type { BomRow } from "../bom-rows.ts";
import { sitePaths } from "../site-paths.ts";
import type { SiteEntry } from "../site-store.ts";
import { Pager } from "./parts.tsx";

export function BomTable({ rows }: { rows: readonly BomRow[] }) {
  return (
    <table class="list" data-list data-sortable>
      <caption class="unseen">Packages</caption>
      <thead>
        <tr>
          {["Package", "Version", "Type", "Fragment", "Licences"].map((name) => (
            <th scope="col">{name}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, version, type, fragment, licenses]) => (
          <tr>
            <th scope="row">{visible(name)}</th>
            <td>{visible(version)}</td>
            <td>{visible(type)}</td>
            <td>{visible(fragment)}</td>
            <td>{visible(licenses)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface BomViewProps {
  rows: readonly BomRow[];
  all: number;
  entry: SiteEntry;
  root: string;
  page: number;
  pages: number;
  to: (page: number) => string;
}

/** A page of the packages of an SBOM. The script searches all of its pages. */
export function BomView({ rows, all, entry, root, page, pages, to }: BomViewProps) {
  return (
    <>
      <h1>Packages</h1>
      <p class="lead">
        {all} of <a href={root + sitePaths.record(entry.id)}>{entry.cell}</a> ·{" "}
        <a href={root + sitePaths.evidence(entry.sbom ?? "", "application/json")}>the CycloneDX document</a>
      </p>
      <p class="tools" data-only-script>
        <label>
          Filter{" "}
          <input type="search" id="filter" data-sbom={entry.sbom} data-parts={pages} autocomplete="off" />
        </label>
        <output for="filter" id="found"></output>
      </p>
      <Pager page={page} pages={pages} to={to} />
      <div class="scroll" id="packages" role="region" aria-label="Packages" tabindex={0}>
        <BomTable rows={rows} />
      </div>
      {all === 0 && <p class="none">It lists no package.</p>}
      <Pager page={page} pages={pages} to={to} />
    </>
  );
}
