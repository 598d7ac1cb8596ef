import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { writeLock } from "../unit/plan-lock-builder.ts";
import { idAt, record } from "../unit/records-made.ts";
import { factoryAtOnce, makeWorkspace, temporaryFolder, treeOf } from "../unit/workspace.ts";

interface Listed {
  records: { record_id: string; cell_id: string }[];
  total: number;
  unreadable: { record_id: string; what: string }[];
}

/** A workspace with records of the manifest `demo`, one an hour. */
function workspace(hours = [1, 2, 3], change: Parameters<typeof record>[0] = {}): string {
  const root = makeWorkspace({});
  mkdirSync(join(root, "records/demo"), { recursive: true });
  for (const hour of hours)
    writeFileSync(fileOf(root, hour), JSON.stringify(record({ record_id: idAt(hour), ...change })));
  return root;
}

const fileOf = (root: string, hour: number) => join(root, "records/demo", `${idAt(hour)}.json`);

async function list(root: string, ...argv: string[]): Promise<Listed> {
  const { stdout, status } = await factoryAtOnce(root, ["records", "list", "--json", ...argv]);
  expect(status).toBe(0);
  return JSON.parse(stdout) as Listed;
}

it("9.14 what is truncated, edited, a pipe, a link or a folder is reported, and the rest is served", async () => {
  const root = workspace([1, 2, 3, 4, 5, 6]);
  expect((await list(root)).total).toBe(6);
  truncateSync(fileOf(root, 1), 100);
  writeFileSync(fileOf(root, 2), readFileSync(fileOf(root, 2), "utf8").replace('"pass"', '"well"'));
  rmSync(fileOf(root, 3));
  expect(spawnSync("mkfifo", [fileOf(root, 3)]).status).toBe(0);
  rmSync(fileOf(root, 4));
  symlinkSync(fileOf(root, 6), fileOf(root, 4));
  rmSync(fileOf(root, 5));
  mkdirSync(fileOf(root, 5));
  symlinkSync(temporaryFolder(), join(root, "records/linked"));
  const { records, unreadable } = await list(root);
  expect(records.map(({ record_id }) => record_id)).toEqual([idAt(6)]);
  expect(unreadable.map(({ record_id }) => record_id)).toEqual([null, ...[5, 4, 3, 2, 1].map(idAt)]);
  expect(await list(root)).toEqual({ ...(await list(root)), records, unreadable });
});

it("9.14 an index or a table that is forged, cut, a pipe or a link costs time, and leads nowhere", async () => {
  const root = workspace();
  const folder = join(root, ".factory/records");
  const outside = temporaryFolder();
  writeFileSync(join(outside, "demo.table"), "x");
  const before = treeOf(outside);
  const wanted = await list(root);
  for (const harm of [
    (file: string) => writeFileSync(file, ""),
    (file: string) => writeFileSync(file, "{}\n"),
    (file: string) => writeFileSync(file, "\0".repeat(4096)),
    (file: string) => void spawnSync("mkfifo", [file]),
    (file: string) => mkdirSync(file),
    (file: string) => symlinkSync(join(outside, "demo.table"), file),
    (file: string) => symlinkSync("/dev/zero", file),
  ]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const name of ["demo.table", "demo.ndjson"]) harm(join(folder, name));
    expect(await list(root)).toEqual(wanted);
  }
  rmSync(folder, { recursive: true });
  symlinkSync(outside, folder);
  expect(await list(root)).toEqual(wanted);
  expect(treeOf(outside)).toBe(before);
});

it("9.14 no name acts on a terminal, a spreadsheet or a reader of lines", async () => {
  const hostile = "=cmd|' /C calc'!A1\u001b]0;title\u0007\u202e<script>\n,\"";
  const root = workspace([1], {
    base: { ref: hostile, digest: null },
    args: { port: hostile },
  });
  const run = async (...argv: string[]) =>
    (await factoryAtOnce(root, ["records", "list", ...argv], { FORCE_COLOR: "1" })).stdout;
  for (const argv of [[], ["--json"], ["--format", "ndjson"], ["--format", "csv"], ["--group-by", "base"]])
    expect((await run(...argv)).replace(/\u001b\[\d+m/g, "")).not.toMatch(
      /[\u0000-\u0009\u000b-\u001f\u202a-\u202e]/,
    );
  const [, line = "", ...more] = (await run("--format", "csv")).trimEnd().split("\n");
  expect(more).toEqual([]);
  expect(line).toContain(`"'=cmd|' /C calc'!A1\\u001b`);
  const [one, ...others] = (await run("--format", "ndjson")).trimEnd().split("\n");
  expect(others).toEqual([]);
  expect((JSON.parse(one ?? "") as { base: string }).base).toBe(hostile);
});

it("9.14 lists at once, while records come, are each of a moment, and leave whole files", async () => {
  const root = workspace([1]);
  const all = Array.from({ length: 12 }, (_, at) => at + 2);
  const lists: Promise<Listed>[] = [];
  for (const hour of all) {
    writeFileSync(fileOf(root, hour), JSON.stringify(record({ record_id: idAt(hour) })));
    if (hour % 2 === 0) lists.push(list(root));
  }
  for (const { records, unreadable } of await Promise.all(lists)) {
    expect(unreadable).toEqual([]);
    expect(new Set(records.map(({ record_id }) => record_id)).size).toBe(records.length);
  }
  expect((await list(root)).total).toBe(13);
  const left = existsSync(join(root, ".factory/records")) ? readdirSync(join(root, ".factory/records")) : [];
  expect(left.filter((name) => !/^demo\.(ndjson|table)$/.test(name))).toEqual([]);
});

it("9.14 what is kept in a README stays between its marks, with two runs at once and names that look like marks", async () => {
  const root = makeWorkspace({});
  const mark = "<!-- factory:matrix manifest_id=demo rows=platform cols=base -->";
  const end = "<!-- /factory:matrix -->";
  const before = `# A\r\n\u00e9 \`${end}\`\n\`\`\`\n${mark}\n\`\`\`\n`;
  const after = `\ntext <!-- x -->\n${mark}\nold\n${end}`;
  writeFileSync(join(root, "README.md"), `${before}${mark}\n${end}\n${after}`);
  mkdirSync(join(root, "records/demo"), { recursive: true });
  writeFileSync(
    fileOf(root, 1),
    JSON.stringify(
      record({
        record_id: idAt(1),
        base: { ref: `x|y\n${end}\n<script>`, digest: null },
        cell_id: "demo.gone",
      }),
    ),
  );
  const run = (...argv: string[]) => factoryAtOnce(root, ["records", "readme", "--locked", ...argv]);
  writeLock(root);
  expect((await run("--check")).status).toBe(1);
  const both = await Promise.all([run(), run()]);
  expect(both.map(({ status, stderr }) => [status, stderr])).toEqual([
    [0, ""],
    [0, ""],
  ]);
  const text = readFileSync(join(root, "README.md"), "utf8");
  expect(text.startsWith(before)).toBe(true);
  expect(text.split(mark)).toHaveLength(4);
  expect((await run("--check")).status).toBe(0);
});
