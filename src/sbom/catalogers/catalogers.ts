import type { Cataloger } from "../cataloger.ts";
import { apk } from "./apk.ts";
import { cargo } from "./cargo.ts";
import { dpkg } from "./dpkg.ts";
import { golang } from "./golang.ts";
import { npm } from "./npm.ts";
import { python } from "./python.ts";

/** Every cataloger, by the type that its packages have in package URLs. */
export const CATALOGERS = { deb: dpkg, apk, npm, pypi: python, golang, cargo } as const satisfies Record<
  string,
  Cataloger
>;

export type Ecosystem = keyof typeof CATALOGERS;
export const ECOSYSTEMS = Object.keys(CATALOGERS) as Ecosystem[];
