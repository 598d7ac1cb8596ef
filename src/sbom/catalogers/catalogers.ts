import type { Cataloger } from "../cataloger.ts";
import { apk } from "./apk.ts";
import { cargo } from "./cargo.ts";
import { composer } from "./composer.ts";
import { conda } from "./conda.ts";
import { cran } from "./cran.ts";
import { dpkg } from "./dpkg.ts";
import { gem } from "./gem.ts";
import { golang } from "./golang.ts";
import { maven } from "./maven.ts";
import { npm } from "./npm.ts";
import { nuget } from "./nuget.ts";
import { python } from "./python.ts";
import { rpm } from "./rpm.ts";

/** Every cataloger, by the type that its packages have in package URLs. */
export const CATALOGERS = {
  deb: dpkg,
  apk,
  npm,
  pypi: python,
  golang,
  cargo,
  maven,
  gem,
  nuget,
  composer,
  conda,
  cran,
  rpm,
} as const satisfies Record<string, Cataloger>;

export type Ecosystem = keyof typeof CATALOGERS;
export const ECOSYSTEMS = Object.keys(CATALOGERS) as Ecosystem[];
