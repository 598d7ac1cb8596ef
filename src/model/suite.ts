import type {
  BudgetTest,
  CommandTest,
  ConfigTest,
  FileTest,
  HttpTest,
  SmokeTest,
  TextMatch,
} from "../schemas/types.ts";
import { bytesOf } from "./bytes.ts";
import { compareText } from "./compare.ts";
import { digestOf } from "./digest.ts";
import type { DeclaredTest } from "./smoke.ts";

/** What a test checks, with every default made explicit: null stands for "not asked". */
export type Check =
  | { kind: "command"; argv: string[]; exit_code: number; stdout: TextMatch | null; stderr: TextMatch | null }
  | {
      kind: "http";
      port: number;
      method: NonNullable<HttpTest["method"]>;
      path: string;
      /** Names in lower case. */
      headers: Record<string, string>;
      /** Empty for none. */
      body: string;
      status: number;
      response: TextMatch | null;
    }
  | {
      kind: "file";
      path: string;
      exists: boolean;
      /** Four octal digits. */
      mode: string | null;
      owner: string | null;
      contents: TextMatch | null;
    }
  | {
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
  | { kind: "budget"; size_bytes: number | null; layers: number | null };

/** The check of one kind. */
export type CheckOf<K extends Check["kind"]> = Extract<Check, { kind: K }>;

/** The tests of an image: those of its fragments, in their order, then the manifest's. */
export function effectiveTests(
  fragments: readonly { name: string; smoke?: readonly SmokeTest[] }[],
  manifestSmoke: readonly SmokeTest[] = [],
): DeclaredTest[] {
  const ofFragments = fragments.flatMap(({ name, smoke = [] }) =>
    smoke.map((test) => ({ ...test, from: name })),
  );
  return [...ofFragments, ...manifestSmoke.map((test) => ({ ...test, from: "manifest" }))];
}

function commandCheck(test: CommandTest): CheckOf<"command"> {
  const { argv, exit_code = 0, stdout = null, stderr = null } = test;
  return { kind: "command", argv, exit_code, stdout, stderr };
}

function httpCheck(test: HttpTest): CheckOf<"http"> {
  const { port, method = "GET", path, headers = {}, body = "", status = 200, response = null } = test;
  const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return { kind: "http", port, method, path, headers: Object.fromEntries(lowerCase), body, status, response };
}

/** Permission bits as four octal digits. */
export function octalMode(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

function fileCheck(test: FileTest): CheckOf<"file"> {
  const { path, exists = true, mode, owner = null, contents = null } = test;
  const bits = mode === undefined ? null : octalMode(Number.parseInt(mode, 8));
  return { kind: "file", path, exists, mode: bits, owner, contents };
}

function configCheck(test: ConfigTest): CheckOf<"config"> {
  const { user = null, workdir = null, entrypoint = null, cmd = null, env = {}, labels = {} } = test;
  const ports =
    test.ports?.map((port) => (port.includes("/") ? port : `${port}/tcp`)).sort(compareText) ?? null;
  return { kind: "config", user, workdir, entrypoint, cmd, env, labels, ports };
}

function budgetCheck(test: BudgetTest): CheckOf<"budget"> {
  const { size, layers = null } = test;
  return { kind: "budget", size_bytes: size === undefined ? null : bytesOf(size), layers };
}

/** What the test checks; undefined where it holds no check at all. */
export function checkOf(test: SmokeTest): Check | undefined {
  if (test.command) return commandCheck(test.command);
  if (test.http) return httpCheck(test.http);
  if (test.file) return fileCheck(test.file);
  if (test.config) return configCheck(test.config);
  if (test.budget) return budgetCheck(test.budget);
  return undefined;
}

/**
 * sha256 over all of the tests that can change a verdict. A default that is written out changes nothing, and neither
 * does a summary; the order counts, for HTTP tests share a container. A time-out that is left out stays null: the
 * workspace's limits are hashed beside the suite.
 */
export function suiteHash(tests: readonly DeclaredTest[], gpus?: "all" | number): string {
  return digestOf({
    scheme: "factory/suite/1",
    gpus: gpus ?? null,
    tests: tests.map((test) => ({
      from: test.from,
      id: test.id,
      timeout_s: test.timeout_s ?? null,
      check: checkOf(test) ?? null,
    })),
  });
}
