// Types of validators.js, which `npm run generate` builds: one validate function a document.
import type { ErrorObject } from "ajv";

export interface Validate {
  (data: unknown): boolean;
  errors?: ErrorObject[] | null;
}
export const fragment: Validate;
export const local: Validate;
export const lock: Validate;
export const manifest: Validate;
export const plan: Validate;
export const policy: Validate;
export const pool: Validate;
export const product: Validate;
export const template: Validate;
export const workspace: Validate;
