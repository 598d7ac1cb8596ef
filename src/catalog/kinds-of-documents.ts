import type { ErrorCode } from "../errors.ts";
import type { Kind } from "./schema.ts";

/** Kinds of documents that are one file each, and the folder and field that hold their id. */
export const FILE_KINDS = {
  manifest: { folder: "manifests", field: "manifest_id", unknown: "UNKNOWN_MANIFEST" },
  plan: { folder: "control_plane/plans", field: "plan_id", unknown: "UNKNOWN_PLAN" },
  policy: { folder: "control_plane/policies", field: "policy_id", unknown: "UNKNOWN_POLICY" },
  pool: { folder: "control_plane/pools", field: "pool_id", unknown: "UNKNOWN_POOL" },
  product: { folder: "control_plane/products", field: "product_id", unknown: "UNKNOWN_PRODUCT" },
} as const satisfies Partial<Record<Kind, { folder: string; field: string; unknown: ErrorCode }>>;

/** Kinds of documents that have a folder per version. */
export const FOLDER_KINDS = {
  fragment: { folder: "fragments", field: "name", unknown: "UNKNOWN_FRAGMENT" },
  template: { folder: "templates", field: "template_id", unknown: "UNKNOWN_TEMPLATE" },
} as const satisfies Partial<Record<Kind, { folder: string; field: string; unknown: ErrorCode }>>;

export type FileKind = keyof typeof FILE_KINDS;
export type FolderKind = keyof typeof FOLDER_KINDS;
