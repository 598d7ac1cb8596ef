import { type Instruction, withoutMarks } from "./dockerfile.ts";
import { takeFlags } from "./words.ts";

/** An instruction that would write a secret into the image. */
interface Exposed {
  what: string;
  fix: string;
  line: number;
}

/** Names of variables that hold a secret itself, not its path, its length or a switch about it. */
const SECRET_NAME =
  /(^|_)(TOKEN|PASSWORD|PASSWD|PASSPHRASE|SECRET|SECRET_KEY|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS?)$/i;
/** Of what is not secret although its name ends like that. */
const PUBLIC_NAME = /PUBLIC|(^|_)(ALLOW|DISABLE|ENABLE|MAX|MIN|NUM|PAD|EOS|BOS|UNK|USE)_/i;
/** How well-known kinds of tokens start: GitHub, GitLab, npm, PyPI, Hugging Face, Slack, AWS, JWT and others. */
const TOKEN =
  /^(gh[pousr]_|github_pat_|glpat-|npm_[A-Za-z0-9]{20}|pypi-|hf_[A-Za-z0-9]{20}|xox[abprs]-|AKIA[A-Z0-9]{12}|sk-[A-Za-z0-9_-]{20}|eyJ[A-Za-z0-9_-]{20}|-----BEGIN .*PRIVATE KEY)/;
/** A password in a URL; a variable in its place is found where it is declared. */
const URL_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@:]*:[^\s/?#@$]+@/i;

const FIX =
  "declare it under `secrets:` in this document, and use it with RUN --mount=type=secret,id=…,env=…";

/** The pairs of an ARG or ENV, with values unquoted; the value is undefined if none is given. */
function pairsOf(keyword: string, rest: string): [name: string, value: string | undefined][] {
  const old = /^\s*([A-Za-z_]\w*)\s+(?!=)([\s\S]*)$/.exec(rest);
  if (keyword === "ENV" && old && !(old[1] ?? "").includes("="))
    return [[old[1] ?? "", old[2]?.trim() ?? ""]];
  const words = rest.match(/(?:"(?:[^"\\]|\\[\s\S])*"|'[^']*'|\\[\s\S]|[^\s"'\\])+/g) ?? [];
  return words.map((word): [string, string | undefined] => {
    const [, name = word, value] = /^([^=]*)=([\s\S]*)$/.exec(word) ?? [];
    return [name, value?.replace(/["']/g, "")];
  });
}

/** Whether a value looks drawn at random: long, of letters and digits, and not a path or an address. */
function looksRandom(value: string): boolean {
  return (
    value.length >= 16 &&
    /^[A-Za-z0-9+/=_.~-]+$/.test(value) &&
    /[A-Za-z]/.test(value) &&
    /\d/.test(value) &&
    !/^[./~]/.test(value)
  );
}

function exposedBy(keyword: string, name: string, value: string | undefined): string | undefined {
  const named = SECRET_NAME.test(name) && !PUBLIC_NAME.test(name);
  if (keyword === "ARG" && named && value === undefined)
    return `ARG ${name} looks like a secret, and the image's history would show its value`;
  if (value === undefined) return undefined;
  if (TOKEN.test(value) || (named && looksRandom(value)))
    return `the value of ${keyword} ${name} looks like a secret, and the image would hold it`;
  if (URL_PASSWORD.test(value))
    return `${keyword} ${name} has a password in a URL, and the image would hold it`;
  return undefined;
}

/**
 * ARG and ENV that look as if they carry a secret. Only what hardly is anything else: an ARG without a value with a telling
 * name, the value of such a variable if it looks random, tokens of well-known forms, a password in a URL.
 */
export function exposedSecrets(instructions: readonly Instruction[]): Exposed[] {
  return instructions.flatMap(({ keyword, rest, line }) => {
    const text = withoutMarks(rest);
    const [, inner = "", innerRest = ""] =
      keyword === "ONBUILD" ? (/^\s*(\S+)\s*([\s\S]*)$/.exec(text) ?? []) : ["", keyword, text];
    const name = inner.toUpperCase();
    if (name !== "ARG" && name !== "ENV") return [];
    return pairsOf(name, takeFlags(innerRest).rest).flatMap(([variable, value]): Exposed[] => {
      const what = exposedBy(name, variable, value);
      return what === undefined ? [] : [{ what, fix: FIX, line }];
    });
  });
}
