/** Where each page of the site is, from its root. Every part of a path is checked before it gets here: an id, a hash, a number. */
export const sitePaths = {
  home: "index.html",
  search: "search.html",
  compare: "compare.html",
  problems: "problems.html",
  records: (page = 1) => `records/${page}.html`,
  failures: (page = 1) => `failures/${page}.html`,
  manifest: (id: string, page = 1) => `manifest/${id}/${page === 1 ? "index" : `records-${page}`}.html`,
  matrix: (id: string) => `manifest/${id}/matrix.html`,
  prefixes: (id: string) => `manifest/${id}/prefixes.html`,
  cell: (id: string, page = 1) => `cell/${id}/${page}.html`,
  record: (id: string) => `record/${id}.html`,
  log: (sha256: string, page = 1) => `log/${sha256}${page === 1 ? "" : `-${page}`}.html`,
  sbom: (sha256: string, page = 1) => `sbom/${sha256}${page === 1 ? "" : `-${page}`}.html`,
  evidence: (sha256: string, mediaType: string) => `evidence/${sha256}.${extensionOf(mediaType)}`,
  recordData: (shard: string) => `data/records/${shard}.js`,
  bomData: (sha256: string, shard: number) => `data/sbom/${sha256}-${shard}.js`,
  matrixData: (id: string) => `data/matrix/${id}.js`,
  searchData: (key: string) => `data/search/${key}.js`,
} as const;

/** Only names that a browser shows as text: whatever the evidence says, it runs nothing. */
function extensionOf(mediaType: string): "json" | "txt" {
  return /[/+]json$/.test(mediaType) ? "json" : "txt";
}

/** The part of the records' data that has a record: by the last digits of its id, which are those of a hash. */
export function shardOf(recordId: string): string {
  return recordId.slice(-2);
}
