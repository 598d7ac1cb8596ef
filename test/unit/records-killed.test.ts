import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openStore } from "../../src/pipeline/open-store.ts";
import { repository, temporaryFolder } from "./workspace.ts";

describe("a process that is killed while it writes records", () => {
  it("leaves whole records alone, 20 times over", async () => {
    const root = temporaryFolder();
    const writer = fileURLToPath(new URL("./records-writer.ts", import.meta.url));
    const store = openStore(root);
    let total = 0;
    for (let round = 0; round < 20; round += 1) {
      const child = spawn(process.execPath, ["--import", "tsx", writer, root, String(round)], {
        cwd: repository,
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = once(child, "exit");
      // It writes a dot after each record; after how many it is killed, and where in the next one, is left to chance.
      let left = Math.ceil(Math.random() * 20);
      for await (const dots of child.stdout) if ((left -= String(dots).length) <= 0) child.kill("SIGKILL");
      await ended;
      expect(child.signalCode).toBe("SIGKILL");
      const { checked, problems } = await store.verify();
      expect(problems).toEqual([]);
      expect(checked).toBeGreaterThan(total);
      total = checked;
    }
    const { unreadable, records } = await store.list({});
    expect([unreadable, records.length]).toEqual([[], total]);
  });
});
