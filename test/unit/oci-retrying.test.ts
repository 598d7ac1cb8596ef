import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Again, RETRIES, startRetries } from "../../src/model/retries.ts";
import { FactoryError } from "../../src/errors.ts";
import { RegistryError } from "../../src/tools/oci/registry-error.ts";
import { type Retrying, retrying } from "../../src/tools/oci/retrying.ts";

const failing = (again: Again, retryAfterMs?: number) =>
  new RegistryError("REGISTRY_REFUSED", "503", { fix: "wait", again, retryAfterMs });

/** Tries what fails that often; gives how often it was tried, what was waited, and how it ended. */
async function tried(errors: Error[], options: Partial<Retrying> = {}) {
  const waits: number[] = [];
  const told: string[] = [];
  let tries = 0;
  const ended = await retrying(
    (attempt) => {
      expect(attempt).toBe((tries += 1));
      const error = errors[tries - 1];
      return error ? Promise.reject(error) : Promise.resolve("done");
    },
    {
      sleep: (ms) => Promise.resolve(void waits.push(ms)),
      random: () => 0.5,
      policy: RETRIES,
      onRetry: (error, ms) => told.push(`${error.message} ${ms}`),
      ...options,
    },
  ).catch((error: Error) => error);
  return { tries, waits, told, ended };
}

describe("retrying", () => {
  const [a, b, c] = [failing("yes"), failing("yes"), failing("yes")];

  it("tries three times, ten seconds apart, and says so each time", async () => {
    expect(await tried([a, b])).toEqual({
      tries: 3,
      waits: [10_000, 10_000],
      told: ["503 10000", "503 10000"],
      ended: "done",
    });
    const { tries, waits, ended } = await tried([a, b, c]);
    expect([tries, waits.length, ended]).toEqual([3, 2, c]);
  });

  it("gives or takes a quarter of the time", async () => {
    expect((await tried([a], { random: () => 0 })).waits).toEqual([7500]);
    expect((await tried([a], { random: () => 0.999_999 })).waits[0]).toBeCloseTo(12_500, 0);
  });

  it("does not try again what stays as it is, and what is no registry's error", async () => {
    const errors = [failing("no"), new FactoryError("INTERRUPTED", "stopped"), new TypeError("a bug")];
    for (const error of errors) expect(await tried([error])).toMatchObject({ tries: 1, ended: error });
  });

  it("tries an unknown host once more", async () => {
    const errors = [failing("once"), failing("once"), failing("once")];
    expect(await tried(errors)).toMatchObject({ tries: 2, ended: errors[1] });
    expect(await tried(errors, { policy: { ...RETRIES, tries: 1 } })).toMatchObject({ tries: 1 });
  });

  it("waits as long as it is asked to, up to a limit in all", async () => {
    expect((await tried([failing("yes", 60_000)])).waits).toEqual([60_000]);
    expect((await tried([failing("yes", 1000)])).waits).toEqual([10_000]);
    const long = failing("yes", 300_001);
    expect(await tried([long])).toMatchObject({ tries: 1, waits: [], told: [], ended: long });
    expect(await tried([failing("yes", 300_000), failing("yes", 1)])).toMatchObject({
      tries: 2,
      waits: [300_000],
    });
    const never = failing("yes", Number("9".repeat(400)));
    expect(await tried([never])).toMatchObject({ tries: 1, ended: never });
  });

  it("waits longer at a rate limit, unless the registry says how long", async () => {
    expect((await tried([failing("long"), failing("long")])).waits).toEqual([30_000, 60_000]);
    expect((await tried([failing("long", 1000), failing("long")])).waits).toEqual([10_000, 60_000]);
  });

  it("does as factory.yaml says", async () => {
    const policy = { tries: 5, wait_s: 1, most_s: 3 };
    const errors = Array.from({ length: 5 }, () => failing("yes"));
    expect(await tried(errors, { policy })).toMatchObject({ tries: 4, waits: [1000, 1000, 1000] });
    expect(await tried(errors, { policy: { ...policy, wait_s: 0 } })).toMatchObject({
      tries: 5,
      waits: [0, 0, 0, 0],
    });
  });

  it("ends with the last error when a signal fires, before and during a wait", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const sleep = () => Promise.resolve(controller.abort());
    expect(await tried([a, b], { signal, sleep })).toMatchObject({ tries: 1, ended: a });
    expect(await tried([a, b], { signal })).toMatchObject({ tries: 1, waits: [], ended: a });
  });
});

describe("startRetries", () => {
  const again = fc.constantFrom<Again>("no", "once", "yes", "long");
  const policies = fc.record({
    tries: fc.integer({ min: 1, max: 20 }),
    wait_s: fc.integer({ min: 0, max: 600 }),
    most_s: fc.integer({ min: 0, max: 7200 }),
  });
  const failures = fc.array(
    fc.tuple(
      again,
      fc.option(fc.integer({ min: 0, max: 9e6 }), { nil: undefined }),
      fc.float({ min: 0, max: Math.fround(0.999), noNaN: true }),
    ),
    { maxLength: 30 },
  );

  it("never tries more often or waits longer than is said, and never less than the other side asks", () => {
    fc.assert(
      fc.property(policies, failures, (policy, all) => {
        let at = 0;
        const retries = startRetries(policy, () => all[at]?.[2] ?? 0);
        let waited = 0;
        for (const [kind, asked] of all) {
          const wait = retries.next(kind, asked);
          at += 1;
          expect(retries.failed()).toBe(at);
          if (wait === null) break;
          expect(kind).not.toBe("no");
          expect(wait).toBeGreaterThanOrEqual(asked ?? 0);
          expect(wait).toBeGreaterThanOrEqual(policy.wait_s * 750);
          waited += wait;
        }
        expect(at).toBeLessThanOrEqual(policy.tries);
        expect(waited).toBeLessThanOrEqual(policy.most_s * 1000);
      }),
    );
  });
});
