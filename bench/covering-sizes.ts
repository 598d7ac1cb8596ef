import { cover } from "../src/plan/cover/cover.ts";
import type { Nogood } from "../src/solver/model.ts";
import { verifyCoverage } from "../src/plan/cover/verify.ts";

/** A model with the number of rows that others publish for it. */
export interface PublishedSizes {
  model: string;
  t: number;
  sizes: readonly number[];
  forbidden: readonly Nogood[];
  /** Rows by tool. `least` is no tool: no array can be smaller. */
  published: Readonly<Record<string, number>>;
  source: string;
}

/** `times` columns of `size` values, one group after the other. */
function columns(...groups: readonly (readonly [size: number, times: number])[]): number[] {
  return groups.flatMap(([size, times]) => Array.from({ length: times }, () => size));
}

/** Rules as lists of column and value, which all have to hold for a row to break one. */
function rules(sizes: readonly number[], all: readonly (readonly [number, number][])[]): Nogood[] {
  return all.map((rule) => ({
    columns: rule.map(([column]) => column),
    values: rule.map(([column, value]) => {
      const mask = new Uint8Array(sizes[column] ?? 0);
      mask[value] = 1;
      return mask;
    }),
  }));
}

const PAIRWISE = "https://www.pairwise.org/efficiency.html";
const CTWEDGE =
  "https://github.com/fmselab/ctwedge, ctwedge.benchmarks: the model, and bench_output/benchmark_15012021_143238.csv";
const FASTCA =
  "https://github.com/jkunlin/fastca, results/fastCA/complete: ACTS's own log (IPOG, forbidden tuples), and the best of ten long searches";
const ORTHOGONAL =
  "an orthogonal array of index 1 [Bush: Orthogonal arrays of index unity, 1952]; no array has fewer rows than a set of columns has combinations";

const SPIN_S = columns([2, 13], [4, 5]);
const SPIN_S_RULES = rules(SPIN_S, [
  ...(
    [
      [1, 1],
      [2, 1],
      [13, 1],
      [14, 1],
      [14, 2],
      [14, 3],
      [15, 1],
      [15, 2],
      [15, 3],
    ] as const
  ).map(([column, value]): [number, number][] => [
    [0, 1],
    [column, value],
  ]),
  ...[1, 2, 3].map((value): [number, number][] => [
    [12, 1],
    [15, value],
  ]),
  [
    [3, 1],
    [4, 0],
  ],
]);

const SYSTEM_MGMT = [3, 5, 2, 3, 2, 3, 3, 2, 2, 2];
const SYSTEM_MGMT_RULES = rules(SYSTEM_MGMT, [
  [
    [7, 0],
    [8, 1],
  ],
  [
    [7, 1],
    [8, 0],
  ],
  [
    [7, 0],
    [9, 1],
  ],
  [
    [0, 2],
    [1, 0],
  ],
  [
    [0, 2],
    [1, 1],
  ],
  [
    [0, 2],
    [1, 2],
  ],
  [
    [0, 2],
    [1, 3],
  ],
  [
    [0, 0],
    [1, 4],
  ],
  [
    [0, 1],
    [1, 4],
  ],
  [
    [1, 3],
    [9, 1],
  ],
  [
    [3, 0],
    [4, 1],
  ],
  [
    [3, 1],
    [4, 1],
  ],
  [
    [3, 2],
    [4, 0],
  ],
  [
    [1, 0],
    [7, 1],
    [9, 0],
  ],
  [
    [1, 1],
    [7, 1],
    [9, 0],
  ],
  [
    [1, 2],
    [7, 1],
    [9, 0],
  ],
  [
    [1, 4],
    [7, 1],
    [9, 0],
  ],
]);

const PROCESSOR_COMM = [2, 2, 3, 3, 3, 3, 3, 2, 3, 4, 4, 4, 4, 4, 4];
const PROCESSOR_COMM_RULES = rules(PROCESSOR_COMM, [
  [
    [1, 0],
    [2, 0],
  ],
  [
    [1, 1],
    [2, 1],
  ],
  ...(
    [
      [8, 0],
      [8, 1],
      [12, 1],
      [12, 2],
      [12, 3],
      [13, 1],
      [13, 2],
      [13, 3],
      [14, 1],
      [14, 2],
      [14, 3],
    ] as const
  ).map(([column, value]): [number, number][] => [
    [0, 1],
    [column, value],
  ]),
]);

const NETWORK_MGMT = [11, 5, 4, 2, 10, 10, 5, 5, 2];
const NETWORK_MGMT_RULES = rules(NETWORK_MGMT, [
  ...[4, 5, 6, 7, 8, 9].map((value): [number, number][] => [
    [5, value],
    [7, 3],
  ]),
  ...[4, 5, 6, 7, 8, 9].map((value): [number, number][] => [
    [4, value],
    [6, 3],
  ]),
  ...[0, 1, 2, 3, 8, 9].map((value): [number, number][] => [
    [4, value],
    [6, 2],
  ]),
  [
    [3, 1],
    [6, 4],
  ],
  [
    [7, 4],
    [8, 1],
  ],
]);

const BUGZILLA = columns([2, 4], [3, 1], [2, 15], [4, 1], [2, 7], [4, 1], [2, 23]);
const BUGZILLA_RULES = rules(BUGZILLA, [
  [
    [43, 0],
    [44, 1],
  ],
  [
    [45, 0],
    [51, 0],
  ],
  [
    [15, 1],
    [46, 0],
  ],
  [
    [47, 1],
    [48, 1],
  ],
  [
    [5, 0],
    [49, 1],
    [50, 1],
  ],
]);

/** Every number stands in its source, where it was looked up; `least` alone is known by theory. */
export const PUBLISHED_SIZES: readonly PublishedSizes[] = [
  {
    model: "3^4",
    t: 2,
    sizes: columns([3, 4]),
    forbidden: [],
    published: { AETG: 9, IPO: 9, Jenny: 11, PICT: 9, least: 9 },
    source: PAIRWISE,
  },
  {
    model: "3^13",
    t: 2,
    sizes: columns([3, 13]),
    forbidden: [],
    published: { AETG: 15, IPO: 17, Jenny: 18, DDA: 18, PICT: 18 },
    source: PAIRWISE,
  },
  {
    model: "4^15 3^17 2^29",
    t: 2,
    sizes: columns([4, 15], [3, 17], [2, 29]),
    forbidden: [],
    published: { AETG: 41, IPO: 34, Jenny: 38, DDA: 35, PICT: 37 },
    source: PAIRWISE,
  },
  {
    model: "4^1 3^39 2^35",
    t: 2,
    sizes: columns([4, 1], [3, 39], [2, 35]),
    forbidden: [],
    published: { AETG: 28, IPO: 26, Jenny: 28, DDA: 27, PICT: 27 },
    source: PAIRWISE,
  },
  {
    model: "2^100",
    t: 2,
    sizes: columns([2, 100]),
    forbidden: [],
    published: { AETG: 10, IPO: 15, Jenny: 16, DDA: 15, PICT: 15 },
    source: PAIRWISE,
  },
  {
    model: "10^20",
    t: 2,
    sizes: columns([10, 20]),
    forbidden: [],
    published: { AETG: 180, IPO: 212, Jenny: 193, DDA: 201, PICT: 210 },
    source: PAIRWISE,
  },
  { model: "3^4", t: 3, sizes: columns([3, 4]), forbidden: [], published: { least: 27 }, source: ORTHOGONAL },
  { model: "4^6", t: 3, sizes: columns([4, 6]), forbidden: [], published: { least: 64 }, source: ORTHOGONAL },
  {
    model: "SPIN simulator, 13 rules",
    t: 2,
    sizes: SPIN_S,
    forbidden: SPIN_S_RULES,
    published: { ACTS: 27, CAgen: 26, PICT: 26 },
    source: CTWEDGE,
  },
  {
    model: "SystemMgmt, 17 rules",
    t: 2,
    sizes: SYSTEM_MGMT,
    forbidden: SYSTEM_MGMT_RULES,
    published: { ACTS: 17, CAgen: 18, PICT: 17 },
    source: CTWEDGE,
  },
  {
    model: "ProcessorComm1, 13 rules",
    t: 2,
    sizes: PROCESSOR_COMM,
    forbidden: PROCESSOR_COMM_RULES,
    published: { ACTS: 29, CAgen: 28, PICT: 30 },
    source: CTWEDGE,
  },
  {
    model: "NetworkMgmt, 20 rules",
    t: 2,
    sizes: NETWORK_MGMT,
    forbidden: NETWORK_MGMT_RULES,
    published: { ACTS: 112, CAgen: 113, PICT: 129 },
    source: CTWEDGE,
  },
  {
    model: "Bugzilla, 5 rules",
    t: 2,
    sizes: BUGZILLA,
    forbidden: BUGZILLA_RULES,
    published: { ACTS: 18, CAgen: 18, PICT: 20 },
    source: CTWEDGE,
  },
  {
    model: "SPIN simulator, 13 rules",
    t: 3,
    sizes: SPIN_S,
    forbidden: SPIN_S_RULES,
    published: { ACTS: 98, FastCA: 80 },
    source: FASTCA,
  },
  {
    model: "SystemMgmt, 17 rules",
    t: 3,
    sizes: SYSTEM_MGMT,
    forbidden: SYSTEM_MGMT_RULES,
    published: { ACTS: 60, FastCA: 45 },
    source: FASTCA,
  },
  {
    model: "ProcessorComm1, 13 rules",
    t: 3,
    sizes: PROCESSOR_COMM,
    forbidden: PROCESSOR_COMM_RULES,
    published: { ACTS: 163, FastCA: 105 },
    source: FASTCA,
  },
];

/** A line for each model: our rows beside the published ones. @throws where a combination is not covered */
export function* measureSizes(): Generator<string, void, undefined> {
  for (const { model, t, sizes, forbidden, published } of PUBLISHED_SIZES) {
    const { rows } = cover({ sizes, forbidden }, { t });
    const { allowed, covered } = verifyCoverage({ sizes, forbidden }, t, rows);
    if (covered < allowed) throw new Error(`${model}: ${allowed - covered} of ${allowed} are not covered`);
    const others = Object.entries(published).map(([tool, count]) => `${tool} ${count}`);
    yield `${model}, t = ${t}: ${rows.length} rows (${others.join(", ")})`;
  }
}
