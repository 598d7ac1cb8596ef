import type { LibraryTrust } from "../catalog/libraries.ts";
import type { OpenCatalog } from "../catalog/open.ts";
import type { Palette } from "../screen/palette.ts";
import type { World } from "../world.ts";

/** What a command gives back: the text for people, the document for `--json`, and how the process ends. */
export interface CommandResult {
  /** Whole, or a piece at a time if it may be very long. */
  text: string | Iterable<string>;
  json: unknown;
  /** Whether the text is a file's content: a pipe or a file gets its bytes as they are. */
  isContent?: boolean;
  /** The document for `--json` a piece at a time, in place of `json`. */
  jsonPieces?: () => Iterable<string>;
  exitCode?: 0 | 1 | 2 | 3 | 130;
  /** Whether nothing that still waits for an answer matters: the process ends without it. */
  abandons?: boolean;
}

/** What a command may use. Nothing here is loaded before it is asked for. */
export interface Context {
  /** Absolute path that relative paths on the command line start from. */
  cwd: string;
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  /** Columns of the terminal; undefined if stdout is not a terminal. */
  columns: number | undefined;
  /** Colours for stdout; without colours, functions that change nothing. */
  color: Palette;
  /** Whether stderr takes colours. */
  stderrColor: boolean;
  /** Values that the environment passes to every build. */
  environment: Readonly<Record<string, string>>;
  /**
   * The workspace. Libraries that it names and that are not there are fetched.
   * @param options.trust what libraries have to be. Default: what factory.lock says
   * @param options.fetch false if nothing may be fetched
   * @throws FactoryError WORKSPACE_NOT_FOUND, LIBRARY_*
   */
  catalog: (options?: { trust?: LibraryTrust; fetch?: boolean }) => Promise<OpenCatalog>;
  /** The engine, the clock and the like. */
  world: () => Promise<World>;
  /** Milliseconds since 1970. */
  now: () => number;
  /** A line for people on stderr. */
  say: (text: string) => void;
  /** Fires at the first SIGINT, SIGTERM or SIGHUP. */
  signal: AbortSignal;
}
