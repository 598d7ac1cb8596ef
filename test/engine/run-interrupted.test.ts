import { randomInt } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeEngine, docker, uniqueName } from "./engine.ts";
import { factory, makeWorkspace } from "./run-workspace.ts";
import { tinyBase } from "./tiny-base.ts";

/** Processes on this machine whose command line holds a text. The engine's own children are on it too. */
function processesWith(text: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
    } catch {
      return false;
    }
  });
}

/** The owners of containers that belong to a process of this machine. */
function containersOf(pid: number): string {
  const format = '{{.Label "io.factory.owner"}}';
  const owners = docker(["ps", "-a", "--filter", "label=io.factory.owner", "--format", format]).split("\n");
  return owners.filter((owner) => owner.split(".")[1] === String(pid)).join(" ");
}

describeEngine("an interrupted run", () => {
  test(
    "at SIGINT in a build: nothing is left running, finished cells keep their records, exit 130",
    { timeout: 600_000 },
    async () => {
      const marker = `600.${randomInt(2 ** 40)}`;
      const root = makeWorkspace({
        base: tinyBase(),
        fragments: { core: { "0.1.0": { body: "RUN true" }, "0.2.0": { body: `RUN sleep ${marker}` } } },
        plans: { both: "axes: {core: [0.1.0, 0.2.0]}\n" },
      });
      let sent = false;
      const run = await factory(root, ["run", "--plan", "both", "--json"], {
        onStderr: (text, pid) => {
          if (
            sent ||
            !text.includes("core-0.1.0.linux-amd64: pass") ||
            processesWith(`sleep ${marker}`).length === 0
          )
            return;
          sent = true;
          process.kill(pid, "SIGINT");
        },
      });
      expect(sent).toBe(true);
      expect(run.exitCode).toBe(130);
      await expect.poll(() => processesWith(marker), { timeout: 60_000 }).toEqual([]);
      const { results } = JSON.parse(run.stdout) as { results: { status: string; class: string | null }[] };
      expect(results.map(({ status, class: failure }) => [status, failure])).toEqual([
        ["pass", null],
        ["error", "interrupted"],
      ]);
      const listed = await factory(root, ["records", "list", "--json"]);
      expect(JSON.parse(listed.stdout)).toMatchObject({ total: 2, unreadable: [] });
    },
  );

  test("at SIGINT in a smoke test: its containers are gone", { timeout: 600_000 }, async () => {
    const root = makeWorkspace({
      base: tinyBase(),
      fragments: {
        core: {
          "0.1.0": { body: "RUN true", yaml: "smoke: [{id: slow, command: {argv: [sleep, '600']}}]\n" },
        },
      },
    });
    let pid = 0;
    let sent = false;
    const timer = setInterval(() => {
      if (sent || pid === 0 || containersOf(pid) === "") return;
      sent = true;
      process.kill(pid, "SIGINT");
    }, 200);
    const run = await factory(root, ["run", "--manifest-id", "app", "--json"], {
      onStart: (started) => (pid = started),
    });
    clearInterval(timer);
    expect(sent).toBe(true);
    expect(run.exitCode).toBe(130);
    expect(containersOf(pid)).toBe("");
  });

  test(
    "killed at 50 random moments: no half-written record, no unreadable store, and the next run cleans up",
    { timeout: 1_200_000 },
    async () => {
      const root = makeWorkspace({
        base: tinyBase(),
        fragments: {
          core: {
            "0.1.0": {
              body: `RUN echo ${uniqueName("kill")} > /core`,
              yaml: "smoke: [{id: there, file: {path: /core}}, {id: runs, command: {argv: [cat, /core]}}]\n",
            },
          },
        },
      });
      const start = performance.now();
      const whole = await factory(root, ["run", "--manifest-id", "app", "--json"]);
      expect(whole.exitCode, whole.stderr).toBe(0);
      // The first run is the slowest: those that are not killed say how long one takes.
      let length = performance.now() - start;
      const pids: number[] = [];
      let killed = 0;
      for (let round = 0; round < 50; round += 1) {
        const began = performance.now();
        const ended = await factory(root, ["run", "--manifest-id", "app", "--json"], {
          onStart: (pid) => {
            pids.push(pid);
            setTimeout(() => {
              try {
                process.kill(pid, "SIGKILL");
              } catch {
                // It was done before.
              }
            }, Math.random() * length);
          },
        });
        if (ended.signal === "SIGKILL") killed += 1;
        else length = Math.min(length, performance.now() - began);
        const listed = await factory(root, ["records", "list", "--json"]);
        expect(JSON.parse(listed.stdout), `round ${round}`).toMatchObject({ unreadable: [] });
      }
      expect(killed).toBeGreaterThan(10);
      const verified = await factory(root, ["records", "verify", "--json"]);
      expect(verified.exitCode, verified.stdout).toBe(0);

      const last = await factory(root, ["run", "--manifest-id", "app", "--json"]);
      expect(last.exitCode, last.stderr).toBe(0);
      expect(pids.map(containersOf).filter(Boolean)).toEqual([]);
      expect(
        existsSync(join(root, ".factory", "run")) ? readdirSync(join(root, ".factory", "run")) : [],
      ).toEqual([]);
    },
  );
});
