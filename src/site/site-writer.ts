import { bytesOfKind, bytesOrNull, bomFiles, logFiles, rawPath } from "./evidence-pages.tsx";
import { createPackageCounts, fillSearch } from "./fill-search.ts";
import {
  cellPage,
  failuresOf,
  failuresPage,
  manifestPage,
  matrixPage,
  type PageDeps,
  pagesFor,
  prefixPage,
  recordPage,
  recordsPage,
  singlePages,
} from "./list-pages.tsx";
import { factsOf } from "./record-facts.ts";
import { evidenceBytes, piecesOf } from "./record-view.ts";
import { createSearchIndex } from "./search-index.ts";
import { dataScript } from "./site-data.ts";
import { shardOf, sitePaths } from "./site-paths.ts";

/** Takes the files of a site, each once. */
export type WriteSiteFile = (path: string, content: string | Uint8Array) => void;

interface WriteOptions {
  signal: AbortSignal;
  /** Gets how many records have their pages, now and then. */
  onProgress: (done: number, of: number) => void;
}

const MANY = 200;

/** Numbers from 1 on. */
const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

/** The pages of a manifest, and what its script needs. */
function writeManifest(deps: PageDeps, id: string, write: WriteSiteFile): void {
  const entries = deps.model.manifests.get(id)?.entries ?? [];
  for (const page of upTo(pagesFor(entries))) {
    const text = manifestPage(deps, id, page);
    if (text !== null) write(sitePaths.manifest(id, page), text);
  }
  const matrix = matrixPage(deps, id);
  if (matrix) {
    write(sitePaths.matrix(id), matrix.page);
    write(sitePaths.matrixData(id), matrix.data);
  }
  const prefixes = prefixPage(deps, id);
  if (prefixes !== null) write(sitePaths.prefixes(id), prefixes);
}

/**
 * Makes all files of a site, one after the other: no more of the records is in memory than their lists.
 * @throws FactoryError INTERRUPTED, and what `write` throws
 */
export async function writeSite(
  deps: PageDeps,
  write: WriteSiteFile,
  { signal, onProgress }: WriteOptions,
): Promise<void> {
  const { model, about } = deps;
  const { entries } = model.store;
  const raw = new Set<string>();
  const packages = createPackageCounts();

  const writeEvidence = async (id: string): Promise<void> => {
    const read = await model.store.read(id);
    for (const [kind, piece] of read ? piecesOf(read.record) : []) {
      const path = rawPath(piece);
      if (!read || raw.has(path)) continue;
      const bytes = bytesOrNull(() => evidenceBytes(read, piece));
      // That evidence was pruned on purpose is told once, of the record.
      if (!bytes && read.whole?.pruned !== undefined) continue;
      if (!bytes) {
        model.store.problems.push({
          record: id,
          what: `${kind}: the evidence is missing, or is not what was recorded`,
          served: true,
        });
        continue;
      }
      raw.add(path);
      write(path, bytes);
    }
  };
  const writeLog = async (sha256: string): Promise<void> => {
    const entry = model.logs.get(sha256);
    const bytes = entry && (await bytesOfKind(model, entry, "build_log"));
    if (!entry || !bytes) return;
    const log = logFiles(sha256, bytes, { entry, about });
    for (const page of upTo(log.pages)) write(sitePaths.log(sha256, page), log.page(page));
  };
  const writeBom = async (sha256: string): Promise<void> => {
    const entry = model.sboms.get(sha256);
    const bytes = entry && (await bytesOfKind(model, entry, "sbom"));
    if (!entry || !bytes) return;
    const bom = bomFiles(sha256, bytes, { entry, about });
    packages.take(sha256, bom.rows);
    for (const page of upTo(bom.pages)) {
      write(sitePaths.sbom(sha256, page), bom.page(page));
      write(sitePaths.bomData(sha256, page), bom.data(page));
    }
  };

  for (const [at, { id, log, sbom }] of entries.entries()) {
    signal.throwIfAborted();
    if (at > 0 && at % MANY === 0) {
      onProgress(at, entries.length);
      await new Promise((go) => void setImmediate(go));
    }
    const page = await recordPage(deps, id);
    if (page === null) continue;
    write(sitePaths.record(id), page);
    await writeEvidence(id);
    if (log !== null && model.logs.get(log)?.id === id) await writeLog(log);
    if (sbom !== null && model.sboms.get(sbom)?.id === id) await writeBom(sbom);
  }
  await writeRecordData(deps, write, signal);
  for (const id of model.manifests.keys()) writeManifest(deps, id, write);
  for (const [id, { entries: own }] of model.cells)
    for (const page of upTo(pagesFor(own))) write(sitePaths.cell(id, page), cellPage(deps, id, page) ?? "");
  for (const page of upTo(pagesFor(entries))) write(sitePaths.records(page), recordsPage(deps, page) ?? "");
  for (const page of upTo(pagesFor(failuresOf(model))))
    write(sitePaths.failures(page), failuresPage(deps, page) ?? "");
  for (const [path, make] of Object.entries(singlePages)) write(path, make(deps));
  const index = createSearchIndex();
  fillSearch(index, model);
  packages.fill(index);
  for (const key of index.keys())
    write(sitePaths.searchData(key), dataScript(`search/${key}`, index.part(key)));
}

/** What the script compares records by, in parts. */
async function writeRecordData(deps: PageDeps, write: WriteSiteFile, signal: AbortSignal): Promise<void> {
  const shards = new Map<string, string[]>();
  for (const { id } of deps.model.store.entries) {
    const shard = shardOf(id);
    const known = shards.get(shard);
    if (known) known.push(id);
    else shards.set(shard, [id]);
  }
  for (const shard of shards.keys()) {
    signal.throwIfAborted();
    write(sitePaths.recordData(shard), await recordData(deps, shard, shards.get(shard) ?? []));
  }
}

/** One part of the records' data. */
export async function recordData(
  { model }: PageDeps,
  shard: string,
  ids: readonly string[],
): Promise<string> {
  const facts: Record<string, unknown> = {};
  for (const id of ids) {
    const read = await model.store.read(id);
    if (read) facts[id] = factsOf(read.record);
  }
  return dataScript(`records/${shard}`, facts);
}
