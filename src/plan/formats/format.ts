import type { OpenCatalog } from "../../catalog/open.ts";
import type { Planned } from "../cell.ts";
import type { ShardedPlan } from "../shards/split.ts";

/** What a format is given. */
export interface FormatInput {
  planned: Planned;
  catalog: OpenCatalog;
  /** How the cells are split; null where the format is not written from shards, and nobody asked for them. */
  sharded: ShardedPlan | null;
  /** `--max-jobs`, where it was given. */
  maxJobs: number | undefined;
  /** Draws a plan for people, for the place that it goes to. */
  draw: (planned: Planned) => Iterable<string>;
  /** Writes a folder of files that the text names. @param folder from the workspace's root; it is emptied first */
  fillFolder: (folder: string, fill: (write: (name: string, text: string) => void) => void) => void;
  /** A line for people. */
  say: (text: string) => void;
}

/** A file, without the line break at its end. */
export interface FormatFile {
  name: string;
  /** Whole, or a piece at a time if it may be very long. */
  text: string | Iterable<string>;
}

/** A plan as a format writes it. */
export interface FormatOutput {
  /** How many files it is. More than one need a folder. */
  count: number;
  /** Each is made when it is asked for. */
  files: Iterable<FormatFile>;
  /** Whether it is for programs: a pipe gets its bytes as they are. */
  isContent: boolean;
  /** What `--json` gives: the plan's own document, the text under the format's name, or another document. */
  document: "plan" | "text" | { json: unknown };
}

export type WriteFormat = (input: FormatInput) => FormatOutput;

/** What is known of a format before it is loaded. */
export interface PlanFormat {
  /** A few words for the help. */
  description: string;
  /** Whether it is written from shards: always, where they are asked for, or never. */
  sharding: "always" | "asked" | "never";
  /** How many shards it is written from where the command line says nothing. */
  maxJobs?: number;
  load: () => Promise<{ write: WriteFormat }>;
}

/** One file for programs, whose text `--json` gives under the format's name. */
export function content(name: string, text: string): FormatOutput {
  return { count: 1, files: [{ name, text: text.trimEnd() }], isContent: true, document: "text" };
}
