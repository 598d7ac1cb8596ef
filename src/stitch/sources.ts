import { type Instruction, withoutMarks } from "./dockerfile.ts";
import { plainWords, takeFlags } from "./words.ts";

/** Something that an instruction takes from outside, so that the same Dockerfile may give other bits another day. */
export interface OpenSource {
  what: string;
  fix: string;
  line: number;
}

/** Arguments that BuildKit fills from the machine that builds: no key covers them. */
const OF_THE_BUILDER = /^BUILD(PLATFORM|OS|OSVERSION|ARCH|VARIANT)$/;
/** Arguments that clients fill from their settings, in upper or lower case; without an ARG they do not reach the image. */
const PROXY = /^(HTTP|HTTPS|FTP|NO|ALL)_PROXY$/i;

const COMMIT = /^[a-f0-9]{40}([a-f0-9]{24})?$/;

/** Whether BuildKit treats a source of ADD as a git repository. */
function isGit(source: string): boolean {
  return (
    /^(git|ssh):\/\//.test(source) ||
    /^[\w.-]+@[\w.-]+:/.test(source) ||
    /^github\.com\//.test(source) ||
    /^https?:\/\/[^?#]*\.git(?=[?#]|$)/.test(source)
  );
}

function namesCommit(source: string): boolean {
  const [address = "", fragment = ""] = source.split("#", 2);
  const [ref = ""] = fragment.split(":", 1);
  const query = new URLSearchParams(address.split("?", 2)[1] ?? "");
  return (
    COMMIT.test(ref) || [query.get("commit"), query.get("checksum")].some((one) => COMMIT.test(one ?? ""))
  );
}

/** Whether ADD fetches a source from elsewhere. */
export function isRemote(source: string): boolean {
  return isGit(source) || /^https?:\/\//.test(source);
}

/** What follows the flags of a COPY or ADD, in either form, without the last word: its sources. */
export function copiedWords(rest: string): string[] {
  if (rest.trimStart().startsWith("[")) {
    try {
      const words: unknown = JSON.parse(rest);
      if (Array.isArray(words)) return words.map(String).slice(0, -1);
    } catch {
      // Not a JSON array: it is read as words.
    }
  }
  return plainWords(rest).slice(0, -1);
}

/** Whether an ADD reads a git repository. @param rest what follows the keyword */
export function addsGit(rest: string): boolean {
  return copiedWords(takeFlags(rest).rest).some(isGit);
}

function ofAdd(rest: string, line: number): OpenSource[] {
  const { flags, rest: words } = takeFlags(rest);
  const hasChecksum = flags.some((flag) => /^--checksum=[a-z0-9]+(:[a-f0-9]{64})?$/.test(flag));
  return copiedWords(words).flatMap((source): OpenSource[] => {
    if (isGit(source)) {
      if (hasChecksum || namesCommit(source)) return [];
      return [
        {
          what: `ADD takes ${source} at whatever commit is current`,
          fix: "name the full commit after `#`",
          line,
        },
      ];
    }
    const isAddress = isRemote(source);
    if ((!isAddress && !source.includes("$")) || hasChecksum) return [];
    const what = isAddress
      ? `ADD takes whatever is at ${source} then`
      : `ADD takes ${source}, and what that means cannot be determined`;
    return [{ what, fix: "add --checksum=sha256:…", line }];
  });
}

function ofArg(rest: string, line: number): OpenSource[] {
  return plainWords(rest).flatMap((word): OpenSource[] => {
    const [name = ""] = word.split("=", 1);
    if (!OF_THE_BUILDER.test(name) && !PROXY.test(name)) return [];
    const whose = PROXY.test(name) ? "the settings of whoever builds" : "the machine that builds";
    return [
      {
        what: `ARG ${name} brings ${whose} into the image`,
        fix: PROXY.test(name)
          ? "remove it: a proxy works without it"
          : "write the value itself, or use TARGETPLATFORM",
        line,
      },
    ];
  });
}

/**
 * Inputs that are neither in a Dockerfile nor in its files and not pinned: ADD from the web without a checksum, or of git
 * without a commit, and arguments that the environment fills. SOURCE_DATE_EPOCH is in the key, so it is not one of them.
 */
export function openSources(instructions: readonly Instruction[]): OpenSource[] {
  return instructions.flatMap(({ keyword, rest, line }) => {
    const text = withoutMarks(rest);
    const [, inner = "", innerRest = ""] =
      keyword === "ONBUILD" ? (/^\s*(\S+)\s*([\s\S]*)$/.exec(text) ?? []) : ["", keyword, text];
    switch (inner.toUpperCase()) {
      case "ADD":
        return ofAdd(innerRest, line);
      case "ARG":
        return ofArg(innerRest, line);
      case "FROM": {
        const platform = takeFlags(innerRest).flags.find((flag) => /^--platform=.*\$\{?BUILD/s.test(flag));
        if (platform === undefined) return [];
        return [
          {
            what: `FROM ${platform} takes the platform of the machine that builds`,
            fix: "write the platform itself, such as --platform=linux/amd64",
            line,
          },
        ];
      }
      default:
        return [];
    }
  });
}
