import common from "./common.schema.json" with { type: "json" };
import event from "./event.schema.json" with { type: "json" };
import fragment from "./fragment.schema.json" with { type: "json" };
import local from "./local.schema.json" with { type: "json" };
import lock from "./lock.schema.json" with { type: "json" };
import manifest from "./manifest.schema.json" with { type: "json" };
import plan from "./plan.schema.json" with { type: "json" };
import policy from "./policy.schema.json" with { type: "json" };
import pool from "./pool.schema.json" with { type: "json" };
import product from "./product.schema.json" with { type: "json" };
import record1 from "./record-1.schema.json" with { type: "json" };
import record from "./record.schema.json" with { type: "json" };
import smoke from "./smoke.schema.json" with { type: "json" };
import template from "./template.schema.json" with { type: "json" };
import workspace from "./workspace.schema.json" with { type: "json" };

/** A schema, as JSON. */
export type Schema = Readonly<Record<string, unknown>>;

/** Every schema, by the name that others refer to it with. */
export const SCHEMAS: Readonly<Record<string, Schema>> = Object.fromEntries(
  [
    common,
    event,
    fragment,
    local,
    lock,
    manifest,
    plan,
    policy,
    pool,
    product,
    record1,
    record,
    smoke,
    template,
    workspace,
  ].map((one) => [one.$id, one]),
);

/** The documents that people and other programs read and write, and where they are. */
export const DOCUMENTS = {
  workspace: "factory.yaml",
  local: "factory.local.yaml",
  manifest: "manifests/*.yaml",
  fragment: "fragments/*/*/fragment.yaml",
  template: "templates/*/*/template.yaml",
  plan: "control_plane/plans/*.yaml",
  product: "control_plane/products/*.yaml",
  pool: "control_plane/pools/*.yaml",
  policy: "control_plane/policies/*.yaml",
  lock: "factory.lock",
  record: "records/*/*.json",
  event: "lines of `factory run --events FILE`",
} as const;
