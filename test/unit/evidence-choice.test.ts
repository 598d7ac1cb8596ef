import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseEvidence, type EvidenceRules } from "../../src/cleanup/evidence-choice.ts";
import type { RecordOnDisk } from "../../src/records/prune-evidence.ts";
import { STAYING_KINDS } from "../../src/records/pruned.ts";
import type { Evidence, FactoryRecord } from "../../src/schemas/types.ts";
import { record as made } from "./records-made.ts";

const NOW = Date.parse("2026-11-26T12:00:00Z");
const DAY = 86_400_000;
const hexOf = (text: string) => Buffer.from(text.padEnd(32, "-")).toString("hex");
const digestOf = (text: string) => `sha256:${hexOf(text)}`;

const piece = (text: string): Evidence => ({
  path: `evidence/sha256/${hexOf(text).slice(0, 2)}/${hexOf(text)}`,
  sha256: hexOf(text),
  bytes: 1,
  media_type: "text/plain",
});

interface Sketch {
  days: number;
  cell: string;
  key: string;
  status: "pass" | "fail" | "error";
  /** Another record that it names, by its place. */
  proven_by: number | null;
  repacked: number | null;
  parent: number | null;
  log: string;
  sbom: string;
  isPruned: boolean;
  isTagged: boolean;
  isBroken: boolean;
}

const sketch: fc.Arbitrary<Sketch> = fc.record({
  days: fc.integer({ min: 0, max: 400 }),
  cell: fc.constantFrom("a", "b", "c"),
  key: fc.constantFrom("k", "l", "m"),
  status: fc.constantFrom("pass", "pass", "pass", "fail", "error"),
  proven_by: fc.option(fc.nat(11), { freq: 3 }),
  repacked: fc.option(fc.nat(11), { freq: 5 }),
  parent: fc.option(fc.nat(11), { freq: 4 }),
  log: fc.constantFrom("1", "2", "3", "4", "5", "6"),
  sbom: fc.constantFrom("1", "2", "inputs 1"),
  isPruned: fc.boolean(),
  isTagged: fc.boolean(),
  isBroken: fc.constantFrom(true, false, false, false),
});

const idOf = ({ days }: Sketch, at: number) =>
  `${new Date(NOW - days * DAY).toISOString().toLowerCase().replace(/[-:.]/g, "")}-${at.toString(16).padStart(16, "0")}`;

function recordsOf(sketches: readonly Sketch[]): RecordOnDisk[] {
  return sketches.map((one, at) => {
    const named = (to: number | null) => {
      const other = to === null ? undefined : sketches[to];
      return other && to !== null && to !== at
        ? { id: idOf(other, to), build: digestOf(`build ${to}`) }
        : null;
    };
    const parent = named(one.parent);
    const repacked = named(one.repacked);
    const record: FactoryRecord = {
      ...made({
        record_id: idOf(one, at),
        cell_id: one.cell,
        verdict_key: digestOf(one.key),
        build_key: digestOf(`build ${at}`),
        proven_by: named(one.proven_by)?.id ?? null,
        result: { status: one.status, tested_at: new Date(NOW - one.days * DAY).toISOString() },
        evidence: {
          inputs: piece(`inputs ${at % 3}`),
          build_log: piece(`log ${one.log}`),
          sbom: piece(one.sbom),
        },
      }),
      ...(parent && { parent: { manifest_id: "demo", build_key: parent.build } }),
      ...(repacked && {
        repacked: {
          record_id: repacked.id,
          digest: digestOf("d"),
          manifest_digest: digestOf("d"),
          with: "zstd",
        },
      }),
    };
    return {
      record,
      sha256: hexOf(`file ${at}`),
      pruned: one.isPruned
        ? { at: "2026-11-01T00:00:00.000Z", evidence: new Set([hexOf(`log ${one.log}`)]) }
        : null,
    };
  });
}

const isOther = (record: RecordOnDisk["record"]) =>
  record.schema_version === 2 && record.repacked !== undefined;

const piecesOf = ({ record }: RecordOnDisk) =>
  Object.entries(record.evidence).flatMap(([kind, one]) => (one ? [{ kind, hex: one.sha256 }] : []));

describe("chooseEvidence", () => {
  const rulesFor = (
    sketches: readonly Sketch[],
    records: readonly RecordOnDisk[],
    reuseDays: number | null,
  ) => {
    const rules: EvidenceRules = {
      now: NOW,
      olderThanMs: () => 90 * DAY,
      reuseMs: reuseDays === null ? null : reuseDays * DAY,
      neededBy: (own) => (sketches[records.indexOf(own)]?.isTagged ? "a tag" : null),
    };
    const blocked = new Map(
      records.flatMap((own, at) => (sketches[at]?.isBroken ? [[own, "broken"] as const] : [])),
    );
    return { rules, blocked };
  };

  it("lets go nothing that anything which stays needs, whatever there is", () => {
    const any = fc.tuple(
      fc.array(sketch, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(null, 30, 150, 300),
    );
    fc.assert(
      fc.property(any, ([sketches, reuseDays]) => {
        const records = recordsOf(sketches);
        const { rules, blocked } = rulesFor(sketches, records, reuseDays);
        const { chosen, left, kept } = chooseEvidence(records, rules, blocked);
        const goes = new Set(
          [...chosen, ...left].flatMap(({ pieces }) => pieces.map(({ sha256 }) => sha256)),
        );
        const going = new Set([...chosen, ...left].map(({ own }) => own));
        const isGoing = (own: RecordOnDisk) => chosen.some((one) => one.own === own);
        for (const [at, own] of records.entries()) {
          const one = sketches[at];
          if (!one) throw new Error("there is no such record");
          // What is made from stays, of every record.
          for (const { kind, hex } of piecesOf(own))
            if (STAYING_KINDS.has(kind)) expect(goes.has(hex)).toBe(false);
          if (one.days <= 90 || one.isTagged || one.isBroken) expect(going.has(own)).toBe(false);
          // The newest of a cell, and its newest pass.
          const ofCell = records
            .filter(({ record }) => record.cell_id === own.record.cell_id && !isOther(record))
            .sort((a, b) => (a.record.record_id < b.record.record_id ? 1 : -1));
          if (own === ofCell[0] || own === ofCell.find(({ record }) => record.result.status === "pass"))
            expect(going.has(own)).toBe(false);
          // A proof that may be reused: the newest verdict on its key.
          const ofKey = records
            .filter(
              ({ record }) =>
                record.verdict_key === own.record.verdict_key &&
                record.result.status !== "error" &&
                !isOther(record),
            )
            .sort((a, b) => (a.record.record_id < b.record.record_id ? 1 : -1));
          if (own === ofKey[0] && one.status === "pass" && reuseDays !== null && one.days <= reuseDays)
            expect(going.has(own)).toBe(false);
          if (going.has(own)) continue;
          // A record that has not lost anything, and does not, loses nothing by another one.
          const isWhole = own.pruned === null;
          if (isWhole) for (const { hex } of piecesOf(own)) expect(goes.has(hex)).toBe(false);
        }
        // What a record that stays names stays, and so on.
        const stays = records.filter((own) => own.pruned === null && !isGoing(own));
        const isFree = (own: RecordOnDisk) => piecesOf(own).every(({ hex }) => goes.has(hex) === false);
        for (const { record } of kept.map(({ own }) => own))
          for (const other of records)
            if (
              record.schema_version === 2 &&
              (record.proven_by === other.record.record_id ||
                record.repacked?.record_id === other.record.record_id ||
                record.parent?.build_key === other.record.build_key)
            )
              expect(isGoing(other)).toBe(false);
        expect(stays.every(isFree)).toBe(true);
        // Asked again after it went, nothing more goes.
        const after = records.map((own) => {
          const gone = chosen.find((one) => one.own === own);
          return gone
            ? {
                ...own,
                pruned: {
                  at: "2026-11-26T00:00:00.000Z",
                  evidence: new Set(gone.pieces.map(({ sha256 }) => sha256)),
                },
              }
            : own;
        });
        const again = rulesFor(sketches, after, reuseDays);
        expect(chooseEvidence(after, again.rules, again.blocked).chosen).toEqual([]);
      }),
    );
  });

  it("lets go what is old and needed by nobody, and says why the rest stays", () => {
    const base: Sketch = {
      days: 0,
      cell: "a",
      key: "k",
      status: "pass",
      proven_by: null,
      repacked: null,
      parent: null,
      log: "1",
      sbom: "1",
      isPruned: false,
      isTagged: false,
      isBroken: false,
    };
    const sketches: Sketch[] = [
      base,
      { ...base, days: 100, log: "2", key: "l" },
      { ...base, days: 110, log: "3" },
      { ...base, days: 120, log: "4", isTagged: true, proven_by: 4 },
      { ...base, days: 130, log: "5" },
      { ...base, days: 140, log: "6", cell: "b", status: "fail" },
    ];
    const records = recordsOf(sketches);
    const { rules } = rulesFor(sketches, records, 105);
    const { chosen, kept } = chooseEvidence(records, rules);
    expect(
      chosen.map(({ own, pieces }) => [records.indexOf(own), pieces.map(({ sha256 }) => sha256)]),
    ).toEqual([[2, [hexOf("log 3")]]]);
    expect(kept.map(({ own, why }) => [records.indexOf(own), why]).sort()).toEqual([
      [1, "it may be reused"],
      [3, "a tag"],
      [4, `${records[3]?.record.record_id} names it`],
      [5, "it is the newest of its cell"],
    ]);
    expect(chooseEvidence(records, { ...rules, olderThanMs: () => null }).chosen).toEqual([]);
  });
});
