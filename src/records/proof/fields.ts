import type { Problem, ProblemCode } from "../problem.ts";

/** The fields of a JSON object; none for anything else. */
export type Fields = Record<string, unknown>;

export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

const SHOWN = 80;

function shown(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}…`;
}

/** A problem: the record and its evidence say different things. */
export function differs(code: ProblemCode, what: string, record: unknown, evidence: unknown): Problem {
  return { code, what: `${what}: the record has ${shown(record)}, its evidence has ${shown(evidence)}` };
}
