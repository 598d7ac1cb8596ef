import type { FolderEntry } from "../catalog/catalog.ts";
import { FactoryError, type Place } from "../errors.ts";
import { compareText } from "../model/compare.ts";
import type { Fragment, Template } from "../schemas/types.ts";
import { compileTemplate, type Render } from "./compile-template.ts";
import { holdsValue, keepsFileModes, type Instruction, parseDockerfile, withoutMarks } from "./dockerfile.ts";
import { type ContextFile, contextFiles } from "./files.ts";
import type { Resolved } from "./resolve.ts";

/** A Dockerfile with a place left for its build-key label. */
export interface Rendered {
  /** The Dockerfile; `buildKey` null leaves that label out. */
  dockerfile: (buildKey: string | null) => string;
  /** Files that it copies, sorted by path. */
  files: ContextFile[];
  /** What the Dockerfile.dockerignore lets in, sorted. */
  allowed: string[];
}

const BASE_STAGE = "base";
export const BUILD_KEY_LABEL = "io.factory.build-key";

const compiled = new WeakMap<object, Render>();

function once(key: object, make: () => Render): Render {
  const known = compiled.get(key);
  if (known) return known;
  const made = make();
  compiled.set(key, made);
  return made;
}

function fragmentRender(entry: FolderEntry<Fragment>): Render {
  return once(entry, () =>
    compileTemplate(entry.dockerfile.file, entry.dockerfile.text, {
      roots: { args: Object.keys(entry.document.args ?? {}), fragment: ["name", "version"] },
      helpers: { file: 1 },
    }),
  );
}

function templateRender(entry: FolderEntry<Template>): Render {
  return once(entry, () =>
    compileTemplate(entry.dockerfile.file, entry.dockerfile.text, {
      roots: { base: null, last: null, template: ["id", "version"] },
      helpers: { slot: 1, labels: 0 },
    }),
  );
}

/**
 * Refuses a value that stands where it would start an instruction or end a here-document, and an instruction that
 * would go on into what Factory writes behind it.
 */
function refuseInstructions(file: string, instructions: readonly Instruction[]): void {
  for (const { keyword, rest, line, shapedByValue, unclear } of instructions) {
    const onbuild = withoutMarks(keyword) === "ONBUILD" && holdsValue(/^\S*/.exec(rest)?.[0] ?? "");
    const text = withoutMarks(`${keyword} ${rest}`).slice(0, 80);
    if (holdsValue(keyword) || onbuild || shapedByValue) {
      throw new FactoryError(
        "ARG_UNSAFE",
        `a value would become part of the Dockerfile's structure: ${text}`,
        {
          where: { file },
          fix: `write the instruction out, and let the value be one of its words (line ${line} of what is rendered)`,
        },
      );
    }
    if (unclear === undefined) continue;
    const code = holdsValue(rest) ? "ARG_UNSAFE" : "TEMPLATE_INSTRUCTION";
    throw new FactoryError(code, `it is not clear where this ends: ${text}: ${unclear}`, {
      where: { file },
      fix: `correct it (line ${line} of what is rendered)`,
    });
  }
}

function fragmentBody(
  resolved: Resolved,
  entry: FolderEntry<Fragment>,
  root: string,
  files: ContextFile[],
  allowed: Set<string>,
): string {
  const { name, version } = entry.document;
  const text = fragmentRender(entry)(
    { args: { ...resolved.argsByFragment.get(name) }, fragment: { name, version } },
    {
      file: ([wanted = ""], where) => {
        const clean = wanted.replace(/\/$/, "");
        files.push(...contextFiles(root, entry.folder, clean, where));
        allowed.add(`${entry.folder}/${clean}`);
        return `${entry.folder}/${clean}`;
      },
    },
  );
  const { file } = entry.dockerfile;
  const instructions = parseDockerfile(text);
  refuseInstructions(file, instructions);
  const own = instructions.find(({ keyword }) => keyword === "FROM");
  if (own) {
    throw new FactoryError("TEMPLATE_INSTRUCTION", "a fragment may not start a build stage of its own", {
      where: {
        file,
        line: entry.dockerfile.text.split("\n").findIndex((line) => /^\s*FROM\b/i.test(line)) + 1 || 1,
      },
      fix: "remove FROM: the fragment's stage is written by the template's slot",
    });
  }
  return withoutMarks(text).trim();
}

/** `LABEL` with one sorted pair a line. Values are quoted as Dockerfile words. */
function labelInstruction(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).sort(([a], [b]) => compareText(a, b));
  return `LABEL ${pairs.map(([key, value]) => `${key}="${value.replace(/["\\$]/g, "\\$&")}"`).join(" \\\n      ")}`;
}

/**
 * Renders the template with its slots filled: one build stage per fragment, each on top of the one before.
 * @param root absolute path of the workspace
 * @param base the reference behind FROM, pinned to a digest where one is known
 * @param labels labels of the image, without the build key
 * @throws FactoryError TEMPLATE_*, ARG_UNSAFE, FILE_*, SLOT_*
 */
export function render(
  resolved: Resolved,
  root: string,
  base: string,
  labels: Readonly<Record<string, string>>,
): Rendered {
  const { template, slots } = resolved;
  const files: ContextFile[] = [];
  const allowed = new Set<string>();
  const placed: string[] = [];
  let last = BASE_STAGE;
  let labelled = 0;
  // The build key is over the Dockerfile without it, so its label is put in afterwards, at this mark.
  const mark = "\u0003LABELS\u0003";
  const emptySlot = "\u0004";
  const stages: string[] = [];
  const { file } = template.dockerfile;
  const refuse = (what: string, fix: string, where: Place = { file }) => {
    throw new FactoryError("TEMPLATE_INSTRUCTION", what, { where, fix });
  };

  const rendered = templateRender(template)(
    {
      base,
      template: { id: template.document.template_id, version: template.document.version },
      get last() {
        return last;
      },
    },
    {
      slot: ([name = ""], where) => {
        if (!template.document.slots.some((slot) => slot.name === name)) {
          throw new FactoryError("SLOT_UNKNOWN", `there is no slot named \`${name}\` in ${template.file}`, {
            where,
            fix: `its slots are: ${template.document.slots.map((slot) => slot.name).join(", ")}`,
          });
        }
        if (placed.includes(name))
          refuse(`the slot \`${name}\` stands twice in the template`, "remove one of the two", where);
        placed.push(name);
        const entry = slots.get(name);
        if (!entry) return emptySlot;
        const stage = entry.document.name;
        const body = fragmentBody(resolved, entry, root, files, allowed);
        stages.push(`${last} AS ${stage}`);
        const lines = `FROM ${last} AS ${stage}${body === "" ? "" : `\n${body}`}`;
        last = stage;
        return lines;
      },
      labels: () => {
        labelled += 1;
        return mark;
      },
    },
  );

  // An optional slot that nothing fills leaves no blank lines behind.
  const text = rendered.replace(/(\n*\u0004)+\n*/g, "\n\n").trim();
  const declared = template.document.slots.map((slot) => slot.name);
  const missing = declared.find((name) => !placed.includes(name));
  if (missing)
    refuse(
      `the slot \`${missing}\` is declared, but Dockerfile.hbs does not place it`,
      `add {{slot "${missing}"}}`,
    );
  if (placed.join() !== declared.join()) {
    refuse(
      "Dockerfile.hbs places the slots in another order than template.yaml declares",
      `order of template.yaml: ${declared.join(", ")}`,
    );
  }
  if (labelled !== 1)
    refuse(`{{labels}} stands ${labelled} times in the template`, "put {{labels}} once, into the last stage");
  if (/^\s*(#.*\n\s*)*#\s*escape\s*=/i.test(text))
    refuse("the template changes the escape character", "remove the line `# escape=…`");
  const instructions = parseDockerfile(text);
  refuseInstructions(file, instructions);
  const froms = instructions.filter(({ keyword }) => keyword === "FROM");
  const first = instructions.find(({ keyword }) => keyword !== "ARG");
  if (
    first?.keyword !== "FROM" ||
    !new RegExp(`\\sAS\\s+${BASE_STAGE}\\s*$`, "i").test(first.rest) ||
    !holdsValue(first.rest)
  ) {
    refuse(
      "the template does not start with its base stage",
      `start it with: FROM {{base}} AS ${BASE_STAGE}`,
    );
  }
  const stageOfLabels = parseDockerfile(text.slice(0, text.indexOf(mark))).filter(
    ({ keyword }) => keyword === "FROM",
  ).length;
  if (stageOfLabels !== froms.length)
    refuse("{{labels}} does not stand in the last stage", "move it behind the last FROM");

  if (!instructions.some(({ keyword }) => keyword === mark))
    refuse("{{labels}} does not stand on a line of its own", "put {{labels}} alone on a line");
  const hidden = stages.find((stage) => !froms.some(({ rest }) => withoutMarks(rest) === stage));
  if (hidden)
    refuse(
      `the slot behind \`FROM ${hidden}\` does not stand on a line of its own`,
      "put each {{slot …}} alone on a line, not into a comment or behind a `\\`",
    );

  const body = withoutMarks(text);
  files.sort((a, b) => compareText(a.path, b.path));
  const kept = keepsFileModes(instructions) ? files : files.map((one) => ({ ...one, mode: null }));
  return {
    dockerfile: (key) => {
      const all = key === null ? labels : { ...labels, [BUILD_KEY_LABEL]: key };
      return `${body.replace(mark, () => labelInstruction(all))}\n`;
    },
    files: kept.filter((one, at) => one.path !== kept[at - 1]?.path),
    allowed: [...allowed].sort(compareText),
  };
}
