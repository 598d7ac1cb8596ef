import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openRunFolder, sweepRunFolders } from "../../src/files/run-folder.ts";
import { openLease } from "../../src/tools/lease.ts";
import { temporaryFolder } from "../unit/workspace.ts";

/** The parts of an owner's text: id, process, its start, its place. */
const partsOf = (owner: string) => owner.split(".") as [string, string, string, string];

describe("A6 a lease", () => {
  it("A6 fits into a label, a tag and a file's name, and is another one each time", () => {
    const [one, other] = [openLease(), openLease()];
    expect(one.owner).toMatch(/^[A-Za-z0-9._-]{1,100}$/);
    expect(one.owner).not.toBe(other.owner);
    expect(one.owner.startsWith(`${one.id}.${process.pid}.`)).toBe(true);
  });

  it("A6 knows its own process and others of its place as alive", () => {
    const lease = openLease();
    expect(lease.stateOf(lease.owner)).toBe("alive");
    expect(lease.stateOf(openLease().owner)).toBe("alive");
  });

  it("A6 knows a process that has ended as dead, and so one whose number another has now", () => {
    const lease = openLease();
    const { pid } = spawnSync("true");
    const [id, own, start, place] = partsOf(lease.owner);
    expect(lease.stateOf([id.replace(/./g, "0"), pid, start, place].join("."))).toBe("dead");
    const reused = [id.replace(/./g, "0"), own, String(Number(start) + 1), place].join(".");
    expect(lease.stateOf(reused)).toBe(existsSync("/proc/self/stat") ? "dead" : "alive");
  });

  it("A6 knows nothing of another machine, another boot, another PID namespace or an older version", () => {
    const lease = openLease();
    const [, pid, start, place] = partsOf(lease.owner);
    const elsewhere = `0123456789abcdef.${pid}.${start}`;
    expect(lease.stateOf(`${elsewhere}.${place}1`)).toBe("unknown");
    expect(lease.stateOf(`${elsewhere}.0${place}`)).toBe("unknown");
    expect(lease.stateOf(`host:${pid}`)).toBe("unknown");
    expect(lease.stateOf("")).toBe("unknown");
  });
});

describe("A6 the folder of a run", () => {
  const nobody = () => "unknown" as const;
  const hour = 3600_000;

  it("A6 is made when it is asked for, tells its owner, and is gone in the end", () => {
    const root = temporaryFolder();
    const lease = openLease();
    const folder = openRunFolder(root, lease);
    expect(existsSync(join(root, ".factory"))).toBe(false);
    expect(folder.path()).toBe(join(root, ".factory", "run", lease.id));
    expect(folder.path()).toBe(folder.path());
    expect(readFileSync(join(folder.path(), "owner"), "utf8")).toBe(lease.owner);
    folder.remove();
    expect(readdirSync(join(root, ".factory", "run"))).toEqual([]);
    folder.remove();
  });

  it("A6 stays while its process runs, however long it was silent, and is swept when that is no more", () => {
    const root = temporaryFolder();
    const path = openRunFolder(root, openLease()).path();
    utimesSync(join(path, "owner"), 0, 0);
    sweepRunFolders(root, openLease().stateOf, Date.now());
    expect(existsSync(path)).toBe(true);
    sweepRunFolders(root, () => "dead", Date.now());
    expect(existsSync(path)).toBe(false);
  });

  it("A6 of an owner of whom nothing is known stays as long as its heart beats", () => {
    const root = temporaryFolder();
    const path = openRunFolder(root, openLease()).path();
    const beat = statSync(join(path, "owner")).mtimeMs;
    sweepRunFolders(root, nobody, beat + hour - 1);
    expect(existsSync(path)).toBe(true);
    sweepRunFolders(root, nobody, beat + hour + 1);
    expect(existsSync(path)).toBe(false);
  });

  it("A6 without an owner is one that is being made, or of an older version: it goes when it is old", () => {
    const root = temporaryFolder();
    const path = join(root, ".factory", "run", "20260101t000000000z-0123abcd-12");
    mkdirSync(path, { recursive: true });
    const { mtimeMs } = statSync(path);
    sweepRunFolders(root, nobody, mtimeMs + hour - 1);
    expect(existsSync(path)).toBe(true);
    sweepRunFolders(root, nobody, mtimeMs + hour + 1);
    expect(existsSync(path)).toBe(false);
  });

  it("A6 is not waited for where its owner is a pipe, and a sweep of nothing is none", () => {
    const root = temporaryFolder();
    sweepRunFolders(root, nobody, 0);
    const path = join(root, ".factory", "run", "odd");
    mkdirSync(path, { recursive: true });
    writeFileSync(join(root, ".factory", "run", "file"), "");
    spawnSync("mkfifo", [join(path, "owner")]);
    sweepRunFolders(root, nobody, Date.now() + 2 * hour);
    expect(readdirSync(join(root, ".factory", "run"))).toEqual([]);
  });

  it("A6 that cannot be made is a WRITE_FAILED", () => {
    const root = temporaryFolder();
    writeFileSync(join(root, ".factory"), "a file");
    expect(() => openRunFolder(root, openLease()).path()).toThrow(
      expect.objectContaining({ code: "WRITE_FAILED" }) as Error,
    );
  });
});
