import { provable } from "../../bench/provable.ts";
import type { Inputs } from "../../src/model/inputs.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import type { RecordStore } from "../../src/records/store.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { INPUTS } from "./records-made.ts";
import { factoryAtOnce, makeWorkspace } from "./workspace.ts";

const ESC = "\u001b";
const hex = (number: number) => number.toString(16).padStart(64, "0");

/** A log as a hostile step may write it. */
const HOSTILE_LOG = [
  "#1 [core 1/2] RUN <b>make</b>",
  `#1 0.100 ${ESC}[31mred${ESC}[0m <script>alert(1)</script> \u202egnp.exe`,
  `#1 0.200 ${ESC}]0;title\u0007${ESC}]8;;http://evil.example/${ESC}\\link${ESC}]8;;${ESC}\\`,
  `#1 0.300 10 %\r20 %\r${ESC}[Kdone`,
  "#1 DONE 0.4s",
  "#2 [app 2/2] RUN test",
  "#2 0.100 it breaks here",
  '#2 ERROR: process "/bin/sh -c test" did not complete successfully: exit code: 1',
  "",
].join("\n");

const COMPONENTS = [
  ["openssl", "3.0.15-1", "pkg:deb/debian/openssl@3.0.15-1", "core@0.1.0"],
  ["<img src=x onerror=alert(1)>", "1.0", "pkg:npm/x@1.0", "app@0.1.0"],
  ["flask", "3.1.0", "pkg:pypi/flask@3.1.0", "app@0.1.0"],
] as const;

function bom(extra: number): string {
  const many = Array.from(
    { length: extra },
    (_, at) => [`package-${at}`, "1.0", `pkg:npm/p${at}@1.0`, ""] as const,
  );
  return JSON.stringify({
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    components: [...COMPONENTS, ...many].map(([name, version, purl, fragment]) => ({
      type: "library",
      name,
      version,
      purl,
      properties: [{ name: "factory:fragment", value: fragment }],
      licenses: [{ license: { id: "MIT" } }],
    })),
  });
}

export interface RecordMade {
  /** Hours after the first. */
  hour?: number;
  core?: string;
  fails?: boolean;
  log?: string;
  /** Packages beside those that every one has. */
  packages?: number;
}

const BEGAN = Date.UTC(2026, 9, 1);
const CHAIN = [30e6, 4e6, 9e6].map((size, at) => ({ digest: `sha256:${hex(at + 1)}`, size }));

/** Puts a record of a cell of `demo`. */
export async function putRecord(store: RecordStore, made: RecordMade = {}): Promise<FactoryRecord> {
  const { hour = 0, core = "0.1.0", fails = false, log = HOSTILE_LOG, packages = 0 } = made;
  const start = new Date(BEGAN + hour * 3_600_000);
  const platform = hour % 2 === 0 ? "linux/amd64" : "linux/arm64";
  const inputs: Inputs = {
    ...INPUTS,
    platform,
    cell_id: `demo.core-${core}.${platform.replace("/", "-")}`,
    dockerfile:
      "FROM debian:bookworm-slim AS base\n\nFROM base AS core\nRUN a\n\nFROM core AS image\nRUN b\n",
    fragments: [{ ...(INPUTS.fragments[0] as Inputs["fragments"][number]), version: core }],
  };
  const digest = `sha256:${hex(hour + 1)}`;
  const { draft, evidence } = provable(inputs, { start, duration_ms: 61_000, digest, ref: "demo:1" });
  const keep = (kind: string, text: string, mediaType: string) =>
    store.keep("demo", text, mediaType).then((piece) => void (draft.evidence[kind] = piece));
  evidence.sbom = { text: bom(packages), mediaType: "application/vnd.cyclonedx+json" };
  evidence.build_log = { text: log, mediaType: "text/plain" };
  evidence.buildkit_provenance = {
    text: JSON.stringify({ metadata: { buildkit: { layers: { "step2:0": [CHAIN] } } } }),
    mediaType: "application/json",
  };
  if (draft.image) draft.image.layers = CHAIN.length;
  if (fails) {
    Object.assign(draft.result, { status: "fail", stage: "build", class: "step", expected: false });
    draft.result.log_excerpt = ["it breaks here", "<script>alert(2)</script>"];
    Object.assign(draft, { image: null, tests: [] });
    for (const kind of ["sbom", "smoke_report", "provenance", "buildkit_provenance"]) delete evidence[kind];
  }
  for (const [kind, { text, mediaType }] of Object.entries(evidence)) await keep(kind, text, mediaType);
  return store.put(draft, start);
}

/** A workspace with some records: two versions, two platforms, one failure, and what their site is made with. */
export async function siteWorkspace(more: readonly RecordMade[] = []) {
  const root = makeWorkspace({
    "control_plane/products/demo_product.yaml": `schema_version: 1
product_id: demo_product
manifest_id: demo
repository: registry.example/team/demo
`,
  });
  const store = openStore(root);
  const records: FactoryRecord[] = [];
  for (const one of [
    { hour: 0 },
    { hour: 1 },
    { hour: 24, core: "0.2.0" },
    { hour: 25, core: "0.2.0", fails: true },
    { hour: 26, packages: 2 },
    ...more,
  ])
    records.push(await putRecord(store, one));
  return {
    root,
    store,
    records,
    site: (...argv: string[]) => factoryAtOnce(root, ["site", "--records-only", ...argv]),
  };
}
