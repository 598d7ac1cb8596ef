import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import { VALUE_HELPERS } from "../../src/stitch/values.ts";
import { keywordsOf } from "./stitch-reading.ts";
import { errorFrom, makeCatalog } from "./workspace.ts";

/** Texts that mean something to Dockerfiles, shells, JSON, HCL or Handlebars. */
const TOKENS = [
  ..."\n\r\t \\`'\"$#{}[](),;&|<>=-0aE\u0001\u0002\u0003\u0004\u007f\u0085\u00a0\u2028\u2029\ufeff",
  ...["FROM x", "RUN ", "USER root\n", "EOF", "<<EOF", "<<", "${", "%{", "$(", "&&", "--from=", "{{labels}}"],
  ...["\\\n", "\n#", "\nEOF\n", "\u0003LABELS\u0003", "\ud800", "é", "😀"],
];
const nasty = fc.oneof(
  fc.array(fc.constantFrom(...TOKENS), { maxLength: 8 }).map((tokens) => tokens.join("")),
  fc.string({ unit: "binary", maxLength: 20 }),
);

/** A catalog whose application has this Dockerfile.hbs, with one argument `v` of any text. */
function catalogOf(dockerfile: string) {
  return makeCatalog({
    "fragments/app/0.1.0/fragment.yaml":
      "schema_version: 1\nname: app\nversion: 0.1.0\norder: 30\nargs: {v: {type: string, default: x}}\n",
    "fragments/app/0.1.0/Dockerfile.hbs": dockerfile,
    "fragments/app/0.1.0/words.txt": "words\n",
    "manifests/demo.yaml":
      "schema_version: 1\nmanifest_id: demo\ntemplate: plain@0.1.0\nbase: scratch\nfragments: {core: 0.1.0, app: 0.1.0}\n",
  });
}

/** Places in a Dockerfile, with `@` where the value is written. */
const PLACES: Record<string, string> = {
  ENV: "ENV A=@ B=2",
  "ENV, the old form": "ENV A @",
  LABEL: "LABEL a=@ b=2",
  ARG: "ARG A=@",
  RUN: "RUN echo @ done",
  "RUN, last": "RUN echo @",
  "RUN, first": "RUN @",
  "RUN, exec form": 'RUN ["echo", @]',
  "CMD, exec form": "CMD [@, @]",
  "ENTRYPOINT, exec form": 'ENTRYPOINT ["a", @]',
  "CMD, shell form": "CMD serve @",
  EXPOSE: "EXPOSE @",
  WORKDIR: "WORKDIR /opt/@",
  USER: "USER @",
  COPY: "COPY @ /opt/",
  "COPY, exec form": "COPY [@, @]",
  "COPY, its target": 'COPY {{file "words.txt"}} /opt/@',
  "COPY, its target in exec form": 'COPY ["{{file "words.txt"}}", @]',
  HEALTHCHECK: "HEALTHCHECK CMD test @",
  SHELL: 'SHELL ["/bin/sh", @]',
  VOLUME: "VOLUME @",
  STOPSIGNAL: "STOPSIGNAL @",
  ONBUILD: "ONBUILD RUN echo @",
  "a continued line": "RUN a \\\n  @",
  "a continued line, its start": "RUN a \\\n@ \\\n  b",
  "a continued ENV": "ENV A=@ \\\n B=@",
  "a comment": "# @",
  "a comment inside an instruction": "RUN a \\\n# @\n  b",
  "a here-document": "RUN <<EOF\n@\nEOF",
  "a here-document, inside a line": "RUN <<EOF\n x @ y\nEOF",
  "a here-document, a part of its end": "RUN <<EOF\nEO@\nEOF",
  "a here-document in COPY": "COPY <<EOF /x\n@\nEOF",
  "a here-document's command": "RUN cat @ <<EOF\nx\nEOF",
  "a here-document's delimiter": "RUN <<@\nx\nx\n",
  "a here-document's delimiter, quoted": "RUN <<'a@'\nx\na@\n",
  "the start of a line": "@ echo",
  "the start of a line, with text": "R@ echo",
  "the keyword behind ONBUILD": "ONBUILD @ x",
};

describe.each(Object.keys(VALUE_HELPERS))("{{%s …}}", (helper) => {
  const call = helper === "plain" ? "{{args.v}}" : `{{${helper} args.v}}`;

  it.each(Object.entries(PLACES))("adds no instruction in %s", (_, place) => {
    const catalog = catalogOf(`USER 1\n${place.replaceAll("@", call)}\nUSER 2\n`);
    const rendered = (v: string): string | null => {
      try {
        return stitch(catalog, "demo", { args: { v } }).dockerfile;
      } catch (error) {
        if (error instanceof FactoryError && error.code === "ARG_UNSAFE") return null;
        if (error instanceof FactoryError && error.code === "COPY_UNDECLARED") return "undeclared";
        throw error;
      }
    };
    const harmless = rendered("harmless");
    // A path that is not declared is refused; what is not one has to stay a COPY by itself.
    const copies = () =>
      stitch(catalogOf(`USER 1\nCOPY {{file "words.txt"}} /opt/\nUSER 2\n`), "demo").dockerfile;
    const expected = harmless === null ? null : keywordsOf(harmless === "undeclared" ? copies() : harmless);
    fc.assert(
      fc.property(nasty, (v) => {
        const text = rendered(v);
        // Where even a harmless value is refused for its place, none may pass.
        if (text !== null && text !== "undeclared") expect(keywordsOf(text)).toEqual(expected);
      }),
      { numRuns: 80 },
    );
  });
});

describe("flags", () => {
  const outcome = (line: string, v: string) => {
    try {
      stitch(catalogOf(`${line.replaceAll("@", "{{args.v}}")}\n`), "demo", { args: { v } });
      return "rendered";
    } catch (error) {
      return error instanceof FactoryError ? error.code : "a bug";
    }
  };

  it.each([
    ["COPY @ /opt/", "--from=evil:1"],
    ["COPY @ /opt/", "--from=="],
    ["COPY --chmod=0644 @ x /opt/", "--link"],
    ["COPY -@ x /opt/", "-from=evil:1"],
    ["COPY --@ x /opt/", "from=evil:1"],
    ["ADD @ x /opt/", "--checksum=sha256:0"],
    ["RUN @ true", "--network=host"],
    ["RUN @ true", "--mount=type=bind,from=evil:1"],
    ["RUN --mount=type=bind,source=@,target=/x true", "a,from=evil:1"],
    ["RUN --mount=type=cache,@=/x true", "from=evil:1,target"],
    ["RUN --mount=@ true", "type=bind,from=evil:1"],
    ["ONBUILD COPY @ /opt/", "--from=evil:1"],
    ["HEALTHCHECK @ CMD true", "--interval=1s"],
    ["CMD @", "--port=80"],
  ])("of %s are never a value's: %s", (line, v) => {
    expect(outcome(line, v)).toBe("ARG_UNSAFE");
    expect(outcome(line, "x")).not.toBe("a bug");
  });

  it.each([
    ["COPY --chmod=@ x /opt/", "0644"],
    ["COPY x @", "--from=evil:1"],
    ["RUN --network=@ true", "none"],
    ["RUN --mount=type=cache,target=@,id=a true", "/var/cache/x=y"],
    ["RUN --mount=type=cache,target=/@ echo @", "a--b"],
    ["RUN echo @", "--from=evil:1"],
    ["CMD serve @", "--port=80"],
    ["HEALTHCHECK --interval=@ CMD true", "30s"],
    ["ONBUILD RUN echo @", "--x"],
  ])("of %s may have a value, and words behind them may look like flags: %s", (line, v) => {
    expect(["rendered", "COPY_UNDECLARED"]).toContain(outcome(line, v));
  });
});

describe("what a value becomes", () => {
  it("is the same word again in a POSIX shell, for sh", () => {
    const texts = fc.sample(nasty, 300).flatMap((text) => {
      try {
        return [{ text, word: VALUE_HELPERS.sh?.(text) ?? "" }];
      } catch {
        return [];
      }
    });
    expect(texts.length).toBeGreaterThan(50);
    const script = texts.map(({ word }) => `printf '%s\\n' ${word}`).join("\n");
    const { stdout } = spawnSync("sh", [], { input: script, encoding: "utf8" });
    expect(stdout).toBe(texts.map(({ text }) => `${text}\n`).join(""));
  });

  it("is the same text again in JSON, for json, on one line", () => {
    fc.assert(
      fc.property(nasty, (text) => {
        fc.pre(!/\p{Surrogate}/u.test(text));
        const json = VALUE_HELPERS.json?.(text) ?? "";
        expect(JSON.parse(json)).toBe(text);
        expect(json).not.toMatch(/[\u0000-\u001f\u007f\u0085\u2028\u2029]/);
      }),
    );
    expect(VALUE_HELPERS.json?.(8080)).toBe('"8080"');
    expect(VALUE_HELPERS.json?.(true)).toBe('"true"');
  });

  it.each([
    ["plain", "a b", "characters that mean something"],
    ["plain", "", "characters that mean something"],
    ["quote", "a\nb", "a line break or a control character"],
    ["sh", "a\u0085b", "a line break or a control character"],
    ["json", "a\ud800b", "half of a surrogate pair"],
  ])("%s refuses %j, naming the place of the call", (helper, v, what) => {
    const call = helper === "plain" ? "{{args.v}}" : `{{${helper} args.v}}`;
    const error = errorFrom(() => stitch(catalogOf(`USER 1\nRUN echo ${call}\n`), "demo", { args: { v } }));
    expect(error).toMatchObject({
      code: "ARG_UNSAFE",
      where: { file: "fragments/app/0.1.0/Dockerfile.hbs", line: 2, col: 10 },
    });
    expect(error.message).toContain(what);
    expect(error.fix).toBeTruthy();
  });
});
