import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "../src/model/digest.ts";
import { writeManyRecords } from "./many-records.ts";
import { compare, once } from "./measure.ts";
import type { Bench } from "./planner.ts";

const COUNT = 100_000;
const FRAGMENTS = ["security", "core", "light", "app"];

/** Lists and filters of 100,000 records, against jq over the same files, and against a process that does nothing. */
export async function list({ factory, nothing, report, say }: Bench): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "factory-bench-"));
  try {
    writeFileSync(join(folder, "factory.yaml"), "schema_version: 1\nrepository: x/y\n");
    writeManyRecords(folder, COUNT, {
      bare: true,
      change: (number) => ({
        fragments: FRAGMENTS.map((name, at) => ({
          name,
          version: `0.${(number >> at) % 4}.0`,
          digest: digestOf(name),
        })),
      }),
    });
    const first = await factory(folder, "records", "list", "--limit", "1", "--quiet");
    // The table is remembered once nothing in the folder is young.
    await new Promise((done) => setTimeout(done, 2500));
    await factory(folder, "records", "list", "--limit", "1", "--quiet");
    const question = ["--status", "fail", "--fragment", "core>=0.2", "--limit", "20", "--json"];
    const newest = await compare(9, () => factory(folder, "records", "list", "--limit", "20"), nothing);
    report(`factory records list --limit 20 of ${COUNT} records`, "node -e 0", newest, 3);
    const filter = await compare(9, () => factory(folder, "records", "list", ...question), nothing);
    report("the failures with core>=0.2, 20 of them", "node -e 0", filter, 3);
    const groups = await compare(
      9,
      () => factory(folder, "records", "list", "--group-by", "fragment:core,status"),
      nothing,
    );
    report("all of them in groups of core and status", "node -e 0", groups);
    say(`  the first list, which reads every record, took ${(first.ms / newest.b).toFixed(0)} × node -e 0`);
    if (spawnSync("jq", ["--version"]).status !== 0) return say("  left out: jq is not installed");
    const filterOfJq =
      'select(.result.status == "fail") | select(any(.fragments[]; .name == "core" and (.version | split(".")[1] | tonumber) >= 2)) | .record_id';
    const jq = () =>
      once({
        argv: [
          "sh",
          "-c",
          `find records/many -maxdepth 1 -name '*.json' -print0 | xargs -0 jq -r '${filterOfJq}'`,
        ],
        cwd: folder,
      });
    const against = await compare(1, () => factory(folder, "records", "list", ...question), jq, false);
    report("the same question", "jq over the same files", against);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
