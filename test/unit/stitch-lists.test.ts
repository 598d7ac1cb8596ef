import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FactoryError } from "../../src/errors.ts";
import { fragmentFindings } from "../../src/stitch/every-version.ts";
import { stitch } from "../../src/stitch/stitch.ts";
import type { Value } from "../../src/schemas/types.ts";
import { sh } from "../../src/stitch/values.ts";
import { isShellWord } from "../../src/stitch/word-places.ts";
import { keywordsOf } from "./stitch-reading.ts";
import { errorFrom, makeCatalog } from "./workspace.ts";

const APP = "fragments/app/0.1.0/Dockerfile.hbs";

/** A catalog whose application declares these arguments and has this Dockerfile.hbs. */
function catalogOf(args: string, dockerfile: string) {
  return makeCatalog({
    "fragments/app/0.1.0/fragment.yaml": `schema_version: 1\nname: app\nversion: 0.1.0\norder: 30\nargs: ${args}\n`,
    [APP]: dockerfile,
    "manifests/demo.yaml":
      "schema_version: 1\nmanifest_id: demo\ntemplate: plain@0.1.0\nbase: scratch\nfragments: {core: 0.1.0, app: 0.1.0}\n",
    "control_plane/plans/grid.yaml": null,
  });
}

const LISTS =
  "{l: {type: list, default: [a, b]}, m: {type: map, default: {x: 1, a: 2}, values: {type: integer}}, s: {type: string, default: a}, b: {type: boolean, default: false}}";

/** What the application adds to the Dockerfile. */
function written(dockerfile: string, args: Record<string, Value> = {}, declared = LISTS): string {
  const text = stitch(catalogOf(declared, `${dockerfile}\n`), "demo", { args }).dockerfile;
  return /\nFROM core AS app\n([\s\S]*?)\n*\nFROM app AS image/.exec(`\n${text}`)?.[1] ?? "";
}

describe("{{words …}}", () => {
  it.each([
    ["RUN apt-get install {{words args.l}} && true", "RUN apt-get install 'a' 'b c' && true"],
    ['RUN for p in {{words args.l}}; do echo "$p"; done', "RUN for p in 'a' 'b c'; do echo \"$p\"; done"],
    [
      'RUN x="$(nproc)" && y=${HOME:-/root} z $(echo {{words args.l}})',
      "RUN x=\"$(nproc)\" && y=${HOME:-/root} z $(echo 'a' 'b c')",
    ],
    ["RUN a \\\n  {{words args.l}} \\\n  b", "RUN a \\\n  'a' 'b c' \\\n  b"],
    ["RUN --network=none x {{words args.l}}", "RUN --network=none x 'a' 'b c'"],
    ["CMD serve {{words args.l}}", "CMD serve 'a' 'b c'"],
    ['CMD ["serve", {{words args.l}}]', 'CMD ["serve", "a", "b c"]'],
    ['RUN ["x", \\\n  {{words args.l}}, "y"]', 'RUN ["x", \\\n  "a", "b c", "y"]'],
    ["HEALTHCHECK --interval=30s CMD test {{words args.l}}", "HEALTHCHECK --interval=30s CMD test 'a' 'b c'"],
    ["HEALTHCHECK CMD [{{words args.l}}]", 'HEALTHCHECK CMD ["a", "b c"]'],
    ["ONBUILD RUN echo {{words args.l}}", "ONBUILD RUN echo 'a' 'b c'"],
    ["# {{words args.l}}\nUSER 1", "# 'a' 'b c'\nUSER 1"],
    ["CMD {{json args.l}}", 'CMD ["a", "b c"]'],
    ["SHELL {{json args.l}}", 'SHELL ["a", "b c"]'],
  ])("writes each item as a word: %s", (dockerfile, text) => {
    expect(written(dockerfile, { l: ["a", "b c"] })).toBe(text);
  });

  it.each([
    ["ENV A={{words args.l}} B=1", 'ENV A="a" B=1', 'ENV A="a b:1" B=1'],
    ["LABEL a.b={{words args.l}}", 'LABEL a.b="a"', 'LABEL a.b="a b:1"'],
    ["ARG A={{words args.l}}", 'ARG A="a"', 'ARG A="a b:1"'],
    ["EXPOSE {{words args.l}}", "EXPOSE a", "EXPOSE a b:1"],
    ["VOLUME {{words args.l}}", "VOLUME a", "VOLUME a b:1"],
    ['VOLUME ["/x", {{words args.l}}]', 'VOLUME ["/x", "a"]', 'VOLUME ["/x", "a", "b:1"]'],
    ["COPY --from=base {{words args.l}} /opt/", "COPY --from=base a /opt/", "COPY --from=base a b:1 /opt/"],
  ])("writes plain words where nothing else is safe: %s", (dockerfile, one, two) => {
    expect(written(dockerfile, { l: ["a"] })).toBe(one);
    expect(written(dockerfile, { l: ["a", "b:1"] })).toBe(two);
    expect(errorFrom(() => written(dockerfile, { l: ["b c"] })).code).toBe("ARG_UNSAFE");
  });

  it("writes nothing for an empty list, and no comma", () => {
    expect(written("RUN a {{words args.l}} b", { l: [] })).toBe("RUN a b");
    expect(written('CMD ["a", {{words args.l}}]', { l: [] })).toBe('CMD ["a"]');
    expect(written('CMD [{{words args.l}}, "a"]', { l: [] })).toBe('CMD [ "a"]');
    expect(written('CMD ["a", {{words args.l}}, {{words args.l}}]', { l: [] })).toBe('CMD ["a"]');
    expect(written("CMD {{json args.l}}", { l: [] })).toBe("CMD []");
    expect(written("ENV A={{words args.l}}", { l: [] })).toBe('ENV A=""');
    expect(errorFrom(() => written("EXPOSE {{words args.l}}", { l: [] }))).toMatchObject({
      code: "ARG_UNSAFE",
      message: "the list is empty, so nothing is left of EXPOSE",
    });
    expect(written("{{#if args.l}}EXPOSE {{words args.l}}{{/if}}\nUSER 1", { l: [] })).toBe("USER 1");
  });

  it.each([
    'RUN echo "{{words args.l}}"',
    'RUN echo " {{words args.l}} "',
    "RUN echo ' {{words args.l}} '",
    "RUN echo ` echo {{words args.l}} `",
    "RUN echo $(( {{words args.l}} ))",
    "RUN (( {{words args.l}} ))",
    'RUN echo "$(echo {{words args.l}} )"',
    'RUN echo "a" " {{words args.l}}"',
    "RUN echo ${X:- {{words args.l}} }",
    "RUN echo $' {{words args.l}} '",
    "RUN echo # {{words args.l}} ",
    "RUN echo x{{words args.l}}",
    "RUN echo \\ {{words args.l}}x",
    "RUN a[ {{words args.l}} ]=1",
    "RUN <<END\necho {{words args.l}}\nEND",
    "RUN --mount=type=bind,target={{words args.l}} x",
    'CMD ["a {{words args.l}}"]',
    "CMD {{words args.l}}]",
    "ENV A {{words args.l}}",
    "ENV {{words args.l}}",
    'ENV A="x B={{words args.l}} y"',
    "ENV A='x\\' B={{words args.l}}",
    "ENV A=x{{words args.l}}",
    "USER {{words args.l}}",
    "WORKDIR {{words args.l}}",
    'COPY "{{words args.l}} x',
    "CMD serve {{json args.l}}",
    'CMD ["a", {{json args.l}}]',
    "LABEL a={{json args.l}}",
  ])("is refused where a word would not be one: %s", (dockerfile) => {
    for (const l of [["a"], [], ["a", "b"]]) {
      const error = errorFrom(() => written(`USER 1\n${dockerfile}`, { l }));
      expect(["TEMPLATE_SYNTAX", "ARG_UNSAFE"]).toContain(error.code);
      expect(error.where).toMatchObject({ file: APP });
    }
  });

  it("never gives an option to a command, unless the contract itself names it", () => {
    const error = errorFrom(() => written("RUN apt-get install {{words args.l}}", { l: ["a", "--allow-x"] }));
    expect(error).toMatchObject({
      code: "ARG_UNSAFE",
      message: 'the item "--allow-x" would be read as an option',
      where: { file: APP, line: 1, col: 21 },
    });
    const declared = "{l: {type: list, items: {type: string, enum: [-Xmx1g, -Xmx2g]}}}";
    expect(written('CMD ["java", {{words args.l}}]', { l: ["-Xmx2g"] }, declared)).toBe(
      'CMD ["java", "-Xmx2g"]',
    );
  });
});

/** Texts that mean something to Dockerfiles and shells. */
const TOKENS = [
  ..."\n\r\t \\`'\"$#{}[](),;&|<>=-0aE*?!~\u0001\u0002\u0007\u007f\u0085\u00a0\u2028",
  ...["FROM x", "RUN ", "EOF", "<<EOF", "${", "$(id)", "`id`", "$HOME", "&&", "--from=", "\\\n", "é", "😀"],
];
const nasty = fc.oneof(
  fc.array(fc.constantFrom(...TOKENS), { maxLength: 6 }).map((tokens) => tokens.join("")),
  fc.string({ unit: "binary", maxLength: 12 }),
);

/** What a list is rendered to; null if it is refused. */
function outcome(catalog: ReturnType<typeof makeCatalog>, l: string[]): string | null {
  try {
    return stitch(catalog, "demo", { args: { l } }).dockerfile;
  } catch (error) {
    if (error instanceof FactoryError && ["ARG_UNSAFE", "ARG_TYPE"].includes(error.code)) return null;
    throw error;
  }
}

describe("items of a list", () => {
  const PLACES = [
    "RUN echo {{words args.l}} done",
    "RUN {{words args.l}}",
    'RUN ["echo", {{words args.l}}]',
    "CMD serve {{words args.l}}",
    "CMD [{{words args.l}}]",
    "CMD {{json args.l}}",
    "ENTRYPOINT {{json args.l}}",
    "ENV A={{words args.l}} B=2",
    "LABEL a={{words args.l}}",
    "ARG A={{words args.l}}",
    "EXPOSE 1 {{words args.l}}",
    "VOLUME [{{words args.l}}]",
    "COPY --from=base {{words args.l}} /x /opt/",
    "HEALTHCHECK CMD test {{words args.l}}",
    "ONBUILD RUN echo {{words args.l}}",
    "RUN a \\\n {{words args.l}} \\\n b",
    "# {{words args.l}}",
    "RUN a \\\n# {{words args.l}}\n b",
    "{{#each args.l}}\nENV A={{quote this}}\n{{/each}}",
    "RUN true{{#each args.l}} && echo {{sh this}}{{/each}}",
  ];

  it.each(PLACES)("add no instruction in %s", (place) => {
    const catalog = catalogOf("{l: {type: list}}", `USER 1\n${place}\nUSER 2\n`);
    const expected = [0, 1, 2, 3].map((count) => outcome(catalog, Array<string>(count).fill("harmless")));
    fc.assert(
      fc.property(fc.array(nasty, { maxLength: 3 }), (l) => {
        const text = outcome(catalog, l);
        if (text !== null) expect(keywordsOf(text)).toEqual(keywordsOf(expected[l.length] ?? ""));
      }),
      { numRuns: 40 },
    );
  });

  it("are the same words again in a real shell, and nothing is run", () => {
    const catalog = catalogOf("{l: {type: list}}", "RUN printf '%s\\0' X {{words args.l}} Y\n");
    const lists = fc.sample(fc.array(nasty, { maxLength: 4 }), 200);
    const scripts: string[] = [];
    const wanted: string[] = [];
    for (const l of lists) {
      const text = outcome(catalog, l);
      const line = /\nRUN (printf .*)\n/.exec(text ?? "")?.[1];
      if (line === undefined) continue;
      scripts.push(line);
      wanted.push(["X", ...l, "Y", ""].join("\0"));
    }
    expect(scripts.length).toBeGreaterThan(30);
    for (const shell of ["sh", "bash"]) {
      const { stdout, error } = spawnSync(shell, [], { input: scripts.join("\n"), encoding: "utf8" });
      if (shell === "bash" && error) continue;
      expect(stdout).toBe(wanted.join(""));
    }
  });

  it("are the same texts again in JSON", () => {
    const catalog = catalogOf("{l: {type: list}}", 'CMD ["x", {{words args.l}}, "y"]\n');
    fc.assert(
      fc.property(fc.array(nasty, { maxLength: 4 }), (l) => {
        const text = outcome(catalog, l);
        if (text === null) return;
        expect(JSON.parse(/\nCMD (.*)\n/.exec(text)?.[1] ?? "")).toEqual(["x", ...l, "y"]);
      }),
    );
  });

  it("are not run by a shell, whatever is around them", () => {
    const pieces = fc.constantFrom(
      ...['"a b"', "'a'", "$(echo a)", "${X:-y}", '"$(echo "a")"', "x=1", ";", "&&", "(", ")", '"', "'", "`"],
      ...[
        "$((",
        "))",
        "{",
        "}",
        "\\",
        "#",
        "a",
        "<<<",
        "[",
        "]",
        "$'",
        '$"',
        "$(",
        "${X:-",
        "a[",
        "((",
        "$[",
      ],
      ...[
        "case a in",
        "esac",
        "a)",
        ";;",
        "\\'",
        '\\"',
        "|",
        "!",
        "if",
        "then",
        "fi",
        "<(",
        "[[",
        "]]",
        "'\"'",
      ],
    );
    const items = ["$(echo ran >&2)", "`echo ran >&2`", "a\"'$(echo ran >&2)'\"b"]
      .map((item) => sh(item))
      .join(" ");
    const scripts = fc
      .sample(fc.tuple(fc.array(pieces, { maxLength: 6 }), fc.array(pieces, { maxLength: 3 })), 1500)
      .flatMap(([before, after]) => {
        const start = ["echo", ...before, ""].join(" ");
        const text = [`${start}\u00070\u0007`, ...after].join(" ");
        if (!isShellWord(text, start.length, start.length + 3)) return [];
        return text.replace("\u00070\u0007", () => items);
      });
    expect(scripts.length).toBeGreaterThan(100);
    for (const shell of ["sh", "bash"]) {
      // Each is a text of its own; what a shell says of a faulty one is of no concern.
      const all = scripts.map((script) => `${shell} -c ${sh(script)} <&-`).join("\n");
      const { stderr, error } = spawnSync("sh", [], {
        input: all,
        encoding: "utf8",
        cwd: "/",
        maxBuffer: 1 << 26,
      });
      expect(error).toBeUndefined();
      expect(stderr.split("\n")).not.toContain("ran");
    }
  });
});

describe("{{#each …}} and conditions", () => {
  it.each([
    ["{{#each args.l}}\nRUN echo {{sh this}}\n{{/each}}", "RUN echo 'a'\nRUN echo 'b'"],
    ["{{#each args.m}}\nENV {{@key}}={{quote this}}\n{{/each}}", 'ENV a="2"\nENV x="1"'],
    [
      "{{#each args.l}}\n{{#each args.m}}\nENV {{@key}}={{this}}\n{{/each}}\nUSER {{this}}\n{{/each}}",
      "ENV a=2\nENV x=1\nUSER a\nENV a=2\nENV x=1\nUSER b",
    ],
    ["{{#each args.l}}{{#if (eq this args.s)}}USER {{this}}{{/if}}{{/each}}", "USER a"],
    ["USER {{#if (in args.s args.l)}}1{{else}}2{{/if}}", "USER 1"],
    ['USER {{#if (in "c" args.l)}}1{{else}}2{{/if}}', "USER 2"],
    ["USER {{#if (or args.b (in args.s args.l))}}1{{else}}2{{/if}}", "USER 1"],
    ["USER {{#if (and args.b (in args.s args.l))}}1{{else}}2{{/if}}", "USER 2"],
    ["USER {{#if (not args.b)}}1{{else}}2{{/if}}", "USER 1"],
    ['USER {{#unless (and args.l args.m (eq args.s "a"))}}1{{else}}2{{/unless}}', "USER 2"],
  ])("%s", (dockerfile, text) => {
    expect(written(dockerfile)).toBe(text);
  });

  it("take the branch for an empty list or map", () => {
    expect(written("USER {{#each args.l}}{{this}}{{else}}none{{/each}}", { l: [] })).toBe("USER none");
    expect(written("USER {{#if args.m}}1{{else}}2{{/if}}", { m: {} })).toBe("USER 2");
    expect(written("USER {{#if args.l}}1{{else}}2{{/if}}", { l: [] })).toBe("USER 2");
  });

  it.each([
    ["RUN echo {{args.l}}", "`args.l` is a list, not one value", "{{words args.l}}"],
    ["RUN echo {{sh args.l}}", "`args.l` is a list, not one value", "{{words args.l}}"],
    ["RUN echo {{args.m}}", "`args.m` is a map, not one value", "{{#each args.m}}"],
    ["CMD {{json args.m}}", "`args.m` is a map, not one value", "{{#each args.m}}"],
    ["RUN echo {{words args.s}}", "`words` takes a list, and `args.s` is one value", "type: list"],
    ["RUN echo {{words args.m}}", "`words` takes a list, and `args.m` is a map", "type: list"],
    ["{{#each args.s}}x{{/each}}", "`#each` takes a list or a map", "type: list"],
    ["{{#each args.l}}{{@key}}{{/each}}", "the items of a list have no `@key`", "{{this}}"],
    ["{{#each args.l}}{{@index}}{{/each}}", "`@index` is not part", "in full"],
    ["{{#each args.l}}{{@root.args.s}}{{/each}}", "`@root.args.s` is not part", "in full"],
    ["{{#each args.l}}{{../this}}{{/each}}", "is not part", "in full"],
    ["{{#each args.l}}{{this.length}}{{/each}}", "`this.length` is not part", "in full"],
    ["{{#each args.l as |item|}}{{item}}{{/each}}", "`#each` takes one list or map", "such as"],
    ["{{this}}", "`this` only means something inside", "{{#each"],
    ["{{@key}}", "`@key` only means something inside", "{{#each"],
    ["{{#each args.l}}x{{else}}{{this}}{{/each}}", "`this` only means something inside", "{{#each"],
    ["USER {{#if (in args.s args.s)}}1{{/if}}", "`in` takes a list", "type: list"],
    ["USER {{#if (in args.l args.l)}}1{{/if}}", "`args.l` is a list, not one value", "words"],
    ["USER {{#if (eq args.l args.l)}}1{{/if}}", "`args.l` is a list, not one value", "words"],
    ["USER {{#if (or args.s)}}1{{/if}}", "`or` takes two conditions or more", "(or "],
    ["USER {{#if (not args.s args.b)}}1{{/if}}", "`not` takes one condition", "(not "],
    ["{{array args.l}}", "no helper named `array`", "words"],
    ["{{#each args.l}}".repeat(4) + "x" + "{{/each}}".repeat(4), "more than 3 {{#each}}", "nest fewer"],
  ])("refuse %s", (dockerfile, what, fix) => {
    const error = errorFrom(() => written(`USER 1\n${dockerfile}`));
    expect(error.message).toContain(what);
    expect(error.fix).toContain(fix);
    expect(error.where).toMatchObject({ file: APP, line: 2 });
  });

  it("go round a bounded number of times, and write a bounded text", () => {
    const many = Array.from({ length: 200 }, (_, at) => `i${at}`);
    const twice = "{{#each args.l}}{{#each args.l}}\nUSER {{this}}\n{{/each}}{{/each}}";
    expect(errorFrom(() => written(twice, { l: many }))).toMatchObject({
      code: "TEMPLATE_TOO_LONG",
      where: { file: APP, line: 1 },
    });
    const long = `{{#each args.l}}\n# ${"x".repeat(10_000)}\n{{/each}}`;
    expect(errorFrom(() => written(long, { l: many })).code).toBe("TEMPLATE_TOO_LONG");
    expect(written("{{#each args.l}}\nUSER {{this}}\n{{/each}}", { l: many }).split("\n")).toHaveLength(200);
  });
});

describe("every version", () => {
  const found = (args: string, dockerfile: string) => {
    const catalog = catalogOf(args, `${dockerfile}\n`);
    return fragmentFindings(catalog, catalog.fragment("app", "0.1.0")).map(({ what }) => what);
  };

  it("is rendered with an empty list, one item and several", () => {
    const body = "RUN echo {{words args.l}}\n{{#each args.m}}\nENV {{@key}}={{quote this}}\n{{/each}}";
    expect(found("{l: {type: list}, m: {type: map, values: {type: integer}}}", body)).toEqual([]);
    expect(found("{l: {type: list, default: [a]}}", "EXPOSE {{words args.l}}")).toEqual([
      "the list is empty, so nothing is left of EXPOSE (if `l` is [])",
    ]);
    expect(found("{l: {type: list, min_items: 1}}", "EXPOSE {{words args.l}}")).toEqual([]);
    expect(found("{l: {type: list}}", "{{#unless args.l}}FROM x{{/unless}}")).toEqual([
      "a fragment may not start a build stage of its own (if `l` is [])",
    ]);
    expect(found("{m: {type: map}}", "{{#each args.m}}FROM {{this}}\n{{/each}}")).toHaveLength(1);
    const enums = "{l: {type: list, items: {type: string, enum: [a, 'b c']}}}";
    expect(found(enums, "EXPOSE 1 {{words args.l}}").join()).toContain("characters that mean something");
  });
});
