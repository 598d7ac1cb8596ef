// Factory's speed as ratios measured in one run: `npm run bench [-- SECTION …]`. Sections: start, cell, twelve, reuse, sbom, sbom-large,
// print, growth, pairwise, lookup, list, hashing, graph, remote, site, pull.
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hashing } from "./hashing.ts";
import { list } from "./list-records.ts";
import { compare, median, once } from "./measure.ts";
import { type Bench, graph, growth, lookup, pairwise, print } from "./planner.ts";
import { pull } from "./pull.ts";
import { remote } from "./remote.ts";
import { sitePages } from "./site-pages.ts";
import { setNonce, writeBakeFile, writeWorkspace } from "./twelve.ts";

const project = fileURLToPath(new URL("..", import.meta.url));
const cli = join(project, "dist", "cli.js");
const factory = (cwd: string, ...args: string[]) => once({ argv: [process.execPath, cli, ...args], cwd });
/** What the images of this bench are known by, those that lost their name to a later one too. */
const LABEL = `factory.bench=${process.pid}-${Date.now().toString(36)}`;
const nothing = () => once({ argv: [process.execPath, "-e", "0"] });

interface Result {
  ratio: number;
  least: number;
  most: number;
  a: number;
  b: number;
}

function report(
  what: string,
  against: string,
  { ratio, least, most }: Pick<Result, "ratio" | "least" | "most">,
  aim?: number,
): void {
  const verdict = aim === undefined ? "" : `  aim ≤ ${aim}${ratio <= aim ? "" : "  MISSED"}`;
  process.stdout.write(
    `${what} against ${against}: ${ratio.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})${verdict}\n`,
  );
}

/** The reference workspace in a folder of its own, with names and a label of its own, and without a registry cache. */
function copyOfWorkspace(folder: string): string {
  for (const name of ["manifests", "fragments", "templates", "control_plane"]) {
    cpSync(join(project, name), join(folder, name), { recursive: true });
  }
  for (const path of readdirSync(join(folder, "templates"), { recursive: true, encoding: "utf8" }))
    if (path.endsWith("Dockerfile.hbs")) appendFileSync(join(folder, "templates", path), `LABEL ${LABEL}\n`);
  writeFileSync(join(folder, "factory.yaml"), "schema_version: 1\nrepository: factory-bench\n");
  return folder;
}

/** `A 12 %, B 34 %` of the records' own stage times. */
function stageShares(folder: string, results: { record: string; duration_ms: number }[]): string {
  const records = results.map(
    ({ record }) =>
      JSON.parse(readFileSync(join(folder, record), "utf8")) as {
        result: { stages_ms: Record<string, number>; duration_ms: number };
      },
  );
  const stages = Object.keys(records[0]?.result.stages_ms ?? {});
  const whole = median(records.map(({ result }) => result.duration_ms));
  return stages
    .map(
      (stage) =>
        `${stage} ${((100 * median(records.map(({ result }) => result.stages_ms[stage] ?? 0))) / whole).toFixed(0)} %`,
    )
    .join(", ");
}

interface RunDocument {
  results: { record: string; duration_ms: number }[];
}

async function start(): Promise<void> {
  report(
    "factory --version",
    "node -e 0",
    await compare(15, () => factory(project, "--version"), nothing),
    1.3,
  );
  report(
    "factory stitch",
    "node -e 0",
    await compare(15, () => factory(project, "stitch", "--manifest-id", "llm_factory"), nothing),
    1.7,
  );
}

async function cell(): Promise<void> {
  const folder = copyOfWorkspace(mkdtempSync(join(tmpdir(), "factory-bench-")));
  try {
    const bake = join(folder, "docker-bake.hcl");
    await factory(folder, "plan", "--manifest-id", "llm_factory", "--format", "bake", "-o", bake);
    const platform = process.arch === "arm64" ? "linux-arm64" : "linux-amd64";
    const target = `llm_factory_${platform}`;
    const results: RunDocument["results"] = [];
    const result = await compare(
      7,
      async () => {
        const run = await factory(folder, "run", "--manifest-id", "llm_factory", "--json", "--quiet");
        results.push(...(JSON.parse(run.stdout) as RunDocument).results);
        return run;
      },
      () => once({ argv: ["docker", "buildx", "bake", "-f", bake, target], cwd: folder }),
    );
    report("factory run of one fully cached cell", "docker buildx bake of the same target", result, 4);
    process.stdout.write(
      `  of the cell's own time (smoke and SBOM overlap): ${stageShares(folder, results)}\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function twelve(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "factory-bench-"));
  const hand = mkdtempSync(join(tmpdir(), "factory-bench-"));
  try {
    writeWorkspace(folder, LABEL);
    const all: string[] = [];
    const result = await compare(
      3,
      async (run) => {
        setNonce(folder, `f${process.pid}-${run}`);
        const finished = await factory(
          folder,
          "run",
          "--plan",
          "twelve",
          "--jobs",
          "12",
          "--json",
          "--quiet",
        );
        all.push(stageShares(folder, (JSON.parse(finished.stdout) as RunDocument).results));
        return finished;
      },
      (run) =>
        once({
          argv: ["docker", "buildx", "bake", "-f", writeBakeFile(hand, `h${process.pid}-${run}`, LABEL)],
          cwd: hand,
        }),
      false,
    );
    report(
      "factory run of 12 cells, cold, each step 1.5 s, one of them failing",
      "one hand-written bake of 12 that pass",
      result,
      1.25,
    );
    process.stdout.write(`  of a cell's own time: ${all.at(-1)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(hand, { recursive: true, force: true });
  }
}

/** The same plan again: every cell is proven, and the lock says which bases it had. */
async function reuse(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "factory-bench-"));
  try {
    writeWorkspace(folder, LABEL);
    setNonce(folder, `r${process.pid}`);
    await factory(folder, "lock", "--quiet");
    const again = ["run", "--plan", "eleven", "--locked", "--reuse", "--json", "--quiet"];
    await factory(folder, ...again);
    const counts = new Set<string>();
    const result = await compare(
      9,
      async () => {
        const run = await factory(folder, ...again);
        counts.add(JSON.stringify((JSON.parse(run.stdout) as { summary: object }).summary));
        return run;
      },
      nothing,
    );
    report("factory run --locked --reuse of 11 proven cells", "node -e 0", result, 4);
    process.stdout.write(`  ${[...counts].join(" ")}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function sbom(): Promise<void> {
  const folder = copyOfWorkspace(mkdtempSync(join(tmpdir(), "factory-bench-")));
  try {
    const run = await factory(folder, "run", "--manifest-id", "llm_factory", "--json", "--quiet");
    const { results } = JSON.parse(run.stdout) as { results: { image: { ref: string } }[] };
    const image = results[0]?.image.ref ?? "";
    const result = await compare(
      5,
      () => factory(folder, "sbom", image, "-o", join(folder, "sbom.json")),
      () => once({ argv: ["docker", "image", "save", image, "-o", join(folder, "image.tar")] }),
    );
    report("factory sbom of the reference image", "docker image save", result);
    const peak = median(result.pairs.map(({ a }) => a.peakMib ?? 0));
    const bare = (await nothing()).peakMib ?? 1;
    process.stdout.write(
      `  peak memory: ${peak.toFixed(0)} MiB, ${(peak / bare).toFixed(1)} × that of node -e 0\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ten times the packages: how much more time and memory, and how long a signal would have to wait. */
async function sbomLarge(): Promise<void> {
  const script = join(project, "bench", "large-image.ts");
  const made = async (kind: string, count: number) => {
    const run = await once({
      argv: [process.execPath, "--import", "tsx", script, kind, String(count)],
      cwd: project,
    });
    const { ms, held, components } = JSON.parse(run.stdout) as {
      ms: number;
      held: number;
      components: number;
    };
    return { ms, held, components, peak: run.peakMib ?? 0 };
  };
  for (const [kind, count] of [
    ["deb", 200_000],
    ["pypi", 30_000],
  ] as const) {
    const few = await made(kind, count / 10);
    const many = await made(kind, count);
    const ratio = many.ms / few.ms;
    report(`SBOM of ${count} ${kind} packages`, "a tenth of them", { ratio, least: ratio, most: ratio }, 13);
    process.stdout.write(
      `  memory ${(many.peak / few.peak).toFixed(1)} × as much; the event loop was never held longer than ${((100 * many.held) / many.ms).toFixed(1)} % of the time\n`,
    );
  }
}

/** Removes the images that the sections built. */
function removeImages(): void {
  const argv = ["image", "ls", "--all", "--quiet", "--no-trunc", "--filter", `label=${LABEL}`];
  const { stdout } = spawnSync("docker", argv, { encoding: "utf8" });
  const ids = [...new Set(stdout.trim().split("\n"))].filter(Boolean);
  if (ids.length > 0) spawnSync("docker", ["image", "rm", "-f", ...ids], { stdio: "ignore" });
}

const bench: Bench = { factory, nothing, report, say: (text) => void process.stdout.write(`${text}\n`) };

const sections: Record<string, { run: () => Promise<void>; engine: boolean }> = {
  start: { run: start, engine: false },
  cell: { run: cell, engine: true },
  twelve: { run: twelve, engine: true },
  reuse: { run: reuse, engine: true },
  sbom: { run: sbom, engine: true },
  "sbom-large": { run: sbomLarge, engine: false },
  print: { run: () => print(bench), engine: true },
  growth: { run: () => growth(bench), engine: false },
  pairwise: { run: () => pairwise(bench), engine: false },
  lookup: { run: () => lookup(bench), engine: false },
  list: { run: () => list(bench), engine: false },
  hashing: { run: () => hashing(bench), engine: false },
  graph: { run: () => graph(bench), engine: false },
  remote: { run: () => remote(bench), engine: true },
  site: { run: () => sitePages(bench), engine: false },
  pull: { run: () => pull(bench, copyOfWorkspace), engine: true },
};
const wanted = process.argv.slice(2);
const engine = spawnSync("docker", ["info"], { stdio: "ignore" }).status === 0;
try {
  for (const name of wanted.length > 0 ? wanted : Object.keys(sections)) {
    const section = sections[name];
    if (!section)
      throw new Error(`there is no section ${name}; there are: ${Object.keys(sections).join(", ")}`);
    if (section.engine && !engine) process.stdout.write(`${name}: left out, no Docker engine answers\n`);
    else await section.run();
  }
} finally {
  if (engine) removeImages();
}
