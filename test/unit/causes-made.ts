import { provable } from "../../bench/provable.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import { digestOf } from "../../src/model/digest.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import type { PlannedCell } from "../../src/plan/cell.ts";
import { expand } from "../../src/plan/expand.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { type Files, makeWorkspace } from "./workspace.ts";

/** A manifest with two fragments in three versions each, and a plan of all pairs on two platforms. */
const PAIRS: Files = {
  "control_plane/plans/grid.yaml": `schema_version: 1
plan_id: grid
manifest_id: demo
# Every pair is tried.
axes:
  core: [0.1.0, 0.1.1, 0.2.0] # the runtime
  app: [0.1.0, 0.2.0]
`,
  "fragments/app/0.2.0/fragment.yaml": `schema_version: 1
name: app
version: 0.2.0
order: 30
args:
  port: {type: integer, default: 80}
`,
  "fragments/app/0.2.0/Dockerfile.hbs": "EXPOSE {{args.port}}\n",
};

export const pairs = (changes: Files = {}): string => makeWorkspace({ ...PAIRS, ...changes });

/** The cells of a plan, with made-up digests of their bases. */
export function cellsIn(
  root: string,
  { planId = "grid", digest = digestOf }: { planId?: string; digest?: (ref: string) => string } = {},
): PlannedCell[] {
  const { cells } = expand(openCatalog(root), { planId }, { today: "2026-01-01" });
  return cells.map((one) => one.pin((ref) => digest(ref)));
}

export interface MadeVerdict {
  status?: "pass" | "fail" | "error";
  expected?: boolean;
  /** Hours after a fixed moment. */
  hour: number;
  log?: string[];
  /** Ids of the tests that fail; all of them by default. */
  tests?: (id: string) => boolean;
}

/** Puts a proven record of a cell. */
export async function putVerdict(
  root: string,
  planned: PlannedCell,
  {
    status = "pass",
    expected = status === "pass",
    hour,
    log = ["it broke"],
    tests = () => true,
  }: MadeVerdict,
): Promise<FactoryRecord> {
  const store = openStore(root);
  const start = new Date(Date.UTC(2026, 0, 1, hour));
  const { inputs, cell } = planned;
  const made = provable(inputs, {
    start,
    duration_ms: 60_000,
    digest: digestOf(cell.verdict_key),
    ref: cell.tags[0] ?? "x:1",
  });
  const { draft, evidence } = made;
  const kept = { ...evidence };
  if (status === "fail") {
    delete kept.sbom;
    const stateOf = ({ id }: { id: string }) => (tests(id) ? ("fail" as const) : ("pass" as const));
    const report = JSON.parse(kept.smoke_report?.text ?? "{}") as { tests: { id: string }[] };
    const told = {
      ...report,
      status,
      tests: report.tests.map((test) => ({ ...test, status: stateOf(test) })),
    };
    kept.smoke_report = { text: JSON.stringify(told), mediaType: "application/json" };
    draft.tests = draft.tests.map((test) => ({ ...test, status: stateOf(test) }));
    Object.assign(draft.result, { status, stage: "smoke", class: "smoke-test", log_excerpt: log });
  } else if (status === "error") {
    for (const kind of ["sbom", "smoke_report", "provenance", "buildkit_provenance"]) delete kept[kind];
    draft.tests = [];
    draft.image = null;
    Object.assign(draft.result, { status, stage: "build", class: "network", log_excerpt: log });
  }
  draft.result.expected = expected;
  for (const [kind, { text, mediaType }] of Object.entries(kept))
    draft.evidence[kind] = await store.keep(inputs.manifest_id, text, mediaType);
  return store.put(draft, start);
}
