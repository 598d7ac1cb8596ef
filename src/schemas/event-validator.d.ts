// Types of event-validator.js, which `npm run generate` builds.
import type { Validate } from "./validators.js";

export const event: Validate;
