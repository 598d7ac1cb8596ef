// Types of record-validator.js, which `npm run generate` builds.
import type { Validate } from "./validators.js";

export const record: Validate;
/** Of the first form. */
export const record_1: Validate;
