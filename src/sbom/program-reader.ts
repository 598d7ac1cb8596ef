import { seekCargoAudit } from "./cargo-audit.ts";
import { seekGoBuild } from "./go-build.ts";
import { MARGIN, type Program, type Seeker } from "./seeker.ts";

/** So many places are looked at and taken for what they are not; real programs have fewer than ten. */
const MOST_MISTAKES = 1000;

/** The first bytes of ELF, PE and Mach-O files. */
const MAGIC_BYTES = 4;
const MAGIC = /^(?:\x7fELF|MZ|\xfe\xed\xfa[\xce\xcf]|[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba\xbe)/;

/** Finds the first thing that one seeker seeks, in a stream of any length. */
function createSearch({ needles, measure, read }: Seeker) {
  let found: Partial<Program> | null = null;
  let mistakes = 0;
  let taking: Buffer[] = [];
  let left = 0;
  const finish = () => {
    found = read(Buffer.concat(taking));
    if (!found) mistakes += 1;
    taking = [];
    left = 0;
  };
  const take = (bytes: Buffer) => {
    // A copy, since a view would keep the whole piece in memory.
    taking.push(Buffer.from(bytes.subarray(0, left)));
    left -= Math.min(left, bytes.length);
    if (left === 0) finish();
  };
  return {
    /** Takes the bytes from `fresh` on; those before were taken already. Needles before `end` are looked at. */
    look: (window: Buffer, { fresh, end, offset }: { fresh: number; end: number; offset: number }) => {
      if (left > 0) take(window.subarray(fresh));
      for (const needle of needles) {
        for (let at = window.indexOf(needle); at >= 0 && at < end; at = window.indexOf(needle, at + 1)) {
          if (found || left > 0 || mistakes > MOST_MISTAKES) return;
          left = measure(window, at, offset + at);
          if (left > 0) take(window.subarray(at));
        }
      }
    },
    end: () => {
      if (left > 0) finish();
      return found;
    },
  };
}

/** Reads a program piece by piece, and keeps next to nothing of it. */
export interface ProgramReader {
  take: (piece: Buffer) => void;
  /** What is kept, as JSON; null if it is no program, or says nothing. */
  end: () => Buffer | null;
}

export function createProgramReader(): ProgramReader {
  const searches = [seekGoBuild, seekCargoAudit].map(createSearch);
  /** The last bytes, which the needles in them need to be looked at with those that follow. */
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  let isProgram: boolean | null = null;
  const look = (window: Buffer, last: boolean) => {
    const end = last ? window.length : Math.max(0, window.length - MARGIN);
    for (const search of searches) search.look(window, { fresh: rest.length, end, offset });
    rest = Buffer.from(window.subarray(end));
    offset += end;
  };
  return {
    take: (piece) => {
      if (isProgram === false) return;
      const window = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      if (window.length >= MAGIC_BYTES) isProgram ??= MAGIC.test(window.toString("latin1", 0, MAGIC_BYTES));
      // Nothing was taken of the first bytes as long as they are too few to tell.
      if (isProgram === true) look(window, false);
      else rest = window;
    },
    end: () => {
      if (isProgram !== true) return null;
      look(rest, true);
      const program = Object.assign({}, ...searches.map((search) => search.end() ?? {})) as Program;
      return Object.keys(program).length === 0 ? null : Buffer.from(JSON.stringify(program));
    },
  };
}

/** What was kept of a program. */
export function programIn(bytes: Buffer | null): Program {
  return bytes === null ? {} : (JSON.parse(bytes.toString("utf8")) as Program);
}
