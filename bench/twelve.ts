import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const CORES = ["0.1.0", "0.2.0", "0.3.0"];
const LIGHTS = ["0.1.0", "0.2.0", "0.3.0", "0.4.0"];
const SLOTS = ["security", "core", "light", "app"];
const BASE = "debian:bookworm-slim";
/** Each step writes what names it, so that no two steps of a run are the same work. */
const step = (name: string, version: string, nonce: string) =>
  `RUN sleep 1.5 && echo ${name} ${version} ${nonce} > /${name}`;

function write(root: string, files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

const fragment = (name: string, version: string, order: number, extra = "") => ({
  [`fragments/${name}/${version}/fragment.yaml`]: `schema_version: 1\nname: ${name}\nversion: ${version}\norder: ${order}\nargs: {${name}_nonce: {type: string, default: none}}\n${extra}`,
  [`fragments/${name}/${version}/Dockerfile.hbs`]: `${step(name, version, `{{args.${name}_nonce}}`)}\n`,
});

const merged = (all: Record<string, string>[]): Record<string, string> =>
  Object.fromEntries(all.flatMap((one) => Object.entries(one)));

/** The app's step: it fails on one of the twelve combinations. */
const APP = (nonce: string) =>
  `RUN sleep 1.5 && ! (grep -q "core 0.3.0" /core && grep -q "light 0.4.0" /light) && echo app 0.1.0 ${nonce} > /app`;

/**
 * A workspace with a plan `twelve` of 12 cells: 1 security × 3 core × 4 light × 1 app, each fragment one step of 1.5
 * seconds, of which one fails, as is expected of it; and a plan `eleven` of those that pass.
 * @param label that the images get, such as `a.b=c`
 */
export function writeWorkspace(root: string, label: string): void {
  write(root, {
    "factory.yaml": "schema_version: 1\nrepository: factory-bench\n",
    "templates/twelve/0.1.0/template.yaml": `schema_version: 1\ntemplate_id: twelve\nversion: 0.1.0\nslots: [${SLOTS.map((name) => `{name: ${name}}`).join(", ")}]\n`,
    "templates/twelve/0.1.0/Dockerfile.hbs": `FROM {{base}} AS base\n\n${SLOTS.map((name) => `{{slot "${name}"}}`).join("\n\n")}\n\nFROM {{last}} AS image\n{{labels}}\nLABEL ${label}\n`,
    ...fragment("security", "0.1.0", 10),
    ...merged(CORES.map((version) => fragment("core", version, 20))),
    ...merged(LIGHTS.map((version) => fragment("light", version, 30))),
    ...fragment(
      "app",
      "0.1.0",
      40,
      `smoke: [{id: app-is-there, command: {argv: [cat, /app], stdout: {contains: "app 0.1.0"}}}]\n`,
    ),
    "fragments/app/0.1.0/Dockerfile.hbs": `${APP("{{args.app_nonce}}")}\n`,
    "control_plane/plans/eleven.yaml": `schema_version: 1\nplan_id: eleven\nmanifest_id: twelve\naxes: {core: [${CORES.join(", ")}], light: [${LIGHTS.join(", ")}]}\nexclude: [{core: 0.3.0, light: 0.4.0}]\n`,
    "control_plane/plans/twelve.yaml": `schema_version: 1\nplan_id: twelve\nmanifest_id: twelve\naxes: {core: [${CORES.join(", ")}], light: [${LIGHTS.join(", ")}]}\nexpect: [{when: {core: 0.3.0, light: 0.4.0}, result: fail, owner: bench, reason: one of the twelve fails, until: never}]\n`,
  });
}

/** Gives every fragment of the workspace's manifest a nonce: nothing of an earlier run is cached then. */
export function setNonce(root: string, nonce: string): void {
  const args = SLOTS.map((name) => `${name}_nonce: "${nonce}"`).join(", ");
  write(root, {
    "manifests/twelve.yaml": `schema_version: 1\nmanifest_id: twelve\ntemplate: twelve@0.1.0\nbase: ${BASE}\nplatforms: [linux/amd64]\nfragments: {security: 0.1.0, core: "*", light: "*", app: 0.1.0}\nargs: {${args}}\n`,
  });
}

/** The same twelve as a person would write them for `docker buildx bake`: one file, a flat Dockerfile each. */
export function writeBakeFile(root: string, nonce: string, label: string): string {
  const targets: string[] = [];
  const blocks: string[] = [];
  for (const core of CORES) {
    for (const light of LIGHTS) {
      const name = `core-${core}-light-${light}`.replaceAll(".", "_");
      const lines = [
        `FROM ${BASE}`,
        step("security", "0.1.0", nonce),
        step("core", core, nonce),
        step("light", light, nonce),
        step("app", "0.1.0", nonce),
        `LABEL ${label}`,
      ];
      write(root, { [`${name}.Dockerfile`]: `${lines.join("\n")}\n` });
      targets.push(name);
      blocks.push(
        `target "${name}" {\n  context = "."\n  dockerfile = "${name}.Dockerfile"\n  tags = ["factory-bench/by-hand:${name}"]\n  attest = ["type=provenance,mode=max"]\n  output = ["type=docker"]\n}\n`,
      );
    }
  }
  const file = join(root, "docker-bake.hcl");
  writeFileSync(file, `group "default" {\n  targets = ${JSON.stringify(targets)}\n}\n${blocks.join("")}`);
  return file;
}
