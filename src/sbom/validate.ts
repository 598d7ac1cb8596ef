import type { Pace } from "./pace.ts";

/** What the schema says about a document; `path` is a JSON pointer to the part that it refuses. */
export interface Problem {
  path: string;
  message: string;
}

/** Checks a whole document, or a small one around a part, against the CycloneDX 1.6 JSON schema. */
export type Validate = (document: object) => Problem[];

/** Loads the library's JsonStrictValidator, compiled ahead of time. It stops at the first problem. */
export async function loadValidator(): Promise<Validate> {
  const { validate } = await import("./cyclonedx-validator.js");
  return (document) => {
    if (validate(document)) return [];
    return (validate.errors ?? []).map(({ instancePath, keyword, params, message }) => ({
      path:
        keyword === "additionalProperties"
          ? `${instancePath}/${String((params as { additionalProperty: unknown }).additionalProperty)}`
          : instancePath,
      message: message ?? "is not valid",
    }));
  };
}

/** The lists of a document that grow with the image. All other parts are small. */
const LISTS = ["components", "dependencies"] as const;
type List = (typeof LISTS)[number];

const FRAME = { bomFormat: "CycloneDX", specVersion: "1.6" };

/** A document that has one part in one of its lists. */
export function framed(list: List, part: unknown): { [list: string]: unknown } {
  return { ...FRAME, [list]: [part] };
}

/** A list in a part of a document, of which so much is checked at once: its items, too, have to differ from each other. */
const AT_ONCE = 50;

/**
 * A dependency in small documents, each with some of its `dependsOn`. It is valid where all of them are, and no two of the
 * names are equal.
 */
export function* dependencyFrames(
  part: { dependsOn?: unknown } | null,
): Generator<{ [list: string]: unknown }> {
  const dependsOn = part?.dependsOn;
  if (!Array.isArray(dependsOn) || dependsOn.length <= AT_ONCE) {
    yield framed("dependencies", part);
    return;
  }
  for (let at = 0; at < dependsOn.length; at += AT_ONCE)
    yield framed("dependencies", { ...part, dependsOn: dependsOn.slice(at, at + AT_ONCE) });
}

/** Keys in one order: equal values have equal texts. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === "object" && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

/**
 * Checks a document strictly against the CycloneDX 1.6 JSON schema. Components and dependencies are checked one by one,
 * since the schema's demand that no two are equal makes a check of the whole quadratic.
 * @param json the document's text
 * @returns what is wrong with it, one line each; empty where it is valid
 * @throws FactoryError INTERRUPTED
 */
export async function validateSbom(json: string, pace: Pace): Promise<string[]> {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch (cause) {
    if (cause instanceof SyntaxError) return [`not JSON: ${cause.message}`];
    throw cause;
  }
  const validate = await loadValidator();
  const said = (problems: Problem[], prefix = "", replaced = "") =>
    problems.map(({ path, message }) => `${path.replace(prefix, replaced) || "/"} ${message}`);
  if (typeof document !== "object" || document === null || Array.isArray(document))
    return said(validate(document as object));

  const rest: { [key: string]: unknown } = { ...document };
  const problems: string[] = [];
  for (const list of LISTS) {
    const parts = rest[list];
    if (!Array.isArray(parts)) continue;
    rest[list] = [];
    const seen = new Map<string, number>();
    const differ = (one: unknown) => {
      const names = (one as { dependsOn?: unknown } | null)?.dependsOn;
      return !Array.isArray(names) || new Set(names.map(textOf)).size === names.length;
    };
    for (const [at, part] of (parts as unknown[]).entries()) {
      const frames =
        list === "dependencies" ? dependencyFrames(part as { dependsOn?: unknown }) : [framed(list, part)];
      for (const frame of frames) {
        problems.push(...said(validate(frame), `/${list}/0`, `/${list}/${at}`));
        if (pace.due()) await pace.rest("components checked", at, parts.length);
      }
      if (list === "dependencies" && !differ(part))
        problems.push(`/${list}/${at}/dependsOn must NOT have duplicate items`);
      const text = textOf(part);
      const same = seen.get(text);
      if (same !== undefined) problems.push(`/${list} must NOT have duplicate items (${same} and ${at})`);
      seen.set(text, at);
      if (pace.due()) await pace.rest("components checked", at, parts.length);
    }
  }
  return [...said(validate(rest)), ...problems];
}
