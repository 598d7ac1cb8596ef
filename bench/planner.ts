import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCatalog } from "../src/catalog/open.ts";
import { expand } from "../src/plan/expand.ts";
import { writeFamily } from "./graph.ts";
import { measureSizes } from "./covering-sizes.ts";
import { writeManyRecords } from "./many-records.ts";
import { compare, type Finished, median } from "./measure.ts";
import { writeArgs, writeWide } from "./wide.ts";

/** What the sections of the planner use of the bench. */
export interface Bench {
  factory: (cwd: string, ...args: string[]) => Promise<Finished>;
  nothing: () => Promise<Finished>;
  report: (
    what: string,
    against: string,
    result: { ratio: number; least: number; most: number },
    aim?: number,
  ) => void;
  say: (text: string) => void;
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "factory-bench-"));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Peak memory of a process in MiB, as the kernel counts it. */
function peakOf(pid: number): number {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kib ?? 0) / 1024;
  } catch {
    return 0;
  }
}

/** `docker buildx bake --print` of a file, by the plugin itself, so that its memory can be read. */
async function bakePrint(file: string): Promise<{ ms: number; peakMib: number }> {
  const plugins = spawnSync(
    "docker",
    ["info", "--format", "{{range .ClientInfo.Plugins}}{{.Name}} {{.Path}}\n{{end}}"],
    {
      encoding: "utf8",
    },
  );
  const path = /^buildx (.+)$/m.exec(plugins.stdout)?.[1];
  if (path === undefined) throw new Error("there is no buildx plugin");
  const start = performance.now();
  const child = spawn(path, ["bake", "-f", file, "--print"], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  let peakMib = 0;
  const timer = setInterval(() => (peakMib = Math.max(peakMib, peakOf(child.pid ?? 0))), 50);
  const code = await new Promise<number | null>((done, fail) => child.on("error", fail).on("close", done));
  clearInterval(timer);
  if (code !== 0) throw new Error(`bake --print exited with ${code}\n${stderr.slice(-2000)}`);
  return { ms: performance.now() - start, peakMib };
}

/** The cells' targets of bake files as one file. */
function oneFile(folder: string, into: string): number {
  const blocks: string[] = [];
  const targets: string[] = [];
  for (const name of readdirSync(folder).sort()) {
    for (const block of readFileSync(join(folder, name), "utf8").split(/^(?=target |group )/m)) {
      const target = /^target "(wide_[^"]+)"/.exec(block)?.[1];
      if (target === undefined) continue;
      targets.push(target);
      blocks.push(block);
    }
  }
  writeFileSync(into, `group "default" {\n  targets = ${JSON.stringify(targets)}\n}\n${blocks.join("")}`);
  return targets.length;
}

/** 10,000 cells planned and emitted, as JSON and as bake files, against `bake --print` of the same targets. */
export async function print({ factory, nothing, say }: Bench): Promise<void> {
  await inFolder(async (folder) => {
    writeWide(folder, 5, 10);
    // One command writes both: the bake files, and the document on stdout.
    const emit = () => {
      rmSync(join(folder, ".factory"), { recursive: true, force: true });
      rmSync(join(folder, "bake"), { recursive: true, force: true });
      return factory(folder, "plan", "wide-4", "--format", "bake", "-o", "bake", "--json");
    };
    await emit();
    const runs = [await emit(), await emit(), await emit()];
    const targets = oneFile(join(folder, "bake"), join(folder, "one.hcl"));
    const printed = await bakePrint(join(folder, "one.hcl"));
    const ratio = median(runs.map(({ ms }) => ms)) / printed.ms;
    const memory = Math.max(...runs.map(({ peakMib }) => peakMib ?? 0)) / printed.peakMib;
    say(
      `factory plan of 10,000 cells as JSON and as bake files against bake --print of the same ${targets} targets: ${ratio.toFixed(3)} of its time  aim ≤ 0.06${ratio <= 0.06 ? "" : "  MISSED"}; ${memory.toFixed(2)} of its peak memory  aim ≤ 0.3${memory <= 0.3 ? "" : "  MISSED"}`,
    );
    const start = (await nothing()).ms;
    say(`  that is ${(median(runs.map(({ ms }) => ms)) / start).toFixed(1)} × node -e 0`);
  });
}

/** 100 to 100,000 cells: how the time of a cell grows. */
export async function growth({ factory, say }: Bench): Promise<void> {
  await inFolder(async (folder) => {
    writeWide(folder, 5, 10);
    const own: { cells: number; ms: number; peak: number }[] = [];
    const base = await factory(folder, "plan", "wide-2", "--format", "json", "-o", "plan.json");
    for (const axes of [2, 3, 4, 5]) {
      const runs: Finished[] = [];
      for (let run = 0; run < 3; run += 1)
        runs.push(await factory(folder, "plan", `wide-${axes}`, "--format", "json", "-o", "plan.json"));
      own.push({
        cells: 10 ** axes,
        ms: median(runs.map(({ ms }) => ms)),
        peak: median(runs.map(({ peakMib }) => peakMib ?? 0)),
      });
    }
    const line = own.map(
      ({ cells, ms, peak }) => `${cells} cells ${(ms / base.ms).toFixed(2)} (${peak.toFixed(0)} MiB)`,
    );
    say(`factory plan --format json, in times of the first: ${line.join(", ")}`);
    const [, , ten, hundred] = own;
    if (ten && hundred) {
      const most = 10 * (Math.log(100_000) / Math.log(10_000));
      const grown = hundred.ms / ten.ms;
      say(
        `  from 10,000 to 100,000 cells: ${grown.toFixed(1)} ×; n log n is ${most.toFixed(1)} ×${grown <= most ? "" : "  MISSED"}`,
      );
    }
  });
}

/** Pairwise over 20 axes of 10 values, and the sizes beside those that were published. */
export async function pairwise({ factory, nothing, report, say }: Bench): Promise<void> {
  const kinds = [
    { what: "20 arguments of 10 values", plan: "args", write: writeArgs, aim: 5 },
    { what: "20 fragments of 10 versions, each read", plan: "pairs", write: writeWide, aim: undefined },
  ];
  for (const { what, plan, write, aim } of kinds) {
    await inFolder(async (folder) => {
      write(folder, 20, 10);
      const run = () => factory(folder, "plan", plan, "--format", "json", "-o", "plan.json");
      report(`factory plan, pairwise over ${what}`, "node -e 0", await compare(9, run, nothing), aim);
      const { summary } = JSON.parse(readFileSync(join(folder, "plan.json"), "utf8")) as {
        summary: { cells: number; coverage: Record<string, { allowed: number; covered: number }> };
      };
      const { allowed = 0, covered = 0 } = summary.coverage[plan] ?? {};
      say(`  ${summary.cells} cells for ${covered} of ${allowed} pairs`);
    });
  }
  for (const line of measureSizes()) say(`  ${line}`);
}

const readPlan = (folder: string) =>
  JSON.parse(readFileSync(join(folder, "plan.json"), "utf8")) as {
    cells: { cell_id: string; build_key: string; verdict_key: string; tags: string[] }[];
    summary: { cells: number; actions: Record<string, number> };
  };

/** 10,000 cells looked up in 100,000 records. */
export async function lookup({ factory, report, say }: Bench): Promise<void> {
  await inFolder(async (folder) => {
    writeWide(folder, 5, 10);
    const plain = () => factory(folder, "plan", "wide-4", "--format", "json", "-o", "plan.json");
    const reuse = () => factory(folder, "plan", "wide-4", "--reuse", "--format", "json", "-o", "plan.json");
    const { cells } = expand(openCatalog(folder), { planId: "wide-4" }, { today: "2026-01-01" });
    // Ten attempts at each cell; the newest is one at the cell as it is today, with evidence of its own.
    const cellOf = (number: number) => cells[number % cells.length];
    writeManyRecords(folder, 100_000, {
      manifestId: "wide",
      bare: true,
      inputs: (number) => (number < 90_000 ? undefined : cellOf(number)?.inputs),
      ref: (number) => cellOf(number)?.cell.tags[0] ?? "",
    });
    const cold = await reuse();
    const { actions } = readPlan(folder).summary;
    report(
      "factory plan --reuse, 10,000 cells over 100,000 records",
      "the same without --reuse",
      await compare(3, reuse, plain),
    );
    say(`  ${JSON.stringify(actions)}`);
    say(
      `  the first time, which makes the index, took ${(cold.ms / (await plain()).ms).toFixed(1)} × the plan without --reuse`,
    );
  });
}

/** 500 manifests that start from each other in six levels against as many that all start from an image. */
export async function graph({ factory, report, say }: Bench): Promise<void> {
  await inFolder(async (folder) => {
    const [flat, six] = [join(folder, "flat"), join(folder, "graph")];
    writeFamily(flat, 500, "flat");
    writeFamily(six, 500, "graph");
    const plan = (workspace: string) => () =>
      factory(workspace, "plan", "--format", "json", "-o", "plan.json");
    report(
      "factory plan of 500 manifests in a graph of six levels",
      "500 that start from an image",
      await compare(5, plan(six), plan(flat)),
      3,
    );
    say(`  ${readPlan(six).summary.cells} cells, ${readPlan(flat).summary.cells} cells`);
  });
}
