import { mkdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { writeManyRecords } from "../../bench/many-records.ts";
import { SCHEMES } from "../../src/catalog/schemes/schemes.ts";
import { openStore } from "../../src/pipeline/open-store.ts";
import {
  columnFile,
  type Columns,
  DamagedColumns,
  fromMemory,
  openColumns,
} from "../../src/records/column-file.ts";
import type { ListRequest, RecordSummary } from "../../src/records/list-request.ts";
import { digestStart, fragmentTest, parseField } from "../../src/records/parse-filter.ts";
import { timeOfRecordId } from "../../src/records/record-id.ts";
import { csvRow } from "../../src/screen/csv.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { idAt, record } from "./records-made.ts";
import { settled } from "./records-scan.ts";
import { errorFrom, factory, makeWorkspace, sha256, temporaryFolder } from "./workspace.ts";

const key = (of: number | string) => `sha256:${sha256(String(of))}`;
const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1);

/** Puts records by their form alone, with ids of their own. */
function workspaceOf(records: readonly FactoryRecord[]): string {
  const root = temporaryFolder();
  for (const one of records) {
    mkdirSync(join(root, "records", one.manifest_id), { recursive: true });
    writeFileSync(join(root, "records", one.manifest_id, `${one.record_id}.json`), JSON.stringify(one));
  }
  return root;
}

const versions = fc.constantFrom("0.1.0", "0.2.0", "0.2.1", "0.10.0", "1.0.0-rc.1", "1.0.0");

/** Records of two manifests, with what lists ask about. */
const many = fc
  .array(
    fc.record({
      manifest_id: fc.constantFrom("demo", "other"),
      status: fc.constantFrom("pass", "fail", "error"),
      platform: fc.constantFrom("linux/amd64", "linux/arm64"),
      failure: fc.constantFrom("step", "smoke-test", null),
      core: fc.option(versions),
      light: fc.option(versions),
      image: fc.option(fc.integer({ min: 0, max: 3 })),
      duration_ms: fc.integer({ min: 0, max: 3 }),
    }),
    { maxLength: 30 },
  )
  .map((all) =>
    all.map(({ manifest_id, status, platform, failure, core, light, image, duration_ms }, at) =>
      record({
        record_id: idAt(at + 1),
        manifest_id,
        platform,
        cell_id: `${manifest_id}.${platform.replace("/", "-")}`,
        fragments: Object.entries({ core, light }).flatMap(([name, version]) =>
          version === null ? [] : [{ name, version, digest: key(0) }],
        ),
        image:
          image === null
            ? null
            : {
                ref: `x/y:${image}`,
                digest: key(image),
                manifest_digest: key(`m${image}`),
                size: image,
                layers: 1,
                pushed: false,
              },
        result: { status: status as "pass", class: failure, duration_ms },
      }),
    ),
  );

const request = fc.record(
  {
    manifestId: fc.constantFrom("demo", "other", "none"),
    status: fc.constantFrom("pass", "fail", "error"),
    platform: fc.constantFrom("linux/amd64", "linux/arm64"),
    class: fc.constantFrom("step", "smoke-test"),
    digest: fc
      .integer({ min: 0, max: 4 })
      .chain((of) => fc.constantFrom(key(of), key(`m${of}`).slice(0, 15))),
    range: fc.constantFrom("core>=0.2", "core<0.2", "core", "light=0.1.0", "light@^0.2", "core>=1.0.0-rc.1"),
    since: fc.integer({ min: 0, max: 30 }),
    until: fc.integer({ min: 0, max: 30 }),
  },
  { requiredKeys: [] },
);

/** The plainest filter. */
function isMeant(
  one: FactoryRecord,
  { range, since, until, ...asked }: typeof request extends fc.Arbitrary<infer T> ? T : never,
) {
  const time = (timeOfRecordId(one.record_id) - START) / HOUR;
  const test = range === undefined ? undefined : fragmentTest(range, () => SCHEMES.semver);
  return (
    (asked.manifestId ?? one.manifest_id) === one.manifest_id &&
    (asked.status ?? one.result.status) === one.result.status &&
    (asked.platform ?? one.platform) === one.platform &&
    (asked.class ?? one.result.class) === one.result.class &&
    [one.image?.digest, one.image?.manifest_digest, asked.digest].some((digest, at) =>
      asked.digest === undefined ? at === 2 : at < 2 && digest?.startsWith(asked.digest),
    ) &&
    (!test || one.fragments.some(({ name, version }) => name === test.name && test.test(version))) &&
    time >= (since ?? 0) &&
    time <= (until ?? Infinity)
  );
}

describe("the list of records", () => {
  it(
    "is that of the plainest filter, in pages of any size, in any order, and in groups",
    { timeout: 300_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(
          many,
          fc.array(request, { minLength: 1, maxLength: 4 }),
          fc.integer({ min: 1, max: 9 }),
          async (all, asks, limit) => {
            const root = workspaceOf(all);
            const store = openStore(root);
            for (const { range, since, until, ...rest } of asks) {
              const ask: ListRequest = {
                ...rest,
                ...(range && { fragments: [fragmentTest(range, () => SCHEMES.semver)] }),
                ...(since !== undefined && { since: START + since * HOUR }),
                ...(until !== undefined && { until: START + until * HOUR }),
              };
              const wanted = all.filter((one) => isMeant(one, { range, since, until, ...rest })).reverse();
              const ids = wanted.map(({ record_id }) => record_id);
              const list = (more: ListRequest = {}) => store.list({ ...ask, ...more }, settled);
              const whole = await list();
              expect(whole.records.map(({ record_id }) => record_id)).toEqual(ids);
              expect(whole.total).toBe(ids.length);

              const pages: RecordSummary[] = [];
              for (let offset = 0; offset <= ids.length; offset += limit)
                pages.push(...(await list({ offset, limit })).records);
              expect(pages).toEqual(whole.records);

              const oldest = await list({ sort: { by: "time", reverse: false } });
              expect(oldest.records).toEqual([...whole.records].reverse());
              const slowest = await list({ sort: { by: "duration", reverse: true } });
              expect(slowest.records).toEqual(
                [...whole.records].sort((a, b) => b.duration_ms - a.duration_ms),
              );
              const by_core = await list({
                sort: { by: "fragment:core", reverse: false, compare: SCHEMES.semver.compare },
              });
              const order = (one: RecordSummary) => one.fragments.core ?? "9.9.9";
              expect(by_core.records).toEqual(
                [...whole.records].sort((a, b) => SCHEMES.semver.compare(order(a), order(b))),
              );

              const { groups, total } = await list({ groupBy: ["fragment:core", "status"] });
              const counts = new Map<string, number>();
              for (const one of whole.records) {
                const name = `${one.fragments.core ?? null} ${one.status}`;
                counts.set(name, (counts.get(name) ?? 0) + 1);
              }
              expect(total).toBe(counts.size);
              expect(
                new Map(groups?.map(({ by, total: own }) => [`${by["fragment:core"]} ${by.status}`, own])),
              ).toEqual(counts);
              for (const group of groups ?? [])
                expect(group.pass + group.fail + group.error).toBe(group.total);
            }
          },
        ),
        { numRuns: 40 },
      );
    },
  );

  it(
    "sees what was edited in place among very many, once it would show it",
    { timeout: 120_000 },
    async () => {
      const root = temporaryFolder();
      writeManyRecords(root, 10_050, { bare: true });
      const store = openStore(root);
      const [first] = (await store.list({ limit: 1 }, settled)).records;
      const [oldest] = (await store.list({ sort: { by: "time", reverse: false }, limit: 1 }, settled))
        .records;
      const fileOf = (one: RecordSummary | undefined) => join(root, "records/many", `${one?.record_id}.json`);
      // A file that is rewritten in place leaves its folder as it was.
      writeFileSync(fileOf(first), "{");
      const { records, total, unreadable } = await store.list({ limit: 1 }, settled);
      expect([total, unreadable.map(({ record_id }) => record_id)]).toEqual([10_049, [first?.record_id]]);
      expect(records[0]?.record_id).not.toBe(first?.record_id);
      const text = readFileSync(fileOf(oldest), "utf8");
      writeFileSync(fileOf(oldest), text.replace(/"expected": \w+/, '"expected": true'));
      utimesSync(fileOf(oldest), 1, 1);
      const again = await store.list({ sort: { by: "time", reverse: false }, limit: 1 }, settled);
      expect(again.records[0]?.expected).toBe(true);
      expect(again.unreadable.map(({ record_id }) => record_id)).toEqual([first?.record_id]);
    },
  );

  it("does not read records again", async () => {
    const root = temporaryFolder();
    writeManyRecords(root, 20, { bare: true });
    let read = 0;
    const watch = { ...settled, onProgress: (_: number, of: number) => (read += of) };
    const store = openStore(root);
    const before = await store.list({}, watch);
    expect(read).toBe(20);
    expect(await store.list({}, watch)).toEqual(before);
    expect(read).toBe(20);
  });
});

function rowsIn({ rows, valueAt }: Columns, names: readonly string[]): unknown[][] {
  return Array.from({ length: rows }, (_, row) => names.map((name) => valueAt(name, row)));
}

describe("a table in a file", () => {
  it("has as many chunks as it takes", () => {
    for (const rows of [0, 1, 4095, 4096, 4097, 9000]) {
      const values = Array.from({ length: rows }, (_, row) => (row % 3 === 0 ? row : `v${row % 7}`));
      const { columns } = openColumns(fromMemory(columnFile(null, rows, { one: values }))) ?? {};
      expect(columns && rowsIn(columns, ["one"])).toEqual(values.map((value) => [value]));
    }
  });

  it("gives back what was written, and notices every changed byte", () => {
    const value = fc.oneof(fc.string({ unit: "binary" }), fc.integer(), fc.constant(null), fc.boolean());
    fc.assert(
      fc.property(
        fc.array(fc.tuple(value, value), { maxLength: 20 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (rows, at, flip) => {
          const bytes = columnFile({ a: 1 }, rows.length, {
            one: rows.map(([one]) => one),
            two: rows.map(([, two]) => two),
          });
          const read = (from: Buffer) => {
            const opened = openColumns(fromMemory(from));
            return opened && rowsIn(opened.columns, ["one", "two"]);
          };
          expect(read(bytes)).toEqual(JSON.parse(JSON.stringify(rows)));
          const changed = Buffer.from(bytes);
          const place = at % bytes.length;
          changed[place] = (changed[place] ?? 0) ^ flip;
          let found: unknown;
          try {
            found = read(changed);
          } catch (error) {
            expect(error).toBeInstanceOf(DamagedColumns);
          }
          // A part that has no row has no bytes, so nothing else can be left.
          expect(found).toBeUndefined();
          expect(openColumns(fromMemory(bytes.subarray(0, -1)))).toBeUndefined();
        },
      ),
    );
  });
});

describe("what the flags say", () => {
  it.each([
    ["core", "core", ["0.1.0", "1.0.0-rc.1", "text"], []],
    ["core=0.2.0", "core", ["0.2.0"], ["0.2.1"]],
    ["core==0.2.0", "core", ["0.2.0"], ["0.2.1"]],
    ["core>=0.2", "core", ["0.2.0", "0.10.0", "1.0.0-rc.1"], ["0.1.9", "text"]],
    ["core@~0.2", "core", ["0.2.9"], ["0.3.0"]],
    ["core >=0.1 <0.3", "core", ["0.1.0", "0.2.9"], ["0.3.0"]],
    ["company.core-ml<1", "company.core-ml", ["0.9.0"], ["1.0.0"]],
  ])("a fragment: %s", (text, name, within, outside) => {
    const found = fragmentTest(text, () => SCHEMES.semver);
    expect(found.name).toBe(name);
    expect([within.map(found.test), outside.map(found.test)]).toEqual([
      within.map(() => true),
      outside.map(() => false),
    ]);
  });

  it.each(["", ">=1", "core>=", "core=>1", "core>=x.y", "Core", "core@", "a b", "core;rm"])(
    "no fragment: %s",
    (text) => {
      expect(errorFrom(() => fragmentTest(text, () => SCHEMES.semver))).toMatchObject({ code: "USAGE" });
    },
  );

  it("a fragment by its own scheme", () => {
    expect(fragmentTest("base_os>=24.04", () => SCHEMES.calver).test("24.10")).toBe(true);
    expect(fragmentTest("py~=3.12", () => SCHEMES.pep440).test("3.13")).toBe(true);
    expect(fragmentTest("tool=abc", () => SCHEMES.opaque).test("abc")).toBe(true);
    expect(errorFrom(() => fragmentTest("tool>abc", () => SCHEMES.opaque)).message).toContain("opaque");
  });

  it("fields and digests, or a way to them", () => {
    expect(parseField("fragment:core", "--sort")).toBe("fragment:core");
    expect(errorFrom(() => parseField("platfrom", "--group-by")).fix).toBe("did you mean platform?");
    expect(errorFrom(() => parseField("fragment:../x", "--group-by")).code).toBe("USAGE");
    expect(digestStart("abcdef")).toBe("sha256:abcdef");
    expect(errorFrom(() => digestStart("sha256:abc")).code).toBe("USAGE");
  });
});

describe("what is written", () => {
  it("as CSV no spreadsheet runs, and every reader takes apart again", () => {
    const parse = (text: string) => {
      const cells: string[] = [];
      for (let rest = `,${text}`; rest !== "";) {
        const [all = "", quoted, plain = ""] = /^,(?:"((?:[^"]|"")*)"|([^,"]*))/.exec(rest) ?? [];
        expect(all).not.toBe("");
        cells.push(quoted?.replaceAll('""', '"') ?? plain);
        rest = rest.slice(all.length);
      }
      return cells;
    };
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1 }), (cells) => {
        const row = csvRow(cells);
        expect(row).not.toMatch(/[\n\r]/);
        const read = parse(row);
        expect(read).toHaveLength(cells.length);
        for (const cell of read) expect(cell).not.toMatch(/^[=+\-@\t\r＝＋－＠]/);
      }),
    );
    expect(csvRow(["=1+1", "+1", "-1", "@a", "＝1", 'a"b', "a,b", "x", null, -1, true])).toBe(
      `"'=1+1","'+1","'-1","'@a","'＝1","a""b","a,b",x,,-1,true`,
    );
  });

  it("by the command, in each format", () => {
    const root = makeWorkspace({});
    const made = workspaceOf([
      record({ record_id: idAt(1) }),
      record({
        record_id: idAt(2),
        result: { status: "fail", class: "step", stage: "build", expected: false },
      }),
    ]);
    mkdirSync(join(root, "records/demo"), { recursive: true });
    for (const hour of [1, 2])
      writeFileSync(
        join(root, "records/demo", `${idAt(hour)}.json`),
        readFileSync(join(made, "records/demo", `${idAt(hour)}.json`)),
      );
    const list = (...argv: string[]) => factory(root, ["records", "list", ...argv]).stdout;
    const { records } = JSON.parse(list("--json")) as { records: RecordSummary[] };
    expect(records.map(({ record_id }) => record_id)).toEqual([idAt(2), idAt(1)]);
    expect(JSON.parse(list("--format", "json"))).toEqual(JSON.parse(list("--json")));
    expect(
      list("--format", "ndjson")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(records);
    expect(
      list("--format", "csv")
        .split("\n")
        .map((line) => line.split(",")[0]),
    ).toEqual(["record_id", idAt(2), idAt(1), ""]);
    expect(list("--status", "error", "--format", "ndjson")).toBe("");
    expect(list("--group-by", "status")).toMatch(/^STATUS +TOTAL.*\nfail +1 .*\npass +1 .*\n2 groups\n$/);
    expect(list("--limit", "1", "--offset", "1")).toContain("1 of 2 records, from number 2 on");
  });
});
