import type { Catalog, FolderEntry } from "../catalog/catalog.ts";
import type { Template } from "../schemas/types.ts";
import { keepsFileModes, withoutMarks } from "./dockerfile.ts";
import type { Body } from "./fragment-body.ts";
import { keep, ofCatalog, unlessRefused } from "./memo.ts";
import type { Piece } from "./piece.ts";
import { fillTemplate, LABELS_MARK, type Stage } from "./render.ts";

/** Where the labels stand among the parts of a Dockerfile. */
const LABELS = -1;

/** A checked Dockerfile, before its labels are put in. */
export interface Composed {
  /** Texts; numbers stand for the body at that position, and for the labels. */
  parts: readonly (string | number)[];
  bodies: readonly Body[];
  /** Whether permission bits of files in the build context can reach the image. */
  keepsModes: boolean;
}

/** The Dockerfile's text. */
export function writeDockerfile({ parts, bodies }: Composed, labels: string): string {
  let text = "";
  for (const part of parts) {
    text += typeof part === "string" ? part : part === LABELS ? labels : (bodies[part]?.text ?? "");
  }
  return text;
}

/** What is known of a template with certain slots filled: null where bodies cannot be told from the rest. */
interface Frame {
  known: Pick<Composed, "parts" | "keepsModes"> | null;
}

/** The stages of the pieces, each with the text that `write` gives when it is asked for. */
function stagesOf(pieces: readonly Piece[], write: (piece: Piece, at: number) => string): Stage[] {
  return pieces.map((piece, at) => {
    const { name, slot = name } = piece.entry.document;
    return { name, slot, body: () => write(piece, at) };
  });
}

const markOf = (at: number): string => `\u0005${at}\u0005`;

/**
 * A template with a mark in place of each body. It stands for the whole with bodies in it where each mark is a line of
 * its own at which the parser takes up another instruction:
 *
 * - The parser carries nothing from one instruction to the next. A body that stands alone (see Body) is then read in
 *   the whole as it is read by itself, and the lines behind it as they are behind the mark. So the instructions of the
 *   whole are those of the frame, with those of a body in the place of its mark.
 * - Each check of the whole is then one of the parts: what each instruction may not hold was seen to in the frame and
 *   in each body; bodies have no FROM, so stages, and the one of the labels, are those of the frame; the first
 *   instruction is one of the frame, for a mark in its place is refused; before the first FROM there is no body, so
 *   neither is there in the comments that could change the escape character.
 * - Empty slots and spaces around the whole are cut the same: a body neither starts nor ends with a space.
 *
 * @throws FactoryError as fillTemplate does
 */
function makeFrame(
  template: FolderEntry<Template>,
  pieces: readonly Piece[],
  bodies: readonly Body[],
  base: string,
): Frame {
  const stages = stagesOf(pieces, (_, at) => (bodies[at]?.text === "" ? "" : markOf(at)));
  const { text, instructions } = fillTemplate(template, stages, base);
  const lines = text.split("\n").map((line) => line.replace(/\r+$/, ""));
  const stands = bodies.every((body, at) => {
    if (body.text === "") return true;
    const mark = markOf(at);
    const own = instructions.filter(({ keyword }) => keyword === mark);
    return own.length === 1 && own.every(({ line }) => lines[line - 1] === mark);
  });
  if (!stands) return { known: null };
  const parts = `${withoutMarks(text)}\n`
    .split(/(\u0003LABELS\u0003|\u0005\d+\u0005)/)
    .map((part) =>
      part === LABELS_MARK ? LABELS : part.startsWith("\u0005") ? Number(part.slice(1, -1)) : part,
    );
  return { known: { parts, keepsModes: keepsFileModes(instructions) } };
}

const framesOf = ofCatalog(() => new Map<FolderEntry<Template>, Map<string, Map<string, Frame>>>());

/** The frame of these pieces: known by what stands behind FROM, and by who fills which slot, with something or nothing. */
function frameOf(
  catalog: Catalog,
  template: FolderEntry<Template>,
  pieces: readonly Piece[],
  bodies: readonly Body[],
  base: string,
): Frame {
  const byBase = keep(framesOf(catalog), template, () => new Map<string, Map<string, Frame>>());
  const frames = keep(byBase, base, () => new Map<string, Frame>());
  let key = "";
  for (let at = 0; at < pieces.length; at += 1) {
    const { filledNumber, emptyNumber } = pieces[at] as Piece;
    key += `,${bodies[at]?.text === "" ? emptyNumber : filledNumber}`;
  }
  return keep(frames, key, () => makeFrame(template, pieces, bodies, base));
}

/** The Dockerfile put together from checked parts; undefined where only the whole can tell. */
function composeParts(
  catalog: Catalog,
  template: FolderEntry<Template>,
  pieces: readonly Piece[],
  base: string,
): Composed | undefined {
  const bodies: Body[] = [];
  let keepsModes = false;
  for (const piece of pieces) {
    const body = piece.body();
    if (!body.standsAlone) return undefined;
    keepsModes ||= body.keepsModes;
    bodies.push(body);
  }
  const { known } = frameOf(catalog, template, pieces, bodies, base);
  return known ? { parts: known.parts, bodies, keepsModes: keepsModes || known.keepsModes } : undefined;
}

/**
 * The Dockerfile, rendered and checked as a whole.
 * @throws FactoryError TEMPLATE_*, ARG_UNDECLARED, ARG_UNSAFE, FILE_*, SLOT_UNKNOWN: the first that is met
 */
function composeWhole(template: FolderEntry<Template>, pieces: readonly Piece[], base: string): Composed {
  const stages = stagesOf(pieces, ({ body }) => body().text);
  const { text, instructions } = fillTemplate(template, stages, base);
  const at = text.indexOf(LABELS_MARK);
  return {
    parts: [
      withoutMarks(text.slice(0, at)),
      LABELS,
      `${withoutMarks(text.slice(at + LABELS_MARK.length))}\n`,
    ],
    bodies: pieces.map(({ body }) => body()),
    keepsModes: keepsFileModes(instructions),
  };
}

/**
 * The Dockerfile of these pieces: from parts that were checked before where that is the same as checking the whole.
 * @param base the reference behind FROM, pinned to a digest where one is known
 * @throws FactoryError as composeWhole does
 */
export function compose(
  catalog: Catalog,
  template: FolderEntry<Template>,
  pieces: readonly Piece[],
  base: string,
): Composed {
  return (
    unlessRefused(() => composeParts(catalog, template, pieces, base)) ?? composeWhole(template, pieces, base)
  );
}
