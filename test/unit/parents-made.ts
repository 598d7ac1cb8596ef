import { SMALL, type Files } from "./workspace.ts";

/** A manifest of the small workspace that starts from an image, or from another manifest. */
export function manifestOn(id: string, parent: string | null, more = ""): string {
  const base = parent === null ? "debian:bookworm-slim" : `{manifest: ${parent}}`;
  return `schema_version: 1
manifest_id: ${id}
template: line@0.1.0
base: ${base}
fragments: {word: 0.1.0}
args: {word: ${id}}
${more}`;
}

/** The documents that manifests of `manifestOn` use: a template with one slot, and a fragment that writes a word. */
export const LINE: Files = {
  "templates/line/0.1.0/template.yaml": `schema_version: 1
template_id: line
version: 0.1.0
slots: [{name: word}]
`,
  "templates/line/0.1.0/Dockerfile.hbs": `FROM {{base}} AS base

{{slot "word"}}

FROM {{last}} AS image
{{labels}}
`,
  "fragments/word/0.1.0/fragment.yaml": `schema_version: 1
name: word
version: 0.1.0
order: 10
args: {word: {type: string}}
smoke:
  - {id: says, command: {argv: [cat, /words]}}
`,
  "fragments/word/0.1.0/Dockerfile.hbs": "RUN echo {{quote args.word}} >> /words\n",
};

/** A workspace in which each manifest starts from another, or from an image: `{root: null, mid: "root"}`. */
export function familyOf(parents: Readonly<Record<string, string | null>>, more = ""): Files {
  const manifests = Object.entries(parents).map(
    ([id, parent]) => [`manifests/${id}.yaml`, manifestOn(id, parent, more)] as const,
  );
  const without = Object.keys(SMALL).filter((path) => /^(manifests|control_plane)\//.test(path));
  return {
    ...LINE,
    ...Object.fromEntries(without.map((path) => [path, null])),
    ...Object.fromEntries(manifests),
  };
}
