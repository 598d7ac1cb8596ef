import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import { sha256 } from "../../src/model/digest.ts";
import { LOCK_TAG, type LockDeps, whilePublishing } from "../../src/publish/publisher-lock.ts";
import type { RepositoryClient } from "../../src/tools/oci/repository-client.ts";

/** A clock that moves on when nothing else can happen. */
function virtualTime() {
  let now = 0;
  let number = 0;
  const waiting: { at: number; number: number; wake: () => void }[] = [];
  const sleep = (ms: number) =>
    new Promise<void>((wake) => void waiting.push({ at: now + ms, number: (number += 1), wake }));
  const every = (ms: number, call: () => void) => {
    let stopped = false;
    const again = (): unknown =>
      sleep(ms).then(() => {
        if (stopped) return;
        call();
        void again();
      });
    void again();
    return () => void (stopped = true);
  };
  const until = async (done: () => boolean) => {
    for (let steps = 0; !done(); steps += 1) {
      await new Promise(setImmediate);
      waiting.sort((a, b) => a.at - b.at || a.number - b.number);
      const next = waiting.shift();
      if (!next || steps > 100_000) {
        if (done()) return;
        throw new Error("nothing more happens");
      }
      now = next.at;
      next.wake();
    }
  };
  return { sleep, every, until, clock: () => now };
}

/**
 * A repository as many machines share it: each request takes effect at one moment, some time after it was sent and before its
 * answer arrives.
 */
function sharedRepository(
  { sleep }: Pick<LockDeps, "sleep">,
  delay: () => number,
  stored = new Map<string, Buffer>(),
) {
  const asked = async <T>(effect: () => T): Promise<T> => {
    await sleep(delay());
    const result = effect();
    await sleep(delay());
    return result;
  };
  const client: Pick<RepositoryClient, "headManifest" | "manifest" | "putManifest" | "putBlob"> = {
    headManifest: (ref) =>
      asked(() => {
        const bytes = stored.get(ref);
        return bytes ? sha256(bytes) : null;
      }),
    manifest: (ref) =>
      asked(() => {
        const bytes = stored.get(ref) ?? expect.unreachable();
        return { bytes, mediaType: "", digest: sha256(bytes) };
      }),
    putManifest: (ref, bytes) =>
      asked(() => {
        stored.set(ref, Buffer.from(bytes));
        return sha256(bytes);
      }),
    putBlob: () => asked(() => true),
  };
  return { client: client as RepositoryClient, stored };
}

/** Publishers that start at some moments, and what became of them. */
async function published(
  starts: readonly number[],
  { delays, workMs = 1000, waitMs = 0 }: { delays: readonly number[]; workMs?: number; waitMs?: number },
) {
  const time = virtualTime();
  let at = 0;
  const delay = () => delays[(at += 1) % delays.length] ?? 0;
  const repository = sharedRepository(time, delay);
  const inside = new Set<number>();
  let most = 0;
  const results = starts.map(() => "");
  for (const [index, start] of starts.entries()) {
    const deps: LockDeps = {
      ...time,
      client: repository.client,
      name: "registry.example/team/app",
      again: (work) => work(),
      signal: new AbortController().signal,
      nonce: `nonce-${index}`,
      by: "",
      waitMs,
      say: () => undefined,
    };
    void time
      .sleep(start)
      .then(() =>
        whilePublishing(deps, async (signal) => {
          inside.add(index);
          most = Math.max(most, inside.size);
          signal.addEventListener("abort", () => inside.delete(index));
          await time.sleep(workMs);
          inside.delete(index);
        }),
      )
      .then(
        () => (results[index] = "done"),
        (error: unknown) => (results[index] = error instanceof FactoryError ? error.code : String(error)),
      );
  }
  await time.until(() => results.every((result) => result !== ""));
  return { most, results, stored: repository.stored };
}

const fast = fc.array(fc.integer({ min: 0, max: 160 }), { minLength: 7, maxLength: 40 });
const starts = fc.array(fc.integer({ min: 0, max: 4000 }), { minLength: 1, maxLength: 8 });

describe("whilePublishing", () => {
  it("has one publisher at a time, however requests overlap; the others say that somebody is at work", async () => {
    await fc.assert(
      fc.asyncProperty(starts, fast, async (at, delays) => {
        const { most, results } = await published(at, { delays });
        expect(most).toBe(1);
        expect(results).toContain("done");
        for (const result of results) expect(["done", "PUBLISHER_BUSY"]).toContain(result);
      }),
      { numRuns: 60 },
    );
  });

  it("lets everybody in turn who waits", async () => {
    await fc.assert(
      fc.asyncProperty(starts, fast, async (at, delays) => {
        const { most, results } = await published(at, { delays, waitMs: 600_000 });
        expect(most).toBe(1);
        expect(results.every((result) => result === "done")).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it("has one publisher at a time on a slow registry as well: nobody, or one who notices that it lost", async () => {
    const some = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 1250 }) },
    );
    const slow = fc.array(some, { minLength: 20, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(starts, slow, async (at, delays) => {
        const { most, results } = await published(at, { delays, workMs: 20_000 });
        expect(most).toBeLessThanOrEqual(1);
        for (const result of results) expect(["done", "PUBLISHER_BUSY", "PUBLISHER_SLOW"]).toContain(result);
      }),
      {
        numRuns: 60,
        // One that began anew wrote the same bytes again, and was taken for one that had ended.
        examples: [
          [
            [0, 0, 2302],
            [
              ...[
                0, 0, 0, 0, 0, 0, 0, 0, 619, 341, 23, 10, 372, 36, 27, 14, 809, 0, 1, 16, 812, 14, 37, 36,
                403,
              ],
              ...[33, 33, 1, 27, 24, 8, 13, 34, 35, 1, 35, 5, 0, 26],
            ],
          ],
        ],
      },
    );
  });

  it("ends a publisher whose tag somebody else took", async () => {
    const time = virtualTime();
    const { client, stored } = sharedRepository(time, () => 10);
    let result = "";
    let aborted = false;
    void whilePublishing(
      {
        ...time,
        client,
        name: "registry.example/team/app",
        again: (work) => work(),
        signal: new AbortController().signal,
        nonce: "one",
        by: "",
        waitMs: 0,
        say: () => undefined,
      },
      async (signal) => {
        const own = stored.get(LOCK_TAG)?.toString() ?? "";
        stored.set(LOCK_TAG, Buffer.from(own.replace('"one"', '"other"')));
        await time.sleep(12_000);
        aborted = signal.aborted;
        signal.throwIfAborted();
      },
    ).catch((error: unknown) => (result = (error as FactoryError).code));
    await time.until(() => result !== "");
    expect([aborted, result]).toEqual([true, "PUBLISHER_BUSY"]);
    // It is the other's now, and stays so.
    expect(stored.get(LOCK_TAG)?.toString()).toContain('"other"');
    expect(stored.get(LOCK_TAG)?.toString()).toContain('"held"');
  });

  it("has one publisher at a time where one writes its name late, over that of a holder", async () => {
    const time = virtualTime();
    const near = sharedRepository(time, () => 10);
    // Its first write arrives after the other one has settled.
    const delays = [10, 10, 10, 10, 2100];
    const far = sharedRepository(time, () => delays.shift() ?? 10, near.stored);
    const inside = new Set<string>();
    let most = 0;
    const results: string[] = [];
    for (const [nonce, { client }] of [
      ["near", near],
      ["far", far],
    ] as const)
      void whilePublishing(
        {
          ...time,
          client,
          name: "app",
          again: (work) => work(),
          signal: new AbortController().signal,
          nonce,
          by: "",
          waitMs: 0,
          say: () => undefined,
        },
        async (signal) => {
          inside.add(nonce);
          most = Math.max(most, inside.size);
          signal.addEventListener("abort", () => inside.delete(nonce));
          await time.sleep(12_000);
          inside.delete(nonce);
          signal.throwIfAborted();
        },
      ).then(
        () => results.push(`${nonce} done`),
        (error: unknown) => results.push(`${nonce} ${(error as FactoryError).code}`),
      );
    await time.until(() => results.length === 2);
    expect(most).toBe(1);
    expect(results).toEqual(["near PUBLISHER_BUSY", "far done"]);
  });

  it("takes over from a publisher that ended without saying so, and from none that is alive", async () => {
    const time = virtualTime();
    const { client, stored } = sharedRepository(time, () => 10);
    const deps: LockDeps = {
      ...time,
      client,
      name: "registry.example/team/app",
      again: (work) => work(),
      signal: new AbortController().signal,
      nonce: "first",
      by: "https://ci.example/jobs/17",
      waitMs: 0,
      say: () => undefined,
    };
    // It dies: nothing of it happens any more.
    let isIn = false;
    void whilePublishing({ ...deps, every: () => () => undefined }, () => {
      isIn = true;
      return new Promise<never>(() => undefined);
    });
    await time.until(() => isIn);
    const notes: string[] = [];
    let result = "";
    const began = time.clock();
    void whilePublishing({ ...deps, nonce: "second", say: (text) => notes.push(text) }, () =>
      Promise.resolve(),
    ).then(() => (result = "done"));
    await time.until(() => result !== "");
    expect(time.clock() - began).toBeGreaterThan(30_000);
    expect(notes.join("\n")).toContain("ended without saying so: `https://ci.example/jobs/17`");
    expect(stored.get(LOCK_TAG)?.toString()).toContain('"free"');
  });

  it("gives the tag free where the work fails or is interrupted, with the work's own error", async () => {
    for (const interrupted of [false, true]) {
      const time = virtualTime();
      const { client, stored } = sharedRepository(time, () => 10);
      const stop = new AbortController();
      let result = "";
      void whilePublishing(
        {
          ...time,
          client,
          name: "app",
          again: (work) => work(),
          signal: stop.signal,
          nonce: "one",
          by: "",
          waitMs: 0,
          say: () => undefined,
        },
        () => {
          if (interrupted) stop.abort();
          throw new FactoryError(interrupted ? "INTERRUPTED" : "REGISTRY_DENIED", "no");
        },
      ).catch((error: unknown) => (result = (error as FactoryError).code));
      await time.until(() => result !== "");
      expect(result).toBe(interrupted ? "INTERRUPTED" : "REGISTRY_DENIED");
      expect(stored.get(LOCK_TAG)?.toString()).toContain('"free"');
    }
  });

  it("takes a tag that holds anything else for free", async () => {
    for (const bytes of [
      "",
      "null",
      "[]",
      "{}",
      '{"annotations": 1}',
      '{"annotations": {"io.factory.publisher.nonce": 5}}',
    ]) {
      const time = virtualTime();
      const { client, stored } = sharedRepository(time, () => 10);
      stored.set(LOCK_TAG, Buffer.from(bytes));
      let result = "";
      void whilePublishing(
        {
          ...time,
          client,
          name: "app",
          again: (work) => work(),
          signal: new AbortController().signal,
          nonce: "one",
          by: "",
          waitMs: 0,
          say: () => undefined,
        },
        () => Promise.resolve(),
      ).then(
        () => (result = "done"),
        (error: unknown) => (result = String(error)),
      );
      await time.until(() => result !== "");
      expect(result, bytes).toBe("done");
    }
  });
});
