import { compareText } from "../../model/compare.ts";
import type { ConfigTest } from "../../schemas/types.ts";
import { observed, outcomeOf } from "../outcome.ts";
import type { Observation } from "../outcome.ts";
import { quoted } from "../text.ts";
import type { Kind } from "./kind.ts";

interface ConfigCheck {
  kind: "config";
  user: string | null;
  workdir: string | null;
  entrypoint: string[] | null;
  cmd: string[] | null;
  env: Record<string, string>;
  labels: Record<string, string>;
  /** Sorted, each with its protocol: `8080/tcp`. */
  ports: string[] | null;
}

function sameText(name: string, expected: string | null, actual: string): Observation[] {
  if (expected === null) return [];
  return [
    observed(expected === actual, `${name} ${quoted(expected, 200)}`, `${name} ${quoted(actual, 200)}`),
  ];
}

function sameList(name: string, expected: string[] | null, actual: readonly string[]): Observation[] {
  if (expected === null) return [];
  const shown = (list: readonly string[]) => `${name} [${list.map((one) => quoted(one, 100)).join(", ")}]`;
  const same = expected.length === actual.length && expected.every((one, index) => one === actual[index]);
  return [observed(same, shown(expected), shown(actual))];
}

function sameEntries(
  name: string,
  expected: Record<string, string>,
  actual: ReadonlyMap<string, string>,
): Observation[] {
  return Object.entries(expected).map(([key, value]) => {
    const shown = `${name} ${quoted(key, 100)}`;
    const there = actual.get(key);
    return observed(
      there === value,
      `${shown} is ${quoted(value, 150)}`,
      there === undefined ? `${shown} is not set` : `${shown} is ${quoted(there, 150)}`,
    );
  });
}

function variables(env: readonly string[]): Map<string, string> {
  return new Map(
    env.map((line) => {
      const at = line.indexOf("=");
      return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

/** Compares the image's configuration. No working directory is the same as `/`. */
export const config: Kind<ConfigTest, ConfigCheck> = {
  form: ({ user = null, workdir = null, entrypoint = null, cmd = null, env = {}, labels = {}, ports }) => ({
    kind: "config",
    user,
    workdir,
    entrypoint,
    cmd,
    env,
    labels,
    ports: ports?.map((port) => (port.includes("/") ? port : `${port}/tcp`)).sort(compareText) ?? null,
  }),
  matches: [],
  run: (check, tools) => {
    const { User = "", WorkingDir, Entrypoint, Cmd, Env, Labels, ExposedPorts } = tools.image.Config ?? {};
    const outcome = outcomeOf([
      ...sameText("user", check.user, User),
      ...sameText("workdir", check.workdir, WorkingDir || "/"),
      ...sameList("entrypoint", check.entrypoint, Entrypoint ?? []),
      ...sameList("cmd", check.cmd, Cmd ?? []),
      ...sameEntries("variable", check.env, variables(Env ?? [])),
      ...sameEntries("label", check.labels, new Map(Object.entries(Labels ?? {}))),
      ...sameList("ports", check.ports, Object.keys(ExposedPorts ?? {}).sort(compareText)),
    ]);
    return Promise.resolve(outcome);
  },
};
