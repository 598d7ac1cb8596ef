import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compare, type Finished, median, once } from "./measure.ts";
import type { Bench } from "./planner.ts";

/** How large the source is. FACTORY_BENCH_FILES makes it smaller, with files of the same size. */
const FILES = Number(process.env.FACTORY_BENCH_FILES ?? 50_000);
const BYTES = 20_000;
const FILES_A_FOLDER = 100;
const RUNS = 3;

const DOCUMENTS: Record<string, string> = {
  "factory.yaml": "schema_version: 1\nrepository: factory-bench\n",
  "manifests/app.yaml":
    "schema_version: 1\nmanifest_id: app\ntemplate: app@0.1.0\nbase: debian:bookworm-slim\nfragments: {app: 0.1.0}\nsources: {app: {path: app, ignore: [node_modules, '**/__pycache__', '*.log']}}\n",
  "templates/app/0.1.0/template.yaml":
    "schema_version: 1\ntemplate_id: app\nversion: 0.1.0\nslots: [{name: app}]\n",
  "templates/app/0.1.0/Dockerfile.hbs":
    'FROM {{base}} AS base\n{{slot "app"}}\nFROM {{last}} AS image\n{{labels}}\n',
  "fragments/app/0.1.0/fragment.yaml": "schema_version: 1\nname: app\nversion: 0.1.0\norder: 0\n",
  "fragments/app/0.1.0/Dockerfile.hbs": 'COPY {{source "app"}} /app\n',
};

function write(root: string): void {
  for (const [path, text] of Object.entries(DOCUMENTS)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const block = randomBytes(BYTES);
  for (let at = 0; at < FILES; at += 1) {
    const folder = join(root, "app", `folder-${Math.floor(at / FILES_A_FOLDER)}`);
    if (at % FILES_A_FOLDER === 0) mkdirSync(folder, { recursive: true });
    block.writeUInt32LE(at);
    const file = join(folder, `[slug] ${at}.tsx`);
    writeFileSync(file, block);
    utimesSync(file, 1e9, 1e9);
  }
}

/** Hashing of a source of 50,000 files and a gigabyte, without and with the cache, against git's way. */
export async function hashing({ factory, report, say }: Bench): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "factory-bench-"));
  const shell = (text: string): Promise<Finished> => once({ argv: ["sh", "-c", text], cwd: root });
  const git = "git -c core.compression=0 -c core.looseCompression=0 -c gc.auto=0";
  try {
    write(root);
    spawnSync("sh", ["-c", `git init -q && ${git} add app`], { cwd: root, stdio: "ignore" });
    const cache = join(root, ".factory/hashes");
    const stitch = () => factory(root, "stitch", "--manifest-id", "app", "-o", "-");
    const cold = await compare(
      RUNS,
      async () => {
        rmSync(cache, { recursive: true, force: true });
        return stitch();
      },
      () => shell("git ls-files -z | xargs -0 sha256sum | sha256sum"),
    );
    report(`factory stitch of a source of ${FILES} files, cold`, "git ls-files | sha256sum of each", cold);
    const warm = await compare(RUNS, stitch, () =>
      shell(`${git} update-index -q --refresh; git ls-files -s | sha256sum`),
    );
    report("the same, warm", "git update-index --refresh and ls-files -s | sha256sum", warm);
    const ratios = warm.pairs.map(({ a }, at) => a.ms / (cold.pairs[at]?.a.ms ?? a.ms));
    const ratio = median(ratios);
    report("warm", "cold", { ratio, least: Math.min(...ratios), most: Math.max(...ratios) }, 0.2);
    const peaks = [cold, warm].map(({ pairs }) => median(pairs.map(({ a }) => a.peakMib ?? 0)));
    say(`  peak memory: ${peaks.map((peak) => `${peak.toFixed(0)} MiB`).join(" cold, ")} warm`);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
