import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { PROBLEMS } from "../../src/records/problem.ts";
import { requiredEvidence, STAGES } from "../../src/pipeline/table.ts";

const text = readFileSync(new URL("../../docs/records.md", import.meta.url), "utf8");

it("docs/records.md explains every problem that records can have, and no other", () => {
  const section = text.slice(text.indexOf("## Problems"), text.indexOf("## What only"));
  const codes = [...section.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code]) => code);
  expect(codes).toEqual(Object.keys(PROBLEMS));
});

it.each([
  [
    "pass",
    "done",
    [
      "inputs",
      "dockerfile",
      "bake_file",
      "build_log",
      "buildkit_provenance",
      "provenance",
      "smoke_report",
      "sbom",
    ],
  ],
  [
    "error",
    "push",
    [
      "inputs",
      "dockerfile",
      "bake_file",
      "build_log",
      "buildkit_provenance",
      "provenance",
      "smoke_report",
      "sbom",
    ],
  ],
  [
    "error",
    "sbom",
    ["inputs", "dockerfile", "bake_file", "build_log", "buildkit_provenance", "provenance", "smoke_report"],
  ],
  [
    "fail",
    "smoke",
    ["inputs", "dockerfile", "bake_file", "build_log", "buildkit_provenance", "provenance", "smoke_report"],
  ],
  ["error", "smoke", ["inputs", "dockerfile", "bake_file", "build_log", "buildkit_provenance", "provenance"]],
  ["fail", "build", ["inputs", "dockerfile", "bake_file", "build_log"]],
  ["error", "build", ["inputs", "dockerfile", "bake_file"]],
  ["error", "stitch", ["inputs"]],
  ["error", "resolve", []],
] as const)("a record that is a %s in %s has its evidence", (status, stage, kinds) => {
  expect(requiredEvidence(STAGES, { status, stage, stages_ms: {} })).toEqual([...kinds].sort());
});
