import type { Catalog, FolderEntry } from "../catalog/catalog.ts";
import { namedBy } from "../catalog/library-documents.ts";
import { FactoryError } from "../errors.ts";
import type { Template } from "../schemas/types.ts";
import { withoutMarks } from "./dockerfile.ts";
import type { Body } from "./fragment-body.ts";
import { type ImagesRead, imagesRead, type Reference, referencesOf } from "./images.ts";
import { keep, ofCatalog } from "./memo.ts";
import type { Piece } from "./piece.ts";
import { refuseParents, refuseSources } from "./refuse.ts";
import { refuseTemplateCopies } from "./refuse-copies.ts";
import { secretsOf } from "./refuse-secrets.ts";
import { fillTemplate, LABELS_MARK } from "./render.ts";
import type { SecretUse } from "./secret-uses.ts";

/** The place of the labels among the parts of a Dockerfile. */
const LABELS = -1;

/** A stage that fills a slot. */
interface Standing {
  name: string;
  slot: string;
  /** The image that a builder starts from; undefined for the base. */
  from?: string;
  /** How many lines its body has; 0 if it is empty. */
  lines: number;
}

/** A template with its slots filled, and a gap for each fragment's body. */
interface Frame {
  /** Texts; a number means the body at that position, or the labels. */
  parts: readonly (string | number)[];
  references: readonly Reference[];
  /** The images if no body names any. */
  images: ImagesRead;
  /** The secrets that the template itself uses. */
  secrets: readonly SecretUse[];
}

/** A checked Dockerfile without its labels. */
export interface Composed {
  parts: readonly (string | number)[];
  bodies: readonly Body[];
  images: ImagesRead;
  /** The secrets that the template itself uses. */
  secrets: readonly SecretUse[];
}

/** The Dockerfile's text. */
export function writeDockerfile({ parts, bodies }: Composed, labels: string): string {
  let text = "";
  for (const part of parts) {
    text += typeof part === "string" ? part : part === LABELS ? labels : (bodies[part]?.text ?? "");
  }
  return text;
}

const markOf = (at: number): string => `\u0005${at}\u0005`;

/** Put before a mark once for each further line of the body, so that an error names the line of the whole Dockerfile. */
const FURTHER_LINE = "#\u0006\n";

/**
 * A template with a mark in place of each body: it is the same for all bodies, so it is made once. Checking it and each
 * body by itself is as good as checking the whole, because:
 *
 * - A body consists of whole instructions (see fragmentBody), and each mark is a line of its own, at which the parser
 *   starts another instruction. The parser carries nothing over from one instruction to the next, so the instructions of
 *   the whole are those of the frame, with those of a body in place of its mark.
 * - Each check of the whole is then a check of the parts: single instructions were checked in the frame and in each body;
 *   bodies have no FROM, so all stages, including that of the labels, are in the frame; the first instruction is in the
 *   frame, since a mark in its place is refused.
 * - A body neither starts nor ends with a space, so trimming the whole gives the same.
 *
 * @throws FactoryError as fillTemplate does, TEMPLATE_INSTRUCTION, IMAGE_UNCLEAR, SOURCE_UNPINNED, SECRET_*, COPY_UNDECLARED
 */
export function frameOf(template: FolderEntry<Template>, standing: readonly Standing[], base: string): Frame {
  const { file } = template.dockerfile;
  const stages = standing.map(({ name, slot, from, lines }, at) => {
    return { name, slot, from, body: () => (lines === 0 ? "" : FURTHER_LINE.repeat(lines - 1) + markOf(at)) };
  });
  const { text: marked, instructions } = fillTemplate(template, stages, base);
  const text = withoutMarks(marked);
  const lines = text.split("\n").map((line) => line.replace(/\r+$/, ""));
  for (const [at, { name, lines: own }] of standing.entries()) {
    const mark = markOf(at);
    const found = instructions.filter(({ keyword }) => keyword === mark);
    if (own === 0 || (found.length === 1 && found.every(({ line }) => lines[line - 1] === mark))) continue;
    throw new FactoryError("TEMPLATE_INSTRUCTION", `there is text after the slot of ${name}`, {
      where: { file },
      fix: "put each {{slot …}} alone on a line, with no space or word after it",
    });
  }
  refuseSources(file, text, instructions, template.document.reuse);
  const secrets = secretsOf(template, instructions);
  refuseTemplateCopies(template, instructions);
  const references = referencesOf(text, instructions);
  refuseParents(file, references, base);
  const parts = `${text.replaceAll(FURTHER_LINE, "")}\n`
    .split(/(\u0003LABELS\u0003|\u0005\d+\u0005)/)
    .map((part) =>
      part === LABELS_MARK ? LABELS : part.startsWith("\u0005") ? Number(part.slice(1, -1)) : part,
    );
  return { parts, references, images: imagesRead(references), secrets };
}

/** The stages of a Dockerfile, in order: the names after AS, in lower case. */
function stagesOf(references: readonly Reference[]): string[] {
  return references.flatMap(({ kind, stage }) => (kind === "from" ? (stage ?? "") : []));
}

/**
 * Refuses what copies from a stage that is not there, or comes later: BuildKit would take its name for that of an image.
 * @param frame the references of the template, with all stages
 * @throws FactoryError STAGE_UNKNOWN
 */
function checkStages(frame: readonly Reference[], pieces: readonly Piece[], bodies: readonly Body[]): void {
  const order = stagesOf(frame);
  for (const [at, { entry, label }] of pieces.entries()) {
    const { stages, references } = bodies[at] ?? { stages: [], references: [] };
    const own = order.indexOf(entry.document.name);
    const isEarlier = (name: string) => order.indexOf(name) >= 0 && order.indexOf(name) < own;
    for (const { name, where } of stages) {
      if (isEarlier(name)) continue;
      const there = order.includes(name);
      throw new FactoryError(
        "STAGE_UNKNOWN",
        `${label} uses the stage of ${name}, which ${there ? "does not come before it" : "is not among the fragments"}`,
        {
          where,
          fix: there
            ? "let it fill a slot further down, or correct the name"
            : `add ${name} to the manifest's fragments, or correct the name`,
        },
      );
    }
    const bare = references.find(
      ({ kind, name }) => kind !== "from" && !order.includes(name) && order.includes(namedBy(entry, name)),
    );
    if (bare) {
      throw new FactoryError(
        "STAGE_UNKNOWN",
        `${label} copies from ${bare.name}, which is called ${namedBy(entry, bare.name)} here`,
        {
          where: { file: entry.dockerfile.file },
          fix: `write {{stage "${bare.name}"}} (line ${bare.line} of the rendered text): a library does not know its own name`,
        },
      );
    }
    const late = references.find(({ kind, name }) => {
      const stage = name.toLowerCase();
      return kind !== "from" && order.includes(stage) && !isEarlier(stage);
    });
    if (!late) continue;
    throw new FactoryError(
      "STAGE_UNKNOWN",
      `${label} copies from ${late.name}, a stage that does not come before it`,
      {
        where: { file: entry.dockerfile.file },
        fix: `let it fill a slot further down (line ${late.line} of the rendered text)`,
      },
    );
  }
}

const framesOf = ofCatalog(() => new Map<FolderEntry<Template>, Map<string, Frame>>());

/**
 * The Dockerfile of these pieces.
 * @param base what `{{base}}` means
 * @throws FactoryError TEMPLATE_*, ARG_UNDECLARED, ARG_UNSAFE, FILE_*, SLOT_UNKNOWN, IMAGE_UNCLEAR, SOURCE_*, SECRET_*,
 * COPY_UNDECLARED: the first one found
 */
export function compose(
  catalog: Catalog,
  template: FolderEntry<Template>,
  pieces: readonly Piece[],
  base: string,
): Composed {
  const bodies = pieces.map((piece) => piece.body());
  const frames = keep(framesOf(catalog), template, () => new Map<string, Frame>());
  // Which piece fills which slot, and whether its body is empty.
  let key = base;
  for (const [at, { stage }] of pieces.entries()) key += `\n${bodies[at]?.text === "" ? "-" : ""}${stage}`;
  const { parts, references, images, secrets } = keep(frames, key, () => {
    const standing = pieces.map(({ entry: { document } }, at) => {
      const { name, slot = name, from } = document;
      const text = bodies[at]?.text ?? "";
      return { name, slot, from, lines: text === "" ? 0 : text.split("\n").length };
    });
    return frameOf(template, standing, base);
  });
  if (bodies.some(({ references: own, stages }) => own.length + stages.length > 0))
    checkStages(references, pieces, bodies);
  const more = bodies.flatMap((body) => body.references);
  const all = more.length === 0 ? images : imagesRead([...references, ...more]);
  return { parts, bodies, images: all, secrets };
}
