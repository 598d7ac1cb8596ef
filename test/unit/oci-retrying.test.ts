import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import { type AskAgain, RegistryError } from "../../src/tools/oci/registry-error.ts";
import { type Retrying, retrying } from "../../src/tools/oci/retrying.ts";

const failing = (again: AskAgain, retryAfterMs?: number) =>
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
    expect(await tried(errors, { tries: 1 })).toMatchObject({ tries: 1 });
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

  it("ends with the last error when a signal fires, before and during a wait", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const sleep = () => Promise.resolve(controller.abort());
    expect(await tried([a, b], { signal, sleep })).toMatchObject({ tries: 1, ended: a });
    expect(await tried([a, b], { signal })).toMatchObject({ tries: 1, waits: [], ended: a });
  });
});
