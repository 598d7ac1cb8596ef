import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { docker, temporaryFolder, uniqueName } from "./engine.ts";

export const project = fileURLToPath(new URL("../..", import.meta.url));
const cli = join(project, "dist", "cli.js");

export interface Ended {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** `factory ARGS` as people run it. `onStart` gets the process, `onStderr` all of stderr so far. */
export function factory(
  cwd: string,
  args: string[],
  options: {
    env?: Record<string, string>;
    onStart?: (pid: number) => void;
    onStderr?: (text: string, pid: number) => void;
  } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const env = {
      ...process.env,
      FACTORY_REPOSITORY: "",
      FACTORY_CACHE_REPOSITORY: "",
      FACTORY_WORKSPACE: "",
      ...options.env,
    };
    const child = spawn(process.execPath, [cli, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    if (child.pid !== undefined) options.onStart?.(child.pid);
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      if (child.pid !== undefined) options.onStderr?.(stderr, child.pid);
    });
    child.on("error", reject);
    child.on("close", (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
}

/** What a test's workspace is made of: fragments by name and version, in the order given. */
export interface Parts {
  /** Body of the Dockerfile.hbs and fields of fragment.yaml, by name and version. */
  fragments: Record<string, Record<string, { body: string; yaml?: string }>>;
  manifest?: string;
  plans?: Record<string, string>;
  cacheRepository?: string;
  /** Default: debian:bookworm-slim. */
  base?: string;
}

/** The label by which images are known that lost their name to a later one. Its value is the repository. */
const LABEL = "factory.test.repository";

/** All images of a test's workspace, those without a name too: their ids, or what a format gives; sorted. */
export function imagesIn(repository: string, format = "{{.ID}}"): string[] {
  const argv = ["image", "ls", "--all", "--no-trunc", "--format", format];
  const found = docker([...argv, "--filter", `label=${LABEL}=${repository}`]).split("\n");
  return [...new Set(found.filter(Boolean))].sort();
}

/**
 * The name that images of the test's workspace have; the images are gone when the test is over.
 * @param host of a registry, with `/` at the end
 */
export function imagesOfTest(host = ""): string {
  const repository = `${host}${uniqueName("factory-test")}`;
  onTestFinished(() => {
    const ids = [`reference=${repository}/*`, `label=${LABEL}=${repository}`].flatMap((filter) =>
      docker(["image", "ls", "--all", "--quiet", "--no-trunc", "--filter", filter]).split("\n"),
    );
    const found = new Set(ids.filter(Boolean));
    if (found.size > 0) docker(["image", "rm", "-f", ...found]);
  });
  return repository;
}

/** A workspace in a temporary folder, with one manifest `app`. Gives its folder. Call it inside a test. */
export function makeWorkspace(
  { fragments, manifest = "", plans = {}, cacheRepository, base = "debian:bookworm-slim" }: Parts,
  repository = imagesOfTest(),
): string {
  const root = temporaryFolder();
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), 0o644);
  };
  const names = Object.keys(fragments);
  write(
    "factory.yaml",
    `schema_version: 1\nrepository: ${repository}\n${cacheRepository ? `cache: {repository: "${cacheRepository}"}\n` : ""}`,
  );
  write(
    "templates/app/0.1.0/template.yaml",
    `schema_version: 1\ntemplate_id: app\nversion: 0.1.0\nslots: [${names.map((name) => `{name: ${name}}`).join(", ")}]\n`,
  );
  write(
    "templates/app/0.1.0/Dockerfile.hbs",
    `FROM {{base}} AS base\n\n${names.map((name) => `{{slot "${name}"}}`).join("\n\n")}\n\nFROM {{last}} AS image\n{{labels}}\nLABEL ${LABEL}=${repository}\n`,
  );
  for (const [at, [name, versions]] of Object.entries(fragments).entries()) {
    for (const [version, { body, yaml = "" }] of Object.entries(versions)) {
      const folder = `fragments/${name}/${version}`;
      write(
        `${folder}/fragment.yaml`,
        `schema_version: 1\nname: ${name}\nversion: ${version}\norder: ${at}\n${yaml}`,
      );
      write(`${folder}/Dockerfile.hbs`, `${body}\n`);
    }
  }
  write(
    "manifests/app.yaml",
    `schema_version: 1\nmanifest_id: app\ntemplate: app@0.1.0\nbase: ${base}\nplatforms: [linux/amd64]\nfragments: {${names.map((name) => `${name}: "*"`).join(", ")}}\n${manifest}`,
  );
  for (const [id, text] of Object.entries(plans)) {
    write(`control_plane/plans/${id}.yaml`, `schema_version: 1\nplan_id: ${id}\nmanifest_id: app\n${text}`);
  }
  return root;
}
