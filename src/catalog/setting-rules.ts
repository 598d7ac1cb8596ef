import type { SmokeService, SmokeTest, WaitFor } from "../schemas/types.ts";
import { KIND_NAMES, type KindName } from "../smoke/kinds/kinds.ts";
import { SETTING_NAMES, type SettingName } from "../smoke/settings.ts";
import { regexProblem } from "./value-rules.ts";
import type { Sound } from "./sound.ts";
import { quoted } from "../model/visible.ts";
import type { Path } from "./yaml-value.ts";

/** Something wrong with what a test says about its container, from the test on. */
interface SettingProblem {
  at: Path;
  what: string;
  fix: string;
}

/** The settings that tests of a kind may have; a kind that is not here runs nothing. */
const SETTINGS_OF: Partial<Record<KindName, readonly SettingName[]>> = {
  command: SETTING_NAMES.filter((name) => name !== "argv" && name !== "wait_for"),
  script: SETTING_NAMES.filter((name) => name !== "argv" && name !== "wait_for"),
  http: SETTING_NAMES,
};

/** What a test may say that runs in the container of another one. */
const AFTER_ANOTHER: readonly SettingName[] = ["env", "user"];

/** Folders that the engine provides, or that are writable already. */
const NO_TMPFS = /^\/(proc|sys|dev|tmp)(\/|$)|\/\.{1,2}(\/|$)/;

const kindOf = (test: Sound<SmokeTest>) => KIND_NAMES.find((kind) => test[kind] !== undefined);

function ofWait(wait: Sound<WaitFor>, isService: boolean): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const ways = (["log", "command", "path"] as const).filter((way) => wait[way] !== undefined);
  if (ways.length > 1)
    problems.push({ at: [], what: `waits for two things: ${ways.join(" and ")}`, fix: "keep one of them" });
  if (isService && wait.path !== undefined)
    problems.push({ at: ["path"], what: "asks a path of a service", fix: "use `log` or `command`" });
  const pattern = wait.log?.matches;
  const problem = pattern === undefined ? undefined : regexProblem(pattern, "mu");
  if (problem !== undefined)
    problems.push({
      at: ["log", "matches"],
      what: `is not a regular expression: ${problem}`,
      fix: "correct it; the flags are `mu`",
    });
  return problems;
}

function ofTmpfs(paths: readonly (string | undefined)[] = []): SettingProblem[] {
  return paths.flatMap((path, at) =>
    path !== undefined && NO_TMPFS.test(path)
      ? { at: [at], what: `cannot have ${quoted(path)} writable`, fix: "name another folder" }
      : [],
  );
}

const below = (at: Path, problems: readonly SettingProblem[]): SettingProblem[] =>
  problems.map((problem) => ({ ...problem, at: [...at, ...problem.at] }));

function ofService(service: Sound<SmokeService>): SettingProblem[] {
  const { image, tmpfs, wait_for } = service;
  const isOpen = image !== undefined && !/@sha256:[a-f0-9]{64}$/.test(image);
  return [
    ...(isOpen
      ? [
          {
            at: ["image"],
            what: `uses ${quoted(image)}, which may be another image another day`,
            fix: `pin it: \`docker buildx imagetools inspect ${image}\` shows the digest to add as @sha256:…`,
          },
        ]
      : []),
    ...below(["tmpfs"], ofTmpfs(tmpfs)),
    ...below(["wait_for"], wait_for ? ofWait(wait_for, true) : []),
  ];
}

/** What is wrong with the test that another one comes after. */
function ofAfter(test: Sound<SmokeTest>, earlier: readonly Sound<SmokeTest>[]): SettingProblem[] {
  if (test.after === undefined) return [];
  const at = ["after"];
  const before = earlier.findLast(({ id }) => id === test.after);
  if (!before) {
    const what = `comes after ${quoted(test.after)}, which is no earlier test of this document`;
    return [{ at, what, fix: "name a test that stands above it" }];
  }
  const kind = kindOf(before);
  if (kind !== undefined && SETTINGS_OF[kind] === undefined)
    return [{ at, what: `comes after a test of ${kind}, which runs no container`, fix: "name another test" }];
  if (kindOf(test) === "http" && kind !== "http" && before.after === undefined)
    return [
      {
        at,
        what: "asks the image's service after a test that does not start it",
        fix: "name a test of http",
      },
    ];
  const more = SETTING_NAMES.filter((name) => test[name] !== undefined && !AFTER_ANOTHER.includes(name));
  return more.map((name) => ({
    at: [name],
    what: `has \`${name}\`, but its container is that of ${quoted(test.after ?? "")}`,
    fix: `move it to that test`,
  }));
}

/**
 * What is wrong with the settings of a test.
 * @param earlier the tests above it in its document
 */
export function settingProblems(
  test: Sound<SmokeTest>,
  earlier: readonly Sound<SmokeTest>[],
): SettingProblem[] {
  const kind = kindOf(test);
  const allowed = (kind && SETTINGS_OF[kind]) ?? [];
  const useless = kind === undefined ? [] : SETTING_NAMES.filter((name) => test[name] !== undefined);
  const problems: SettingProblem[] = useless
    .filter((name) => !allowed.includes(name))
    .map((name) => ({
      at: [name],
      what: `has \`${name}\`, which means nothing for ${kind ?? ""}`,
      fix: name === "argv" && allowed.length > 0 ? `write it into \`${kind ?? ""}\`` : "remove it",
    }));
  if (test.after !== undefined && kind !== undefined && allowed.length === 0)
    problems.push({ at: ["after"], what: `has \`after\`, but ${kind} runs nothing`, fix: "remove it" });
  const path = test.script?.path;
  if (path !== undefined && path.split("/").some((part) => part === "." || part === ".." || part === ""))
    problems.push({
      at: ["script", "path"],
      what: `names ${quoted(path)}`,
      fix: "write the path without `.` and `..`",
    });
  return [
    ...problems,
    ...ofAfter(test, earlier),
    ...below(["tmpfs"], ofTmpfs(test.tmpfs)),
    ...below(["wait_for"], test.wait_for ? ofWait(test.wait_for, false) : []),
    ...Object.entries(test.services ?? {}).flatMap(([name, service]) =>
      service ? below(["services", name], ofService(service)) : [],
    ),
  ];
}
