import type { PlanFormat } from "./format.ts";

/** Every format of `factory plan`, in the order in which the help names them. A new one is a file beside this one, and a line here. */
export const PLAN_FORMATS = {
  table: { description: "for people", sharding: "asked", load: () => import("./table.ts") },
  json: { description: "all of the plan", sharding: "asked", load: () => import("./json.ts") },
  bake: {
    description: "docker-bake.hcl, and the Dockerfiles that it names",
    sharding: "never",
    load: () => import("./bake.ts"),
  },
  github: {
    description: "the strategy of a GitHub Actions job",
    sharding: "always",
    load: () => import("./github.ts"),
  },
  dot: { description: "a picture for Graphviz", sharding: "never", load: () => import("./dot.ts") },
  mermaid: { description: "a picture for Mermaid", sharding: "never", load: () => import("./mermaid.ts") },
} as const satisfies Record<string, PlanFormat>;

export type FormatName = keyof typeof PLAN_FORMATS;

export const FORMAT_NAMES = Object.keys(PLAN_FORMATS) as FormatName[];
