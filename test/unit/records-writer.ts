/** Writes records into the workspace named first, without end, until it is killed: `records-writer.ts ROOT ROUND`. */
import { recordId } from "../../src/records/record-id.ts";
import { openRecordStore } from "../../src/records/store.ts";

const [root = "", round = ""] = process.argv.slice(2);
const store = openRecordStore(root);
const digest = `sha256:${"0".repeat(64)}`;
for (let count = 0; ; count += 1) {
  const text = `${round} ${count} `.repeat(2000);
  const evidence = { build_log: store.keep("demo", text, "text/plain") };
  await store.add({
    schema_version: 1,
    record_id: recordId(new Date(Number(round) * 86_400_000 + count), "0".repeat(8)),
    manifest_id: "demo",
    cell_id: "demo.linux-amd64",
    plan_id: null,
    build_key: digest,
    verdict_key: digest,
    template: { id: "plain", version: "0.1.0", digest },
    fragments: [],
    args: {},
    base: { ref: "scratch", digest: null },
    platform: "linux/amd64",
    image: null,
    test_suite_hash: digest,
    tests: [],
    result: {
      status: "fail",
      stage: "build",
      class: "step",
      expected: false,
      tested_at: new Date(count).toISOString(),
      duration_ms: count,
      stages_ms: {},
      notes: [],
      log_excerpt: Array.from({ length: 40 }, (_, at) => `${at} `.repeat(100)),
    },
    evidence,
    cache: { hits: 0, total: 0 },
    retries: 0,
    tools: {},
    source: { commit: null, dirty: null, ci_url: null },
  });
  process.stdout.write(".");
}
