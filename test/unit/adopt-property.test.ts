import { mkdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { adopt } from "../../src/adopt/adopt.ts";
import { openCatalog } from "../../src/catalog/open.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { temporaryFolder, writeFiles } from "./workspace.ts";

/** Words that mean something to shells, to BuildKit, to the template language, or to the search for versions. */
const word = fc.constantFrom(
  "a",
  "3.12",
  "v1.2.3",
  "python3.11",
  "8080",
  "{{x}}",
  "{{{x}}}",
  "\\{{x}}",
  "\\\\{{x}}",
  "{{!--",
  "{{#if a}}",
  "}}",
  "{1}",
  "${A:-1}",
  "'{{.Names}}'",
  '"b c"',
  "\\$x",
  "é",
  "0123456789abcdef0123",
  "{",
  "x{2}",
);
const words = fc.array(word, { minLength: 1, maxLength: 5 }).map((all) => all.join(" "));
const value = fc.constantFrom("1", "3.12.1", "'a b'", "{{x}}", '"\\{{x}}"', "C.UTF-8");
const name = fc.constantFrom("A", "B_C", "PYTHON_VERSION");

const instruction = fc.oneof(
  words.map((text) => `RUN echo ${text}`),
  words.map((text) => `run echo ${text} \\\n  && true ${text}`),
  words.map((text) => `RUN echo 1 \\\n# a {{comment}} 1.2\n\n  ${text}`),
  words.map((text) => `# ${text}\nRUN true`),
  words.map((text) => `RUN <<EOF\n# not a comment {{x}}\n${text}\nEOF`),
  words.map((text) => `RUN <<-'E 1' cat <<X\n${text}\n\tE 1\n${text} 2\nX`),
  fc.tuple(name, value).map(([n, v]) => `ENV ${n}=${v}`),
  fc.tuple(name, value).map(([n, v]) => `ARG ${n}=${v}`),
  name.map((n) => `ARG ${n}`),
  fc.constantFrom(
    "COPY . .",
    "COPY a.txt ./dir/ /x/",
    'COPY ["a.txt", "b c", "/x/"]',
    "COPY --chown=1:1 dir \\\n  /x",
    "COPY <<EOF /x\n{{x}}\nEOF",
    "ADD a.txt /",
    "RUN --mount=type=cache,target=/c --mount=target=/src,ro ls",
    "RUN --mount=type=bind,source=dir,target=/src ls",
    "COPY --from=alpine:3.20 /a /b",
    "COPY --from=0 /a /b",
    "COPY --from=first /a /b",
    "RUN --mount=from=first,source=/a,target=/b ls",
    "WORKDIR /srv",
    "USER 1000",
    "EXPOSE 80 443/tcp",
    "LABEL a=1 b='2 {{x}}'",
    'ENTRYPOINT ["a", "{{x}}"]',
    "CMD a",
    'CMD ["a"]',
    'SHELL ["/bin/sh", "-c"]',
    "STOPSIGNAL SIGTERM",
    "HEALTHCHECK --interval=5s CMD a {{x}}",
    "VOLUME /a",
    "onbuild run a {{x}} 1",
    "ONBUILD CMD b",
  ),
);
const stage = fc.array(instruction, { maxLength: 8 });

/** A Dockerfile whose last stage uses the first: as its base, as a source of files, or not at all if there is one only. */
const dockerfile = fc
  .record({
    start: fc.constantFrom("", "# syntax=docker/dockerfile:1\n", "ARG V=3.20\n"),
    first: stage,
    last: stage,
    how: fc.constantFrom("single", "chain", "copy"),
    end: fc.constantFrom("\n", "\r\n"),
  })
  .map(({ start, first, last, how, end }) => {
    const own = how === "single" ? (line: string) => !/first|--from=0/.test(line) : () => true;
    // A stage that does not come before cannot be named.
    const below = first.filter((line) => !/first|--from=0/.test(line));
    const base = start.startsWith("ARG") ? "alpine:${V}" : "debian:bookworm-slim";
    const lines =
      how === "single"
        ? [`FROM ${base}`, ...last.filter(own)]
        : how === "chain"
          ? [`FROM ${base} AS First`, ...below, "FROM first", ...last]
          : [`FROM ${base} AS First`, ...below, "FROM scratch as end", "COPY --from=first /a /b", ...last];
    return `${start}${lines.join("\n")}\n`.replaceAll("\n", end);
  });

const CONTEXT = { "a.txt": "a\n", "b c": "b\n", "dir/x": "x\n" };

describe("adopt, then stitch", () => {
  it(
    "gives the same instructions in the same order, whatever a Dockerfile says",
    { timeout: 120_000 },
    () => {
      const root = temporaryFolder();
      let run = 0;
      fc.assert(
        fc.property(fc.array(dockerfile, { minLength: 1, maxLength: 3 }), (texts) => {
          const folder = join(root, String((run += 1)));
          mkdirSync(folder);
          writeFiles(
            folder,
            Object.fromEntries(
              texts.flatMap((text, at): [string, string][] => [
                [`s${at}/Dockerfile`, text],
                ...Object.entries(CONTEXT).map(([path, content]): [string, string] => [
                  `s${at}/${path}`,
                  content,
                ]),
              ]),
            ),
          );
          const adopted = adopt({
            dockerfiles: texts.map((_, at) => ({ file: `s${at}`, path: join(folder, `s${at}/Dockerfile`) })),
            context: null,
            out: join(folder, "out"),
          });
          expect(adopted.notCarried.filter(({ what }) => what !== "ONBUILD")).toEqual([]);
          expect(adopted.proof.flatMap(({ differences }) => differences)).toEqual([]);
          // The proof itself is not trusted: all that the last stage says is there, in its order, without a change.
          const catalog = openCatalog(join(folder, "out"));
          for (const [at, text] of texts.entries()) {
            const own = echoes(text.slice(text.lastIndexOf("FROM ")));
            const all = echoes(stitch(catalog, `s${at}`).dockerfile);
            expect(all.slice(all.length - own.length)).toEqual(own);
          }
        }),
        { numRuns: 150 },
      );
    },
  );
});

/** The lines that say `echo`, as they are written. */
function echoes(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => /^run echo/i.test(line));
}
