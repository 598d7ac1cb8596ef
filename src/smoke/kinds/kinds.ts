import type { SmokeTest } from "../../schemas/types.ts";
import type { Outcome } from "../outcome.ts";
import type { SettingName } from "../settings.ts";
import { budget } from "./budget.ts";
import { command } from "./command.ts";
import { config } from "./config.ts";
import { file } from "./file.ts";
import { http } from "./http.ts";
import type { HashOf, Kind, Tools, Turn } from "./kind.ts";
import { script } from "./script.ts";

/** A field of a declared test that says what it checks: the schema decides which there are. */
export type KindName = Exclude<keyof SmokeTest, "id" | "summary" | "timeout_s" | "after" | SettingName>;

/** Every kind of smoke test there is. One that the schema has and this map lacks does not compile. */
export const KINDS = { command, script, http, file, config, budget } satisfies {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- each kind has its own explicit form
  [K in KindName]: Kind<NonNullable<SmokeTest[K]>, any>;
};

/** The names of the kinds, in the order in which a test is asked for one. */
export const KIND_NAMES = Object.keys(KINDS) as KindName[];

/** What a test checks, with every default made explicit: null means "not asked". */
export type Check = { [K in KindName]: ReturnType<(typeof KINDS)[K]["form"]> }[KindName];

/** What a test checks; undefined where it holds no check at all. */
export function checkOf(test: SmokeTest, hashOf: HashOf): Check | undefined {
  for (const name of KIND_NAMES) {
    const declared = test[name];
    if (declared) return (KINDS[name] as Kind<typeof declared, Check>).form(declared, hashOf);
  }
  return undefined;
}

/** The port of the image's service that a test asks; undefined for a test of another kind. */
export function portOf(check: Check): number | undefined {
  return (KINDS[check.kind] as Kind<never, Check>).port?.(check);
}

/** The script that has to be in a test's container: its path from the workspace's root. */
export function scriptOf(check: Check): string | undefined {
  return (KINDS[check.kind] as Kind<never, Check>).script?.(check);
}

/** What a test waits its turn for; see `Kind`. */
export function turnOf(check: Check, mayShare: boolean): Turn | undefined {
  return (KINDS[check.kind] as Kind<never, Check>).inTurn?.(check, mayShare);
}

/** Runs a test. */
export function runCheck(check: Check, tools: Tools, timeoutMs: number): Promise<Outcome> {
  return (KINDS[check.kind] as Kind<never, Check>).run(check, tools, timeoutMs);
}
