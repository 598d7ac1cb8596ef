import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openStore } from "../../src/pipeline/open-store.ts";
import { settled } from "./records-scan.ts";
import { repository, temporaryFolder } from "./workspace.ts";

/** How many each of the eight writes; `RECORDS_EACH=500` takes minutes. */
const EACH = Number(process.env.RECORDS_EACH ?? 40);

const writer = fileURLToPath(new URL("./records-writer.ts", import.meta.url));

/** Starts a writer, and kills it after so many records, somewhere in the next one. @returns the ids that it said */
async function write(root: string, seed: number, { count, killAfter }: { count: number; killAfter: number }) {
  const child = spawn(process.execPath, ["--import", "tsx", writer, root, String(seed), String(count)], {
    cwd: repository,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const said: string[] = [];
  for await (const id of createInterface(child.stdout)) {
    said.push(id);
    if (said.length === killAfter) child.kill("SIGKILL");
  }
  await ended;
  return { said, signal: child.signalCode };
}

describe("a process that is killed while it writes records", () => {
  it("leaves whole records alone, 20 times over", async () => {
    const root = temporaryFolder();
    const store = openStore(root);
    let total = 0;
    for (let round = 0; round < 20; round += 1) {
      const { signal } = await write(root, round, {
        count: Infinity,
        killAfter: Math.ceil(Math.random() * 20),
      });
      expect(signal).toBe("SIGKILL");
      const { checked, problems } = await store.verify();
      expect(problems).toEqual([]);
      expect(checked).toBeGreaterThan(total);
      total = checked;
    }
    const { unreadable, records } = await store.list({});
    expect([unreadable, records.length]).toEqual([[], total]);
  });

  it(
    "is one of eight that write at once: all that was said is there, and valid",
    { timeout: 600_000 },
    async () => {
      const root = temporaryFolder();
      const store = openStore(root);
      const said = new Set<string>();
      let killed = 0;
      let running = 8;
      /** Writes its records, by as many processes as that takes. */
      const writeAll = async (number: number) => {
        for (let left = EACH, life = 0; left > 0; life += 1) {
          const killAfter = Math.ceil(Math.random() * EACH * 0.8);
          const one = await write(root, number * 1000 + life, { count: left, killAfter });
          for (const id of one.said) said.add(id);
          left -= one.said.length;
          if (one.signal !== null) killed += 1;
        }
        running -= 1;
      };
      const writers = Array.from({ length: 8 }, (_, number) => writeAll(number));
      // Meanwhile others read, and write the index.
      const read = async () => {
        while (running > 0) {
          const { unreadable } = await store.list({}, settled);
          expect(unreadable).toEqual([]);
          await new Promise((done) => setImmediate(done));
        }
      };
      await Promise.all([...writers, read()]);
      expect(said.size).toBe(8 * EACH);
      expect(killed).toBeGreaterThan(0);
      const { records, unreadable } = await store.list({});
      expect(unreadable).toEqual([]);
      const there = new Set(records.map(({ record_id }) => record_id));
      expect([...said].filter((id) => !there.has(id))).toEqual([]);
      const { checked, verified, problems } = await store.verify();
      expect(problems).toEqual([]);
      expect([checked, verified]).toEqual([there.size, there.size]);
    },
  );
});
