import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fillFolder } from "../../src/files/write-folder.ts";
import { writePieces } from "../../src/files/write-pieces.ts";
import { errorFrom, temporaryFolder } from "./workspace.ts";

const filesIn = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), "utf8")]),
  );
const filling = (files: Record<string, string>) => (write: (name: string, text: string) => void) => {
  for (const [name, text] of Object.entries(files)) write(name, text);
};

describe("fillFolder", () => {
  it("holds what was written, and leaves alone what is there already", () => {
    const folder = join(temporaryFolder(), "deep", "plan");
    fillFolder(folder, filling({ a: "1", b: "2" }));
    expect(filesIn(folder)).toEqual({ a: "1", b: "2" });
    const before = statSync(join(folder, "a"), { bigint: true });
    fillFolder(folder, filling({ a: "1", c: "3" }));
    expect(filesIn(folder)).toEqual({ a: "1", b: "2", c: "3" });
    const after = statSync(join(folder, "a"), { bigint: true });
    expect([after.ino, after.mtimeNs]).toEqual([before.ino, before.mtimeNs]);
  });

  it("leaves nothing behind where it fails, neither a folder nor half a file", () => {
    const root = temporaryFolder();
    const folder = join(root, "plan");
    const fails = (write: (name: string, text: string) => void) => {
      write("a", "1");
      throw new Error("no");
    };
    expect(() => fillFolder(folder, fails)).toThrow("no");
    expect(readdirSync(root)).toEqual([]);
    fillFolder(folder, filling({ a: "0" }));
    expect(() => fillFolder(folder, fails)).toThrow("no");
    expect(filesIn(folder)).toEqual({ a: "1" });
  });

  it("replaces what is no file, and never writes through a link", () => {
    const root = temporaryFolder();
    const folder = join(root, "plan");
    fillFolder(folder, filling({ a: "1" }));
    writeFileSync(join(root, "outside"), "mine");
    symlinkSync(join(root, "outside"), join(folder, "b"));
    fillFolder(folder, filling({ a: "1", b: "2" }));
    expect(filesIn(folder)).toEqual({ a: "1", b: "2" });
    expect(readFileSync(join(root, "outside"), "utf8")).toBe("mine");
  });
});

describe("writePieces", () => {
  it("writes pieces as one file, and keeps the old one where they end early", () => {
    const root = temporaryFolder();
    const file = join(root, "deep", "plan.json");
    writePieces(file, ["one ", "two ", "drei ü"]);
    expect(readFileSync(file, "utf8")).toBe("one two drei ü");
    const broken = function* () {
      yield "half";
      throw new Error("no");
    };
    expect(() => writePieces(file, broken())).toThrow("no");
    expect(filesIn(join(root, "deep"))).toEqual({ "plan.json": "one two drei ü" });
  });

  it("says what cannot be written", () => {
    const root = temporaryFolder();
    mkdirSync(join(root, "taken"));
    expect(errorFrom(() => writePieces(join(root, "taken"), ["x"])).code).toBe("WRITE_FAILED");
    expect(existsSync(join(root, "taken"))).toBe(true);
    expect(readdirSync(root)).toEqual(["taken"]);
  });
});
