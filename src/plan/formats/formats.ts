import { CI_SYSTEMS } from "../../ci/detect.ts";
import type { CiSystem } from "../../ci/system.ts";
import type { PlanFormat } from "./format.ts";

/** CI systems that take a matrix. */
type MatrixName = {
  [K in keyof typeof CI_SYSTEMS]: (typeof CI_SYSTEMS)[K]["matrix"] extends null ? never : K;
}[keyof typeof CI_SYSTEMS];

function matrixFormats(): Record<MatrixName, PlanFormat> {
  const formats = Object.entries<CiSystem>(CI_SYSTEMS).flatMap(([name, { title, matrix }]) => {
    if (title === null || matrix === null) return [];
    const load = async () => ({ write: (await import("./matrix.ts")).matrixWriter({ title, matrix }) });
    const { description, maxJobs } = matrix;
    return [[name, { description, sharding: "always", maxJobs, load } satisfies PlanFormat] as const];
  });
  return Object.fromEntries(formats) as Record<MatrixName, PlanFormat>;
}

/**
 * Every format of `factory plan`, in the order in which the help names them. A new one is a file beside this one, and a line
 * here; the matrix of a CI system needs neither.
 */
export const PLAN_FORMATS = {
  table: { description: "for people", sharding: "asked", load: () => import("./table.ts") },
  json: { description: "all of the plan", sharding: "asked", load: () => import("./json.ts") },
  bake: {
    description: "docker-bake.hcl, and the Dockerfiles that it names",
    sharding: "never",
    load: () => import("./bake.ts"),
  },
  ...matrixFormats(),
  dot: { description: "a picture for Graphviz", sharding: "never", load: () => import("./dot.ts") },
  mermaid: { description: "a picture for Mermaid", sharding: "never", load: () => import("./mermaid.ts") },
} as const satisfies Record<string, PlanFormat>;

export type FormatName = keyof typeof PLAN_FORMATS;

export const FORMAT_NAMES = Object.keys(PLAN_FORMATS) as FormatName[];
