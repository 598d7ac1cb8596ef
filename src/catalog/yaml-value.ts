import { isAlias, isMap, isScalar, isSeq } from "yaml";
import type { Pair, YAMLMap } from "yaml";
import type { ErrorCode } from "../errors.ts";
import { quoted } from "../model/visible.ts";

/** Keys and indexes that lead from the root of a document to a value. */
export type Path = readonly (string | number)[];

/** Something that YAML allows but documents do not, with its offset in the text. */
export interface Refusal {
  code: ErrorCode;
  what: string;
  offset: number;
  fix: string;
}

/** The pairs of each map by key: the first one if a key occurs twice. */
export type PairIndex = Map<YAMLMap, Map<string, Pair>>;

export interface PlainValue {
  value: unknown;
  refusals: Refusal[];
  /** Paths of what was refused: the value has `null` there. */
  holes: Path[];
  pairs: PairIndex;
}

/** Keys through which JavaScript reaches an object's prototype. */
const PROTOTYPE_KEYS = new Set(["__proto__", "constructor", "prototype"]);

interface Walk extends PlainValue {
  sawReference: boolean;
}

/** Where a node starts. */
export function offsetOf(node: unknown): number {
  const { range } = (node ?? {}) as { range?: [number, number, number] | null };
  return range?.[0] ?? 0;
}

function refuse(walk: Walk, path: Path, refusal: Refusal): null {
  walk.refusals.push(refusal);
  walk.holes.push(path);
  return null;
}

/** Anchors and aliases are refused altogether, so there is one finding for all of them. */
function refuseReference(walk: Walk, node: unknown, path: Path): null {
  walk.holes.push(path);
  if (walk.sawReference) return null;
  walk.sawReference = true;
  walk.refusals.push({
    code: "YAML_ALIAS",
    what: "anchors (`&name`) and aliases (`*name`) are not used in documents",
    offset: offsetOf(node),
    fix: 'write the value out; text that starts with `&` or `*` has to be quoted, as in "*"',
  });
  return null;
}

function refuseTag(walk: Walk, node: unknown, path: Path): null {
  return refuse(walk, path, {
    code: "YAML_UNSUPPORTED",
    what: "YAML tags (`!name`) are not used in documents",
    offset: offsetOf(node),
    fix: 'remove the tag; text that starts with `!` has to be quoted, as in "!name"',
  });
}

function scalarValue(walk: Walk, node: { value: unknown; source?: string }, path: Path): unknown {
  const { value, source = "" } = node;
  if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    return refuse(walk, path, {
      code: "SCHEMA",
      what: `the number ${quoted(source)} is too large to be kept exactly`,
      offset: offsetOf(node),
      fix: `quote it if it is meant as text: "${source}"`,
    });
  }
  if (typeof value === "string" && /\p{Surrogate}/u.test(value)) {
    return refuse(walk, path, {
      code: "SCHEMA",
      what: "the text has half of a surrogate pair, which is not a character",
      offset: offsetOf(node),
      fix: "write the whole character",
    });
  }
  return value;
}

/** The text of a key, or undefined if it is not allowed as one. */
function keyOf(walk: Walk, pair: Pair, seen: ReadonlyMap<string, Pair>, path: Path): string | undefined {
  const { key } = pair;
  const refusal = (code: ErrorCode, what: string, fix: string) => {
    walk.refusals.push({ code, what, offset: offsetOf(key), fix });
    return undefined;
  };
  if (isAlias(key) || (isScalar(key) && key.anchor !== undefined)) {
    refuseReference(walk, key, path);
    return undefined;
  }
  if (!isScalar(key) || typeof key.value !== "string") {
    const source = isScalar(key) ? (key.source ?? "") : "";
    const shown = source === "" ? "a key" : `the key ${quoted(source)}`;
    return refusal(
      "YAML_KEY",
      `${shown} is not text`,
      source === "" ? "write a name" : `quote it: "${source}"`,
    );
  }
  if (key.tag !== undefined) {
    refuseTag(walk, key, path);
    return undefined;
  }
  if (PROTOTYPE_KEYS.has(key.value)) {
    return refusal("YAML_KEY", `the key ${quoted(key.value)} is not allowed`, "choose another name");
  }
  if (/\p{Surrogate}/u.test(key.value))
    return refusal("YAML_KEY", "a key has half of a surrogate pair", "choose another name");
  if (seen.has(key.value)) {
    return refusal("YAML_DUPLICATE_KEY", `the key ${quoted(key.value)} is here twice`, "keep one of the two");
  }
  return key.value;
}

function mapValue(walk: Walk, map: YAMLMap, path: Path): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  const seen = new Map<string, Pair>();
  walk.pairs.set(map, seen);
  for (const pair of map.items) {
    const key = keyOf(walk, pair, seen, path);
    if (key === undefined) continue;
    seen.set(key, pair);
    value[key] = nodeValue(walk, pair.value, [...path, key]);
  }
  return value;
}

function nodeValue(walk: Walk, node: unknown, path: Path): unknown {
  if (node === null || node === undefined) return null;
  const { anchor, tag } = node as { anchor?: string; tag?: string };
  if (isAlias(node) || anchor !== undefined) return refuseReference(walk, node, path);
  if (tag !== undefined) return refuseTag(walk, node, path);
  if (isScalar(node)) return scalarValue(walk, node, path);
  if (isMap(node)) return mapValue(walk, node, path);
  if (isSeq(node)) return node.items.map((item, index) => nodeValue(walk, item, [...path, index]));
  return null;
}

/**
 * A YAML node as plain JSON values. What documents may not contain is left out and listed: aliases, tags, duplicate
 * keys, keys that are not text or would reach a prototype, numbers and characters that cannot be kept exactly.
 * The node must not be nested deeper than the stack allows.
 */
export function plainValue(contents: unknown): PlainValue {
  const walk: Walk = { value: null, refusals: [], holes: [], pairs: new Map(), sawReference: false };
  const value = nodeValue(walk, contents, []);
  return { value, refusals: walk.refusals, holes: walk.holes, pairs: walk.pairs };
}
