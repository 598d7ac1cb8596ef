import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { planningFlags, type Verb, verb, wholeNumber } from "./verb.ts";

/** Reads a size, such as 50MB, of at least a megabyte. @throws InvalidArgumentError */
function size(text: string): string {
  if (/^[1-9]\d{0,5}(MB|GB|MiB|GiB)$/.test(text)) return text;
  throw new InvalidArgumentError("It has to be a size of 1MB or more, such as 50MB or 64MiB.");
}

const RATES = { kbit: 1e3, Mbit: 1e6, Gbit: 1e9 } as const;

/** Reads a bandwidth, such as 100Mbit, as bits in a second. @throws InvalidArgumentError */
function bandwidth(text: string): number {
  const [, amount, unit] = /^(\d{1,6})(kbit|Mbit|Gbit)$/.exec(text) ?? [];
  const bits = Number(amount) * (RATES[unit as keyof typeof RATES] ?? 0);
  if (bits > 0) return bits;
  throw new InvalidArgumentError("It has to be a bandwidth such as 100Mbit, 500kbit or 1Gbit.");
}

/** Reads the end of a tag. @throws InvalidArgumentError */
function suffix(text: string): string {
  if (/^[A-Za-z0-9_.-]{1,40}$/.test(text)) return text;
  throw new InvalidArgumentError("It has to be 1 to 40 letters, digits, `_`, `.` or `-`.");
}

export const repackVerb: Verb = (act) =>
  verb(
    "repack",
    "put the files of a proven image into layers that are pulled faster, test that image, and record it; the original stays",
    [
      "factory repack llm_factory.core-0.1.0.light-0.2.0.linux-amd64 --with zstd",
      "factory repack app.linux-arm64 --target-size 50MB --bandwidth 1Gbit --parallel 6",
      "factory repack 20260131t120000000z-1a2b3c4d5e6f7890 --push --json",
    ],
  )
    .argument("<image>", "a cell, the digest of its image, or the id of the record that proves it")
    .addOption(
      new Option(
        "--with <program>",
        "default: docker-repack where it is installed, else zstd, by BuildKit",
      ).choices(["docker-repack", "zstd"] as const),
    )
    .addOption(
      new Option("--target-size <size>", "how large a layer may be, packed; for docker-repack")
        .argParser(size)
        .default("50MB"),
    )
    .addOption(
      new Option("--tag-suffix <text>", "what its tag has behind that of the cell")
        .argParser(suffix)
        .default("-repacked"),
    )
    .addOption(
      new Option("--bandwidth <rate>", "of the line that a pull is reckoned with")
        .argParser(bandwidth)
        .default(100e6, "100Mbit"),
    )
    .addOption(
      new Option("--parallel <n>", "how many layers such a pull fetches at once")
        .argParser(wholeNumber(1))
        .default(3),
    )
    .option("--push", "push it, if it saves what the product's policy asks for")
    .addOption(planningFlags.locked())
    .action(
      act(async (context, image, options) => (await import("./repack.ts")).repack(context, image, options)),
    );
