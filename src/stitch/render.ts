import type { FolderEntry } from "../catalog/catalog.ts";
import { FactoryError, type Place } from "../errors.ts";
import type { Template } from "../schemas/types.ts";
import { compileTemplate, type Render } from "./compile-template.ts";
import { holdsValue, type Instruction, parseDockerfile, withoutMarks } from "./dockerfile.ts";
import { refuseInstructions } from "./refuse.ts";

/** What fills a slot: a build stage. */
export interface Stage {
  name: string;
  slot: string;
  /** The image that a builder starts from. Default: the base. */
  from?: string;
  /** The text after its FROM; called when the template places the slot. */
  body: () => string;
}

/** A template with its slots filled and everything checked. */
export interface Filled {
  /** With `LABELS_MARK`, and with value marks. */
  text: string;
  instructions: Instruction[];
}

const BASE_STAGE = "base";
/** Labels are put in afterwards, at this mark. */
export const LABELS_MARK = "\u0003LABELS\u0003";
const EMPTY_SLOT = "\u0004";

const compiled = new WeakMap<FolderEntry<Template>, Render>();

function compile(entry: FolderEntry<Template>): Render {
  const known = compiled.get(entry);
  if (known) return known;
  const render = compileTemplate(entry.dockerfile.file, entry.dockerfile.text, {
    roots: { base: null, last: null, template: ["id", "version"] },
    helpers: { slot: 1, labels: 0 },
    kinds: new Map(),
    flags: new Set(),
  });
  compiled.set(entry, render);
  return render;
}

/**
 * Renders the template with its slots filled: one build stage per fragment, each on top of the one before. The text is
 * checked as a whole, including the bodies.
 * @param base the reference after FROM, pinned to a digest if one is known
 * @throws FactoryError TEMPLATE_*, ARG_UNSAFE, SLOT_UNKNOWN, and what the bodies throw
 */
export function fillTemplate(
  template: FolderEntry<Template>,
  stages: readonly Stage[],
  base: string,
): Filled {
  const placed: string[] = [];
  let last = BASE_STAGE;
  let labelled = 0;
  const froms: string[] = [];
  const builders = new Set<string>();
  const { file } = template.dockerfile;
  const { slots } = template.document;
  const declared = slots.map((slot) => slot.name);
  const refuse = (what: string, fix: string, where: Place = { file }) => {
    throw new FactoryError("TEMPLATE_INSTRUCTION", what, { where, fix });
  };

  const rendered = compile(template)(
    {
      base,
      template: { id: template.document.template_id, version: template.document.version },
      get last() {
        return last;
      },
    },
    {
      slot: ([param], where) => {
        const name = String(param);
        if (!declared.includes(name)) {
          throw new FactoryError("SLOT_UNKNOWN", `there is no slot named \`${name}\` in ${template.file}`, {
            where,
            fix: `its slots are: ${declared.join(", ")}`,
          });
        }
        if (placed.includes(name))
          refuse(`the slot \`${name}\` occurs twice in the template`, "remove one of the two", where);
        placed.push(name);
        const isBuilder = slots.find((slot) => slot.name === name)?.builder === true;
        const written = stages
          .filter(({ slot }) => slot === name)
          .map((stage) => {
            const body = stage.body();
            const from = `${isBuilder ? (stage.from ?? base) : last} AS ${stage.name}`;
            froms.push(from);
            if (isBuilder) builders.add(from);
            else last = stage.name;
            return `FROM ${from}${body === "" ? "" : `\n${body}`}`;
          });
        return written.length === 0 ? EMPTY_SLOT : written.join("\n\n");
      },
      labels: () => {
        labelled += 1;
        return LABELS_MARK;
      },
    },
  );

  // An empty optional slot leaves no blank lines.
  const text = rendered.replace(/(\n*\u0004)+\n*/g, "\n\n").trim();
  const missing = declared.find((name) => !placed.includes(name));
  if (missing)
    refuse(
      `the slot \`${missing}\` is declared, but Dockerfile.hbs does not use it`,
      `add {{slot "${missing}"}}`,
    );
  if (placed.join() !== declared.join()) {
    refuse(
      "Dockerfile.hbs has the slots in another order than template.yaml",
      `order of template.yaml: ${declared.join(", ")}`,
    );
  }
  if (labelled !== 1)
    refuse(`{{labels}} occurs ${labelled} times in the template`, "put {{labels}} in the last stage, once");
  if (/^\s*(#.*\n\s*)*#\s*escape\s*=/i.test(text))
    refuse("the template changes the escape character", "remove the line `# escape=…`");
  const instructions = parseDockerfile(text);
  refuseInstructions(file, instructions);
  const starts = instructions.filter(({ keyword }) => keyword === "FROM");
  const isBuilder = ({ rest }: Instruction) => builders.has(withoutMarks(rest));
  const opening = instructions.find(({ keyword }) => keyword !== "ARG");
  const first = starts.find((start) => !isBuilder(start));
  if (
    opening?.keyword !== "FROM" ||
    !first ||
    !new RegExp(`\\sAS\\s+${BASE_STAGE}\\s*$`, "i").test(first.rest) ||
    !holdsValue(first.rest)
  ) {
    refuse(
      "the template does not start with its base stage",
      `start it with: FROM {{base}} AS ${BASE_STAGE}`,
    );
  }
  if (starts.slice(builders.size).some(isBuilder))
    refuse(
      "a slot for builders is behind the base stage",
      `move it in front of FROM {{base}} AS ${BASE_STAGE}`,
    );
  const stageOfLabels = parseDockerfile(text.slice(0, text.indexOf(LABELS_MARK))).filter(
    ({ keyword }) => keyword === "FROM",
  ).length;
  if (stageOfLabels !== starts.length)
    refuse("{{labels}} is not in the last stage", "move it after the last FROM");

  if (!instructions.some(({ keyword }) => keyword === LABELS_MARK))
    refuse("{{labels}} is not on a line of its own", "put {{labels}} alone on a line");
  const hidden = froms.find((from) => !starts.some(({ rest }) => withoutMarks(rest) === from));
  if (hidden)
    refuse(
      `the slot of \`FROM ${hidden}\` is not on a line of its own`,
      "put each {{slot …}} alone on a line, not in a comment or after a `\\`",
    );
  return { text, instructions };
}
