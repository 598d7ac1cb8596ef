export type Health = "ok" | "warning" | "broken";

/** What one look came to. */
export interface Diagnosis {
  /** What was looked at: `engine`, `registry`. */
  check: string;
  health: Health;
  what: string;
  /** The command, or what else to do; null where nothing has to be done. */
  fix: string | null;
  /** Does it, where that is safe: nothing that anybody may still need is lost. */
  mend?: () => Promise<void>;
}

type Said = Omit<Diagnosis, "check" | "health">;

export const ok = (check: string, what: string): Diagnosis => ({ check, health: "ok", what, fix: null });
/** It works, but not all of it, or not for long. */
export const warning = (check: string, said: Said): Diagnosis => ({ check, health: "warning", ...said });
/** Something that this workspace needs does not work. */
export const broken = (check: string, said: Said): Diagnosis => ({ check, health: "broken", ...said });

/** A path as a word of a command that people copy: no folder's name becomes a part of the command itself. */
export function shellWord(path: string): string {
  return /^[A-Za-z0-9_./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
