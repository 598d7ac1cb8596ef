import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalLine, signatureOf } from "../../src/causes/log-signature.ts";

const lines = (...all: string[]) =>
  signatureOf({ stage: "build", class: "step", tests: [], lines: all, own: ["0.3.0", "linux/arm64"] });

const digits = fc.integer({ min: 0, max: 999_999_999 });
const hex = fc
  .array(fc.constantFrom(..."0123456789abcdef"), { minLength: 14, maxLength: 64 })
  .map((all) => `4${all.join("")}`);
const moment = fc
  .date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true })
  .map((date) => date.toISOString());

describe("the signature of a failure", () => {
  it("is the same for what differs from attempt to attempt", () => {
    const varied = fc.record({
      step: fc.nat(99),
      at: digits,
      time: moment,
      id: hex,
      port: fc.nat(65_535),
      uuid: fc.uuid(),
    });
    const made = ({
      step,
      at,
      time,
      id,
      port,
      uuid,
    }: typeof varied extends fc.Arbitrary<infer T> ? T : never) => [
      `#${step} [image 3/4] RUN install`,
      `#${step} ${at % 1000}.${at % 100} ${time} ERROR at 0x${id.slice(0, 8)}: cannot load /tmp/${id}/x from 10.0.0.${at % 256}:${port}`,
      `#${step} ${at % 1000}.5 job ${uuid} took ${at} ms, sha256:${id}`,
    ];
    fc.assert(
      fc.property(varied, varied, (a, b) => {
        expect(lines(...made(a))).toBe(lines(...made(b)));
      }),
    );
    expect(
      lines(
        ...made({
          step: 7,
          at: 12,
          time: "2026-01-01T00:00:00.000Z",
          id: "4abcdef012345678",
          port: 80,
          uuid: "",
        }),
      ),
    ).toBe("build step: <time> ERROR at <address>: cannot load <path> from <address>");
  });

  it.each([
    ["another error", ["Error: no module light"], ["Error: no module core"]],
    ["another word in it", ["fatal: cannot open a.so"], ["fatal: cannot open b.so"]],
  ])("differs for %s", (_, a, b) => {
    expect(lines(...a)).not.toBe(lines(...b));
  });

  it("differs by stage, class and tests", () => {
    const of = (stage: string, cause: string | null, tests: string[]) =>
      signatureOf({ stage, class: cause, tests, lines: ["Error: x"], own: [] });
    const all = [
      of("build", "step", []),
      of("build", "copy", []),
      of("smoke", "smoke-test", ["a"]),
      of("smoke", "smoke-test", ["a", "b"]),
    ];
    expect(new Set(all).size).toBe(4);
    expect(of("smoke", "smoke-test", ["b", "a"])).toBe(all[3]);
  });

  it.each([
    [
      [
        "Traceback (most recent call last):",
        '  File "x.py", line 3, in main',
        "ModuleNotFoundError: No module named 'light'",
        "",
      ],
      "ModuleNotFoundError: No module named 'light'",
    ],
    [
      [
        "E: Unable to locate package libfoo",
        'process "/bin/sh -c x" did not complete successfully: exit code: 100',
      ],
      "E: Unable to locate package libfoo",
    ],
    [
      [
        "npm ERR! code ENOENT",
        "npm ERR! missing script: start",
        "npm ERR! A complete log of this run can be found in:",
      ],
      "npm ERR! missing script: start",
    ],
    [["works", "still works"], "still works"],
    [["pip cannot find light==0.3.0 for linux/arm64"], "pip cannot find light==<cell> for <cell>"],
    [["light 10.3.0.1 is missing"], "light <address> is missing"],
  ])("is the line that tells most: %j", (log, wanted) => {
    expect(lines(...log)).toBe(`build step: ${wanted}`);
  });

  it("leaves the id of a test to the list of tests", () => {
    expect(
      signatureOf({
        stage: "smoke",
        class: "smoke-test",
        tests: ["core/runs"],
        lines: ["core/runs: expected exits with 0", "core/runs: got Error: no module 'x'"],
        own: [],
      }),
    ).toBe("smoke smoke-test core/runs: Error: no module 'x'");
    expect(lines()).toBe("build step");
    expect(lines("", "----", "...")).toBe("build step");
  });

  it("acts on no terminal and is short, whatever the log says", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 300 }),
      fc.constantFrom(
        "\u001b]0;t\u0007Error",
        "\u001b[31mError\u001b[0m",
        "Error \u202e\u2066x",
        "x".repeat(10_000),
        "#1 ".repeat(9999),
      ),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), fc.array(text, { maxLength: 3 }), (log, own) => {
        const signature = signatureOf({ stage: "build", class: null, tests: own, lines: log, own });
        expect(signature).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
        for (const line of log) expect(normalLine(line, own).length).toBeLessThanOrEqual(200 * 12);
      }),
    );
  });

  it("reads no more than the beginning of a line of 10 MB", () => {
    for (const piece of ["0", "a", "1.", "0f", "/tmp/", "12:34:56.", " ", "\u001b["]) {
      const long = piece.repeat(10_000_000 / piece.length);
      expect(lines(long)).toBe(lines(long.slice(0, 2000)));
    }
  });
});
