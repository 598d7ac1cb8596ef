// Types of cyclonedx-validator.js, which `npm run generate` builds from the schemas of @cyclonedx/cyclonedx-library.
import type { ErrorObject } from "ajv";

export const validate: {
  (document: unknown): boolean;
  errors?: ErrorObject[] | null;
};
