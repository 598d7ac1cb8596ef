import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { type OpenCatalog, openCatalog } from "../../src/catalog/open.ts";
import { FactoryError, type Finding } from "../../src/errors.ts";

/** Files by path from the workspace's root; null takes one out. */
export type Files = Readonly<Record<string, string | null>>;

/** The checkout, which is the reference workspace. */
export const repository = fileURLToPath(new URL("../..", import.meta.url));

/** A small workspace without findings: a template with three slots, and fragments in several versions. */
export const SMALL: Readonly<Record<string, string>> = {
  "factory.yaml": `schema_version: 1
repository: registry.example/team
cache: {repository: registry.example/team/cache}
`,
  "manifests/demo.yaml": `schema_version: 1
manifest_id: demo
summary: A demonstration
template: plain@~0.1
base: debian:bookworm-slim
platforms: [linux/amd64, linux/arm64]
fragments: {core: ~0.1, app: 0.1.0}
args: {port: 8080}
smoke:
  - {id: answers, summary: It answers, http: {port: 8080, path: /}}
`,
  "templates/plain/0.1.0/template.yaml": `schema_version: 1
template_id: plain
version: 0.1.0
summary: A chain of stages
slots: [{name: core}, {name: extra, optional: true}, {name: app}]
`,
  "templates/plain/0.1.0/Dockerfile.hbs": `FROM {{base}} AS base

{{slot "core"}}

{{slot "extra"}}

{{slot "app"}}

FROM {{last}} AS image
{{labels}}
`,
  "fragments/core/0.1.0/fragment.yaml": `schema_version: 1
name: core
version: 0.1.0
summary: The runtime
order: 10
args: {python: {type: string, default: python3}}
smoke:
  - {id: runs, command: {argv: [python3, --version]}}
`,
  "fragments/core/0.1.0/Dockerfile.hbs": "RUN install {{args.python}}\n",
  "fragments/core/0.1.1/fragment.yaml": `schema_version: 1
name: core
version: 0.1.1
order: 10
args: {python: {type: string, default: python3}}
`,
  "fragments/core/0.1.1/Dockerfile.hbs": "RUN install --fast {{args.python}}\n",
  "fragments/core/0.2.0/fragment.yaml": "schema_version: 1\nname: core\nversion: 0.2.0\norder: 10\n",
  "fragments/core/0.2.0/Dockerfile.hbs": "RUN install everything\n",
  "fragments/app/0.1.0/fragment.yaml": `schema_version: 1
name: app
version: 0.1.0
summary: The application
order: 30
requires: {core: ">=0.1 <1"}
args:
  port: {type: integer, default: 80, minimum: 1, summary: Where it listens}
  name: {type: string, default: app}
`,
  "fragments/app/0.1.0/Dockerfile.hbs": `COPY {{file "server.py"}} {{file "data"}} /opt/app/
ENV PORT={{quote args.port}} NAME={{quote args.name}}
EXPOSE {{args.port}}
CMD ["serve", {{json args.name}}]
`,
  "fragments/app/0.1.0/server.py": "print('hello')\n",
  "fragments/app/0.1.0/data/a.txt": "a\n",
  "fragments/app/0.1.0/data/b.txt": "b\n",
  "fragments/extra/0.1.0/fragment.yaml": "schema_version: 1\nname: extra\nversion: 0.1.0\norder: 20\n",
  "fragments/extra/0.1.0/Dockerfile.hbs": "RUN extra\n",
  "control_plane/plans/grid.yaml": `schema_version: 1
plan_id: grid
manifest_id: demo
axes: {core: [0.2.0, 0.1.0]}
`,
};

/** An empty temporary folder that is gone when the test is over. Call it inside a test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "factory-unit-"));
  chmodSync(folder, 0o755);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files in the order given: folders get the mode 0755 and files 0644, or 0755 where `executable` says so. */
export function writeFiles(
  root: string,
  files: Files,
  executable: (path: string) => boolean = () => false,
): void {
  for (const [path, content] of Object.entries(files)) {
    const parts = path.split("/");
    for (let length = 1; length < parts.length; length += 1) {
      const folder = join(root, ...parts.slice(0, length));
      if (existsSync(folder)) continue;
      mkdirSync(folder);
      chmodSync(folder, 0o755);
    }
    if (content === null) {
      rmSync(join(root, path), { recursive: true, force: true });
      continue;
    }
    writeFileSync(join(root, path), content);
    chmodSync(join(root, path), executable(path) ? 0o755 : 0o644);
  }
}

/** Gives all folders below one the mode 0755 and files 0644, whatever the umask was. */
export function openToAll(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) openToAll(path);
    else if (entry.isFile()) chmodSync(path, 0o644);
  }
}

/** A temporary workspace: the small one with these files changed, added or taken out. Call it inside a test. */
export function makeWorkspace(changes: Files = {}): string {
  const root = temporaryFolder();
  writeFiles(root, { ...SMALL, ...changes });
  return root;
}

/** The catalog of a temporary workspace. Call it inside a test. */
export function makeCatalog(changes: Files = {}): OpenCatalog {
  return openCatalog(makeWorkspace(changes));
}

/** All regular files below a folder of the checkout, by path from that folder. */
export function filesBelow(folder: string, under: readonly string[] = ["."]): Record<string, string> {
  const found: Record<string, string> = {};
  const add = (path: string) => {
    const absolute = join(folder, path);
    if (lstatSync(absolute).isDirectory()) {
      for (const name of readdirSync(absolute).sort()) if (name !== "__pycache__") add(join(path, name));
    } else found[path] = readFileSync(absolute, "utf8");
  };
  for (const path of under) if (existsSync(join(folder, path))) add(path);
  return found;
}

/** A copy of the reference workspace whose file modes are those of a fresh checkout. Call it inside a test. */
export function copyReference(): string {
  const root = temporaryFolder();
  const documents = ["factory.yaml", "manifests", "fragments", "templates", "control_plane"];
  const files = filesBelow(repository, documents);
  writeFiles(root, files, (path) => (lstatSync(join(repository, path)).mode & 0o100) !== 0);
  return root;
}

/** Everything below a folder: kind, mode and contents. Two equal trees give equal texts. */
export function treeOf(root: string): string {
  const lines: string[] = [];
  const add = (path: string) => {
    const absolute = join(root, path);
    const stat = lstatSync(absolute);
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isDirectory()) {
      lines.push(`${path}/ ${mode}`);
      for (const name of readdirSync(absolute).sort()) add(join(path, name));
    } else if (stat.isSymbolicLink()) lines.push(`${path} -> ${readlinkSync(absolute)}`);
    else {
      // Sparse files of many megabytes are told by their size.
      const what = stat.size > 10_000_000 ? stat.size : sha256(readFileSync(absolute));
      lines.push(`${path} ${mode} ${what}`);
    }
  };
  add(".");
  return lines.join("\n");
}

export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** What the built program came to. */
export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** The built program. `npm test` builds it first. */
export const cli = join(repository, "dist", "cli.js");

/** The environment of the tests without what steers Factory, plus `more`. */
export function cleanEnv(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(FACTORY_|NO_COLOR$|FORCE_COLOR$|CI$)/.test(name)),
  );
  return { ...env, ...more };
}

/** Runs the built program in a workspace. */
export function factory(cwd: string, argv: readonly string[], env: NodeJS.ProcessEnv = {}): Ended {
  if (!existsSync(cli)) throw new Error(`there is no ${cli}: run \`npm run build\``);
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...argv], {
    cwd,
    env: cleanEnv(env),
    encoding: "utf8",
    maxBuffer: 64 << 20,
  });
  return { status, stdout, stderr };
}

/** Runs the built program beside others. */
export async function factoryAtOnce(
  cwd: string,
  argv: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [cli, ...argv], {
    cwd,
    env: cleanEnv(env),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return { status: child.exitCode, stdout, stderr };
}

/** The FactoryError that a call throws. */
export function errorFrom(call: () => unknown): FactoryError {
  try {
    call();
  } catch (error) {
    if (error instanceof FactoryError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** The findings that a call throws, one or many. */
export function findingsFrom(call: () => unknown): Finding[] {
  const { code, message, where, fix, findings } = errorFrom(call);
  return findings ?? [{ code, what: message, where, fix }];
}
