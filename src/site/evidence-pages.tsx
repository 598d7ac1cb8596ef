import { FactoryError } from "../errors.ts";
import type { Evidence } from "../schemas/types.ts";
import { type BomRow, bomRows, ROWS_A_PAGE } from "./bom-rows.ts";
import { framed } from "./html-document.tsx";
import { logPages, readLog } from "./log-steps.ts";
import { evidenceBytes, piecesOf } from "./record-view.ts";
import { dataScript } from "./site-data.ts";
import type { SiteModel } from "./site-model.ts";
import { sitePaths } from "./site-paths.ts";
import type { SiteEntry } from "./site-store.ts";
import { BomView } from "./views/bom-view.tsx";
import type { SiteAbout } from "./views/page-frame.tsx";
import { LogView } from "./views/log-view.tsx";

/** How many rows of a log one page has. */
const LOG_ROWS = 60_000;

/** What is made of a piece of evidence: some pages, numbered from 1. */
export interface EvidencePages {
  pages: number;
  page: (number: number) => string;
}

/** The bytes of a kind of evidence of a record; null if they are gone, or changed. */
export async function bytesOfKind(model: SiteModel, entry: SiteEntry, kind: string): Promise<Buffer | null> {
  const read = await model.store.read(entry.id);
  const piece = read && piecesOf(read.record).find(([name]) => name === kind)?.[1];
  if (!read || !piece) return null;
  return bytesOrNull(() => evidenceBytes(read, piece));
}

/** What a call gives; null where evidence is lost. */
export function bytesOrNull(call: () => Buffer): Buffer | null {
  try {
    return call();
  } catch (error) {
    if (error instanceof FactoryError) return null;
    throw error;
  }
}

const aboveOf = ({ id, manifest, cell }: SiteEntry) =>
  [
    ["Home", sitePaths.home],
    [manifest, sitePaths.manifest(manifest)],
    [cell, sitePaths.cell(cell)],
    ["Record", sitePaths.record(id)],
  ] as const;

/** The pages of a build log. @param sha256 of it, in hex @param entry that has it */
export function logFiles(
  sha256: string,
  bytes: Buffer,
  { entry, about, most = LOG_ROWS }: { entry: SiteEntry; about: SiteAbout; most?: number },
): EvidencePages {
  const log = readLog(bytes);
  const all = logPages(log.steps, most);
  return {
    pages: all.length,
    page: (number) => {
      const path = sitePaths.log(sha256, number);
      const page = { path, title: `Build log of ${entry.cell}`, above: aboveOf(entry), page: "log" };
      return framed({ about }, page, (root) => (
        <LogView
          log={log}
          parts={all[number - 1] ?? []}
          entry={entry}
          root={root}
          page={number}
          pages={all.length}
          bytes={bytes.length}
          to={(one) => root + sitePaths.log(sha256, one)}
        />
      ));
    },
  };
}

/** What is made of an SBOM. */
export interface BomFiles extends EvidencePages {
  rows: readonly BomRow[];
  /** The same rows for the script, in as many parts. */
  data: (number: number) => string;
}

/** The pages of an SBOM's packages. What is no JSON lists none. */
export function bomFiles(
  sha256: string,
  bytes: Buffer,
  { entry, about }: { entry: SiteEntry; about: SiteAbout },
): BomFiles {
  const rows = bomRows(bytes.toString("utf8")) ?? [];
  const pages = Math.max(1, Math.ceil(rows.length / ROWS_A_PAGE));
  const part = (number: number) => rows.slice((number - 1) * ROWS_A_PAGE, number * ROWS_A_PAGE);
  return {
    rows,
    pages,
    data: (number) => dataScript(`sbom/${sha256}-${number}`, { parts: pages, rows: part(number) }),
    page: (number) => {
      const path = sitePaths.sbom(sha256, number);
      const page = { path, title: `Packages of ${entry.cell}`, above: aboveOf(entry), page: "sbom" };
      return framed({ about }, page, (root) => (
        <BomView
          rows={part(number)}
          all={rows.length}
          entry={entry}
          root={root}
          page={number}
          pages={pages}
          to={(one) => root + sitePaths.sbom(sha256, one)}
        />
      ));
    },
  };
}

/** The path of a piece of evidence in the site. */
export function rawPath({ sha256, media_type }: Evidence): string {
  return sitePaths.evidence(sha256, media_type);
}
