import { describe, expect, it } from "vitest";
import { listingLine } from "../../src/files/listing.ts";
import type { Inputs } from "../../src/model/inputs.ts";
import { sourceFiles } from "../../src/model/source-files.ts";
import { sourceProblems } from "../../src/records/proof/prove-sources.ts";
import { sha256 } from "./workspace.ts";

const HASH = sha256("x");

function source(path: string, names: readonly string[]) {
  const listing = names.map((name) => listingLine("0644", HASH, name)).join("");
  const pieces = [Buffer.from(listing)];
  return { path, entries: names.length, bytes: 1, sha256: `sha256:${sha256(listing)}`, pieces };
}

describe("what the evidence of sources proves", () => {
  const both = [source("a", ["x", "new\nline"]), source("b", ["y"])];
  const inputs = { sources: both } as unknown as Inputs;
  const text = Buffer.from(sourceFiles(both)).toString();
  const problems = (evidence: string | undefined, of: Inputs = inputs) =>
    sourceProblems(of, evidence === undefined ? undefined : Buffer.from(evidence)).map(({ code }) => code);

  it("is that each listing is the one of the inputs", () => {
    expect(problems(text)).toEqual([]);
    expect(problems(text.replace("x", "z"))).toEqual(["INPUT_MISMATCH"]);
    expect(problems(text.replace('"b"', '"c"'))).toEqual(["INPUT_MISMATCH"]);
    expect(problems(`${text}more\n`)).toEqual(["INPUT_MISMATCH"]);
    expect(problems("")).toEqual(["INPUT_MISMATCH", "INPUT_MISMATCH"]);
  });

  it("has to be there, unless there are no sources, or very many files", () => {
    expect(problems(undefined)).toEqual(["EVIDENCE_REQUIRED"]);
    expect(problems(undefined, {} as Inputs)).toEqual([]);
    const many = both.map((one) => ({ ...one, entries: 10_000 }));
    expect(problems(undefined, { sources: many } as unknown as Inputs)).toEqual([]);
  });
});
