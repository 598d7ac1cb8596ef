import type { ImageContents } from "../../model/image-contents.ts";
import type { Outcome } from "../outcome.ts";

/** What a program that was run came to. */
export type Execution =
  | { ended: "exit" | "out-of-memory"; exitCode: number; stdout: string; stderr: string }
  | { ended: "late" | "flood"; exitCode: null; stdout: string; stderr: string }
  /** The image lacks it, or may not execute it. */
  | { ended: "not-started"; why: string }
  /** It says nothing about the image: the engine refused, or somebody killed the container. */
  | { ended: "error"; why: string };

/** What stands at a path of an image. A symbolic link is told as itself. */
export interface Inode {
  type: string;
  /** Where a symbolic link leads. */
  link: string | null;
  mode: number;
  uid: number;
  gid: number;
  bytes: number;
  /** The start of a regular file, at most 1 MiB; empty for all else. */
  contents: string;
}

/** The part of an image's description that tests read. */
export interface ImageFacts {
  Config?: {
    User?: string;
    WorkingDir?: string;
    Entrypoint?: string[] | null;
    Cmd?: string[] | null;
    Env?: string[] | null;
    Labels?: Record<string, string> | null;
    ExposedPorts?: Record<string, unknown> | null;
  };
  RootFS?: { Layers?: string[] | null };
}

/** A request to the image's own service. */
export interface ServiceRequest {
  port: number;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

/** What tests may do with an image. All of it throws where the suite is interrupted, and where there is no engine. */
export interface Tools extends ImageContents {
  /**
   * Runs a program within the sandbox, and has it judged. Where a container that an earlier test used gives another
   * verdict than `pass`, the program is run again in a new one, whose verdict counts.
   */
  execute: (
    program: { argv: readonly string[]; isolated: boolean; timeoutMs: number },
    judge: (execution: Execution) => Outcome,
  ) => Promise<Outcome>;
  /** What stands at a path of the image; `absent` where nothing does. */
  lookAt: (path: string) => Promise<Inode | "absent" | { error: string }>;
  image: ImageFacts;
  /** Bytes of the unpacked layers. */
  unpackedSize: () => Promise<number | { error: string }>;
  /** Asks the image's service, which is started before the first request. An outcome is returned if there is no answer. */
  request: (
    request: ServiceRequest,
    options: { expected: string; timeoutMs: number },
  ) => Promise<{ status: number; body: string } | { outcome: Outcome }>;
  limits: { memory_mb: number };
}

/** What tests of an image share, so that they run one after the other: the container of commands, or the service. */
export type Turn = "commands" | "service";

/** Something wrong with how a test is declared, beyond what the schema says. */
export interface ShapeProblem {
  field: string;
  what: string;
  fix: string;
}

/** `sha256:…` of a text file of the workspace, by its path from the root. @throws FactoryError FILE_* */
export type HashOf = (path: string) => string;

/** Where a script of the workspace is mounted in a container. */
export function scriptPlace(path: string): string {
  return `/run/factory/${path}`;
}

/**
 * One kind of smoke test.
 * T is its declaration in a document, C its explicit form: every default is written out, null means "not asked".
 * The form is hashed: a new field whose default is written out would change the hash of every suite that has the kind.
 */
export interface Kind<T, C extends { kind: string }> {
  form: (declared: T, hashOf: HashOf) => C;
  /** Fields that hold a text match. */
  matches: readonly (keyof T & string)[];
  /** Rules over several fields; of a document that is being checked any field may be missing. */
  problems?: (declared: Partial<T>) => ShapeProblem[];
  /** The port of the image's service that is asked. */
  port?: (check: C) => number;
  /** The script that has to be in the test's container. */
  script?: (check: C) => string;
  /**
   * Tests that name the same thing run one after the other, in their order; the others run at any time, some at once.
   * `mayShare` tells whether commands may share a container.
   */
  inTurn?: (check: C, mayShare: boolean) => Turn | undefined;
  run: (check: C, tools: Tools, timeoutMs: number) => Promise<Outcome>;
}
