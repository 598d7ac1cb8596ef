import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { openLines } from "../../src/files/line-stream.ts";
import { temporaryFolder } from "./workspace.ts";

function fifo(): string {
  const path = join(temporaryFolder(), "pipe");
  execFileSync("mkfifo", [path]);
  return path;
}

describe("openLines", () => {
  it("empties a file, follows a link to one, and has each line there at once", async () => {
    const folder = temporaryFolder();
    const file = join(folder, "events");
    const link = join(folder, "link");
    writeFileSync(file, "what was there before\n");
    symlinkSync(file, link);
    const lines = await openLines(link);
    lines.write("one");
    expect(readFileSync(file, "utf8")).toBe("one\n");
    lines.write("zwei ✓");
    expect(await lines.close()).toBe(null);
    expect(readFileSync(file, "utf8")).toBe("one\nzwei ✓\n");
    expect(readFileSync(link, "utf8")).toBe("one\nzwei ✓\n");
  });

  it("waits for the reader of a pipe, and gives it every line however slowly it reads", async () => {
    const path = fifo();
    const opening = openLines(path);
    const reader = spawn("sh", ["-c", `exec cat "$0"`, path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const read = text(reader.stdout);
    const lines = await opening;
    // More than a pipe holds: the writer has to come back to it.
    const all = Array.from({ length: 3000 }, (_, at) => `${at} ${"x".repeat(100)}`);
    all.forEach(lines.write);
    expect(await lines.close()).toBe(null);
    expect(await read).toBe(`${all.join("\n")}\n`);
    expect(statSync(path).isFIFO()).toBe(true);
  });

  it("takes a reader that goes away for no failure", async () => {
    const path = fifo();
    const reader = spawn("head", ["-n1", path], { stdio: ["ignore", "pipe", "inherit"] });
    const gone = once(reader, "exit");
    const lines = await openLines(path);
    lines.write("first");
    await gone;
    for (let line = 0; line < 100; line += 1) lines.write("more");
    expect(await lines.close()).toBe(null);
  });

  it("is not held up by a reader that never reads, and says what is missing", async () => {
    const path = fifo();
    const reader = spawn("sh", ["-c", `exec 3< "$0"; exec tail -f /dev/null`, path], { stdio: "ignore" });
    try {
      const lines = await openLines(path);
      const start = performance.now();
      for (let line = 0; line < 5000; line += 1) lines.write("x".repeat(100));
      expect(performance.now() - start).toBeLessThan(4000);
      expect(await lines.close()).toMatchObject({ code: "WRITE_FAILED", exitCode: 3 });
    } finally {
      reader.kill("SIGKILL");
    }
  });

  it.skipIf(!existsSync("/dev/full"))("tells a full disk, and goes on", async () => {
    const lines = await openLines("/dev/full");
    lines.write("one");
    lines.write("two");
    expect(await lines.close()).toMatchObject({
      code: "WRITE_FAILED",
      message: expect.stringContaining("ENOSPC") as string,
    });
    expect(statSync("/dev/full").isCharacterDevice()).toBe(true);
  });

  it("refuses a folder, and what cannot be opened", async () => {
    const folder = temporaryFolder();
    await expect(openLines(folder)).rejects.toMatchObject({ code: "USAGE" });
    await expect(openLines(join(folder, "none", "x"))).rejects.toMatchObject({ code: "WRITE_FAILED" });
  });

  it("stops waiting for a reader when it is told to", async () => {
    await expect(openLines(fifo(), AbortSignal.abort())).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});
