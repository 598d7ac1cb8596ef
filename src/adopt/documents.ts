import { stringify } from "yaml";
import { SOURCE } from "./carry.ts";
import type { InPlace } from "./in-place.ts";
import type { Proposed } from "./proposed-fragment.ts";

/** A manifest that is proposed. */
export interface ProposedManifest {
  id: string;
  /** The Dockerfile that it is from, as it was named. */
  dockerfile: string;
  template: string;
  base: string;
  platform: string | null;
  fragments: readonly Proposed[];
  /** Where the files that it copies are, from the workspace's root, without what is ignored; null if it copies none. */
  source: InPlace | null;
}

const TEMPLATE_VERSION = "0.1.0";

const yaml = (document: object): string => stringify(document, { lineWidth: 0, version: "1.1" });

function fragmentYaml(one: Proposed): string {
  const { name, summary, order, slot, from, args, readsContext, secrets, ssh, open } = one;
  return yaml({
    schema_version: 1,
    name,
    version: TEMPLATE_VERSION,
    summary,
    order,
    slot,
    ...(from !== undefined && { from }),
    ...(args.length > 0 && {
      args: Object.fromEntries(
        args.map((arg) => [
          arg.name,
          { type: "string", ...(arg.default !== undefined && { default: arg.default }) },
        ]),
      ),
    }),
    ...(readsContext && { sources: { [SOURCE]: {} } }),
    ...(secrets.length > 0 && { secrets }),
    ...(ssh.length > 0 && { ssh }),
    ...(open.length > 0 && { reuse: "never" }),
  });
}

function manifestYaml({
  id,
  dockerfile,
  template,
  base,
  platform,
  fragments,
  source,
}: ProposedManifest): string {
  const args = fragments.flatMap(({ name, values }) => {
    const own = values.get(id) ?? {};
    return Object.keys(own).length === 0 ? [] : [[name, own] as const];
  });
  const summary = `From ${dockerfile}`.replace(/[\u0000-\u001f\u007f]/g, "?").slice(0, 500);
  return yaml({
    schema_version: 1,
    manifest_id: id,
    summary,
    template: `${template}@~0.1`,
    base,
    ...(platform !== null && { platforms: [platform] }),
    fragments: Object.fromEntries(fragments.map(({ name }) => [name, "~0.1"])),
    ...(args.length > 0 && { args: Object.fromEntries(args) }),
    ...(source !== null && {
      sources: {
        [SOURCE]: { path: source.path, ...(source.ignore.length > 0 && { ignore: source.ignore }) },
      },
    }),
  });
}

function templateFiles(id: string, directives: readonly string[]): Record<string, string> {
  const slots = [
    { name: "builders", builder: true, many: true, optional: true },
    { name: "steps", many: true },
  ];
  const folder = `templates/${id}/${TEMPLATE_VERSION}`;
  return {
    [`${folder}/template.yaml`]: yaml({
      schema_version: 1,
      template_id: id,
      version: TEMPLATE_VERSION,
      summary: "Stages to copy from, and the steps of the image",
      slots,
    }),
    [`${folder}/Dockerfile.hbs`]: `${directives.map((line) => `${line}\n`).join("")}{{slot "builders"}}

FROM {{base}} AS base

{{slot "steps"}}

{{labels}}
`,
  };
}

/** The documents of a workspace, by path. @param templates their ids, and the directives that each starts with */
export function documentsOf(
  manifests: readonly ProposedManifest[],
  templates: ReadonlyMap<string, readonly string[]>,
): Record<string, string> {
  const fragments = new Map(
    manifests.flatMap((one) => one.fragments.map((fragment) => [fragment.name, fragment])),
  );
  const used = new Set(manifests.map(({ template }) => template));
  const ids = (pick: (one: Proposed) => readonly string[]) =>
    [...new Set([...fragments.values()].flatMap(pick))].sort();
  const variable = (id: string): string => id.toUpperCase().replace(/[^A-Z0-9_]/g, "_");
  const secrets = ids((one) => one.secrets);
  const ssh = ids((one) => one.ssh);
  const files: Record<string, string> = {
    "factory.yaml": yaml({
      schema_version: 1,
      repository: "factory",
      ...(secrets.length > 0 && {
        secrets: Object.fromEntries(secrets.map((id) => [id, { env: variable(id) }])),
      }),
      ...(ssh.length > 0 && { ssh: Object.fromEntries(ssh.map((id) => [id, { env: "SSH_AUTH_SOCK" }])) }),
    }),
    ".gitignore": ".factory/\nfactory.local.yaml\n/records/\n",
  };
  for (const [id, directives] of templates)
    if (used.has(id)) Object.assign(files, templateFiles(id, directives));
  for (const one of fragments.values()) {
    const folder = `fragments/${one.name}/${TEMPLATE_VERSION}`;
    files[`${folder}/fragment.yaml`] = fragmentYaml(one);
    files[`${folder}/Dockerfile.hbs`] = one.body;
  }
  for (const one of manifests) files[`manifests/${one.id}.yaml`] = manifestYaml(one);
  const [first] = manifests;
  if (first)
    files[`control_plane/plans/${first.id}.yaml`] = yaml({
      schema_version: 1,
      plan_id: first.id,
      manifest_id: first.id,
      summary: "What to try; add bases, versions and arguments",
      axes: { base: [first.base] },
    });
  return files;
}
