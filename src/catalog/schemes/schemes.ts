import { calver } from "./calver.ts";
import { opaque } from "./opaque.ts";
import { pep440 } from "./pep440.ts";
import type { Scheme } from "./scheme.ts";
import { semver } from "./semver.ts";

export type { Scheme } from "./scheme.ts";

/** Every scheme, by the name that contracts give it. */
export const SCHEMES: Readonly<Record<Scheme["name"], Scheme>> = { semver, pep440, calver, opaque };
