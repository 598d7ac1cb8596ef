import { describe, expect, it } from "vitest";
import { keysOf } from "../../src/model/inputs.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { held, IMAGE, KEYS, OTHER, replace, type Row, shown } from "./records-held.ts";
import { START } from "./records-made.ts";

describe("a record and its smoke report", () => {
  const rows: Row[] = [
    ...(["digest", "manifest_digest"] as const).map((name): Row => [
      name,
      (_, { smoke_report: report }) => (report.image[name] = OTHER),
      [`IMAGE_MISMATCH ${shown(`image.${name}`, IMAGE, OTHER)}`],
    ]),
    [
      "the size",
      (_, { smoke_report: report }) => (report.image.size = 1),
      [`IMAGE_MISMATCH ${shown("image.size", "100000000", "1")}`],
    ],
    [
      "the layers",
      (_, { smoke_report: report }) => (report.image.layers = 1),
      [`IMAGE_MISMATCH ${shown("image.layers", "8", "1")}`],
    ],
    [
      "the platform",
      (_, { smoke_report: report }) => (report.platform = "linux/arm64"),
      [`INPUT_MISMATCH ${shown("platform", "linux/amd64", "linux/arm64")}`],
    ],
    [
      "the suite",
      (_, { smoke_report: report }) => (report.test_suite_hash = OTHER),
      [`TESTS_MISMATCH ${shown("test_suite_hash", KEYS.test_suite_hash, OTHER)}`],
    ],
    [
      "the verdict key",
      (_, { smoke_report: report }) => (report.verdict_key = OTHER),
      [`KEY_MISMATCH ${shown("verdict_key", KEYS.verdict_key, OTHER)}`],
    ],
    [
      "a test's time",
      (record) => Object.assign(record.tests[0] ?? {}, { duration_ms: 1 }),
      [expect.stringMatching(/^TESTS_MISMATCH tests: the record has \[\{"id":"core\/runs",/)],
    ],
    [
      "the tests that were declared",
      (record, { smoke_report: report }) => {
        report.tests.pop();
        record.tests.pop();
      },
      [
        "TESTS_MISMATCH the smoke report is about the tests core/runs; declared are core/runs, manifest/answers",
      ],
    ],
    [
      "no test",
      (record, { smoke_report: report }) => {
        report.tests = [];
        record.tests = [];
      },
      ["TESTS_MISMATCH the smoke report is about the tests (none); declared are core/runs, manifest/answers"],
    ],
    [
      "tests where none is declared",
      (record, { inputs }) => {
        inputs.tests = [];
        Object.assign(record, keysOf(inputs));
      },
      expect.arrayContaining([
        "TESTS_MISMATCH the smoke report is about the tests core/runs, manifest/answers; declared are (none)",
      ]),
    ],
    ["tests without inputs", (_, evidence) => replace(evidence, { inputs: null, dockerfile: null }), []],
    [
      "a report that says otherwise than its tests",
      (_, { smoke_report: report }) => (report.status = "fail"),
      [
        "STATUS_MISMATCH the smoke report says fail, and its tests come to pass",
        "STATUS_MISMATCH the smoke tests came to fail, and the record says that they were passed",
      ],
    ],
    [
      "no image in the record",
      (record) => (record.image = null),
      [
        ...["digest", "manifest_digest"].map(
          (name) => `IMAGE_MISMATCH ${shown(`image.${name}`, "null", IMAGE)}`,
        ),
        `IMAGE_MISMATCH ${shown("image.size", "null", "100000000")}`,
        `IMAGE_MISMATCH ${shown("image.layers", "null", "8")}`,
      ],
    ],
    [
      "no report",
      (_, evidence) => replace(evidence, { smoke_report: null }),
      ["TESTS_MISMATCH the record has tests but no smoke report"],
    ],
    [
      "no report, and no tests",
      (record, evidence) => {
        record.tests = [];
        replace(evidence, { smoke_report: null });
      },
      [],
    ],
  ];
  it.each(rows)("differ: %s", (_, change, problems) => {
    expect(held(change)).toEqual(problems);
  });

  type End = Pick<FactoryRecord["result"], "stage" | "status" | "class">;
  const ended = ({ stage, status, class: cause }: End, reported: string) =>
    held((record, { smoke_report: report }) => {
      Object.assign(record.result, { stage, status, class: cause });
      Object.assign(report, { status: reported });
      Object.assign(report.tests[0] ?? {}, { status: reported });
      Object.assign(record.tests[0] ?? {}, { status: reported });
    });

  it.each<[End, string, string[]]>([
    [{ stage: "smoke", status: "fail", class: "smoke-test" }, "fail", []],
    [{ stage: "smoke", status: "error", class: "container" }, "error", []],
    [{ stage: "build", status: "fail", class: "step" }, "fail", []],
    [{ stage: "sbom", status: "error", class: "disk" }, "pass", []],
    [
      { stage: "smoke", status: "fail", class: "smoke-test" },
      "error",
      ["STATUS_MISMATCH the smoke tests came to error, and the record says fail (smoke-test)"],
    ],
    [
      { stage: "smoke", status: "error", class: "container" },
      "fail",
      ["STATUS_MISMATCH the smoke tests came to fail, and the record says error (container)"],
    ],
    [
      { stage: "smoke", status: "fail", class: "smoke-test" },
      "pass",
      ["STATUS_MISMATCH the smoke tests came to pass, and the record says fail (smoke-test)"],
    ],
    ...["resolve", "stitch", "build"].map((stage): [End, string, string[]] => [
      { stage, status: "error", class: "disk" },
      "error",
      [],
    ]),
    ...["sbom", "done"].flatMap((stage) =>
      ["fail", "error"].map((reported): [End, string, string[]] => [
        { stage, status: "error", class: "disk" },
        reported,
        [`STATUS_MISMATCH the smoke tests came to ${reported}, and the record says that they were passed`],
      ]),
    ),
    [{ stage: "scan", status: "error", class: "x" }, "pass", ["STATUS_MISMATCH there is no stage scan"]],
  ])("hold the end of an attempt to the report: %j, %s", (end, reported, problems) => {
    expect(ended(end, reported)).toEqual(problems);
  });

  it("do not pass with lines of a failure", () => {
    const lines = (status: "pass" | "fail") =>
      held((record) => Object.assign(record.result, { status, log_excerpt: ["boom"] }));
    expect(lines("pass")).toEqual(["STATUS_MISMATCH it passed, with lines of a failure"]);
    expect(lines("fail")).toEqual([]);
  });
});

describe("the times of a record", () => {
  const MINUTE = 60_000;
  const at = (ms: number) => new Date(START.getTime() + ms).toISOString();
  const ID = "20261121t010203456z-0000000000000000";

  it("are the start that its id has, and its duration", () => {
    const wrong = held((record) => (record.result.duration_ms = 59_999));
    expect(wrong).toEqual([
      `TIME_MISMATCH tested_at is ${at(MINUTE)}, and 59999 ms after the start is another time`,
    ]);
    expect(held((record) => (record.result.tested_at = "never"))).toHaveLength(2);
  });

  it.each([
    [6 * MINUTE, 0],
    [6 * MINUTE + 1, 1],
    [-5 * MINUTE, 0],
    [-5 * MINUTE - 1, 1],
  ])("allow clocks that are five minutes apart: a report %d ms after the start", (ms, wrong) => {
    const problems = held((_, { smoke_report: report }) => (report.tested_at = at(ms)));
    expect(problems).toEqual(
      wrong === 0 ? [] : [`TIME_MISMATCH tested_at is ${at(MINUTE)}, and the smoke report is of ${at(ms)}`],
    );
  });

  it("of an image that was only tagged anew are those of the record that proves it, which is older", () => {
    const tagged = (minutes: number, seconds = 0) =>
      held((record) => {
        const began = new Date(START.getTime() - minutes * MINUTE - seconds * 1000);
        record.proven_by = ID;
        record.record_id = `${began.toISOString().replace(/[-:.]/g, "").toLowerCase()}-0`;
      });
    expect(tagged(-60)).toEqual([]);
    expect(tagged(5)).toEqual([]);
    expect(tagged(5, 1)).toEqual([`TIME_MISMATCH it is older than ${ID}, which is to prove it`]);
  });
});
