import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { inputsProblems } from "../../src/records/proof/prove-inputs.ts";
import type { FactoryRecord } from "../../src/schemas/types.ts";
import { resolve } from "../../src/stitch/resolve.ts";
import { cellInputs, stitch } from "../../src/stitch/stitch.ts";
import { keysOf } from "../../src/model/inputs.ts";
import { keywordsOf } from "../unit/stitch-reading.ts";
import { errorFrom, factory, makeCatalog, makeWorkspace } from "../unit/workspace.ts";

const files = (body: string, items = "{type: string}") => ({
  "fragments/app/0.1.0/fragment.yaml": `schema_version: 1
name: app
version: 0.1.0
order: 30
args: {l: {type: list, default: [a], items: ${items}}, m: {type: map, default: {a: b}}, s: {type: string, default: s}}
`,
  "fragments/app/0.1.0/Dockerfile.hbs": body,
  "manifests/demo.yaml":
    "schema_version: 1\nmanifest_id: demo\ntemplate: plain@0.1.0\nbase: scratch\nfragments: {core: 0.1.0, app: 0.1.0}\n",
  "control_plane/plans/grid.yaml": null,
});

/** Items that try to be more than a word. */
const HOSTILE = [
  "$(touch /tmp/owned)",
  "`touch /tmp/owned`",
  "a; touch /tmp/owned",
  "a && touch /tmp/owned #",
  "a' 'b",
  'a" "b',
  "a\\",
  "\\",
  "'; touch /tmp/owned; '",
  "$HOME",
  "${HOME}",
  "*",
  "~",
  "a b",
  "",
  "<<EOF",
  "|sh",
  ">x",
];

describe("items of a list", () => {
  it("8.5 are the words that a shell reads, and run nothing", () => {
    const catalog = makeCatalog(files("RUN printf '%s\\0' {{words args.l}}\n"));
    const { dockerfile } = stitch(catalog, "demo", { args: { l: HOSTILE } });
    const [, command = ""] = /\nRUN (printf .*)\n/.exec(dockerfile) ?? [];
    // Each by itself at the end, and all together: a quote of one is not closed by the next.
    for (const shell of ["sh", "bash"]) {
      const { stdout, status, error } = spawnSync(shell, ["-fc", `touch() { echo owned; }; ${command}`], {
        encoding: "utf8",
      });
      if (error) continue;
      expect(status).toBe(0);
      expect(stdout.split("\0")).toEqual([...HOSTILE, ""]);
    }
    for (const item of HOSTILE) {
      const text = stitch(catalog, "demo", { args: { l: [item, "end"] } }).dockerfile;
      expect(keywordsOf(text)).toEqual(keywordsOf(dockerfile));
    }
  });

  it.each(["-x", "--allow-unauthenticated", "-", "--", "-o=x;y"])(
    "8.5 are no options of a command: %s",
    (item) => {
      for (const place of [
        "RUN apt-get install {{words args.l}}",
        'CMD ["x", {{words args.l}}]',
        "CMD {{json args.l}}",
        "ENV A={{words args.l}}",
        "COPY {{words args.l}} /x",
        "EXPOSE {{words args.l}}",
      ])
        expect(
          errorFrom(() => stitch(makeCatalog(files(`${place}\n`)), "demo", { args: { l: ["a", item] } }))
            .code,
        ).toBe("ARG_UNSAFE");
    },
  );

  it.each(["a\nRUN evil", "a\rb", "a\u0085b", "a\u2028b", "\u0001", "\u00070\u0007", "a\u0000b"])(
    "8.5 have no line break, and no character that marks a place: %j",
    (item) => {
      for (const place of [
        "RUN x {{words args.l}}",
        'CMD ["x", {{words args.l}}]',
        "CMD {{json args.l}}",
        "ENV A={{words args.l}}",
        "# {{words args.l}}",
        "{{#each args.l}}\nUSER {{this}}\n{{/each}}",
      ])
        expect(
          errorFrom(() => stitch(makeCatalog(files(`${place}\n`)), "demo", { args: { l: [item] } })).code,
        ).toBe("ARG_UNSAFE");
    },
  );

  it("8.5 add no image, stage, mount or variable", () => {
    const places: [string, string][] = [
      ["COPY {{words args.l}} /x", "--from=evil:1"],
      ["RUN {{words args.l}} true", "--mount=type=bind,from=evil:1"],
      ["COPY --from=base {{words args.l}} /x", "$EVIL"],
      ['COPY ["/a", {{words args.l}}, "/x"]', "${EVIL}"],
      ["ENV A={{words args.l}}", "b EVIL=1"],
      ["LABEL a={{words args.l}}", 'b" evil="1'],
      ["VOLUME {{words args.l}}", "/a /b"],
    ];
    for (const [place, item] of places) {
      let text = "";
      try {
        text = stitch(makeCatalog(files(`${place}\n`)), "demo", { args: { l: [item] } }).dockerfile;
      } catch (error) {
        expect((error as { code?: string }).code).toBe("ARG_UNSAFE");
        continue;
      }
      throw new Error(`rendered: ${text}`);
    }
    // A variable is text in ENV.
    const { dockerfile } = stitch(makeCatalog(files("ENV A={{words args.l}}\n")), "demo", {
      args: { l: ["$EVIL"] },
    });
    expect(dockerfile).toContain('ENV A="\\$EVIL"\n');
  });
});

describe("the template language", () => {
  it.each([
    "{{#each args}}{{this}}{{/each}}",
    "{{#each this}}x{{/each}}",
    "{{#each args.l}}{{this.constructor}}{{/each}}",
    "{{#each args.l}}{{../args.s}}{{/each}}",
    "{{#each args.l}}{{@root.args.s}}{{/each}}",
    "{{#each args.l}}{{@root}}{{/each}}",
    "{{#each args.m}}{{lookup this @key}}{{/each}}",
    "{{#each args.m}}{{args.[l]}}{{/each}}",
    "{{#each args.l}}{{> x}}{{/each}}",
    "{{#each args.l}}{{{this}}}{{/each}}",
    "{{#each args.l}}{{@item}}{{/each}}",
    "{{#if (lookup args 's')}}x{{/if}}",
    "{{#if (in args.s (json args.l))}}x{{/if}}",
    '{{#if (file "x")}}x{{/if}}',
    "{{words (or args.l args.l)}}",
    "{{array args.l true}}",
  ])("8.5 lets nothing climb, run or read: %s", (body) => {
    const error = errorFrom(() => stitch(makeCatalog(files(`RUN x\n${body}\n`)), "demo"));
    expect(["TEMPLATE_SYNTAX", "TEMPLATE_HELPER", "ARG_UNDECLARED"]).toContain(error.code);
    expect(error.where).toMatchObject({ line: 2 });
  });

  it("8.5 ends, and fits in memory, however long lists are and however loops are nested", () => {
    const l = Array.from({ length: 1000 }, () => "x".repeat(4000));
    const nested =
      "{{#each args.l}}{{#each args.l}}{{#each args.l}}\nENV A={{quote this}}\n{{/each}}{{/each}}{{/each}}\n";
    const start = performance.now();
    for (const body of [
      nested,
      "{{#each args.l}}\nRUN echo {{words args.l}}\n{{/each}}\n",
      "{{#each args.l}}{{#each args.l}}{{/each}}{{/each}}\n",
    ])
      expect(errorFrom(() => stitch(makeCatalog(files(body)), "demo", { args: { l } })).code).toBe(
        "TEMPLATE_TOO_LONG",
      );
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it.each(["{__proto__: x}", "{constructor: x, toString: y}", "{hasOwnProperty: x, valueOf: y}"])(
    "8.5 takes keys of a map for nothing but keys: %s",
    (m) => {
      const root = makeWorkspace({ ...files("{{#each args.m}}\nENV {{@key}}={{quote this}}\n{{/each}}\n") });
      const { status, stdout, stderr } = factory(root, [
        "stitch",
        "--manifest-id",
        "demo",
        "-o",
        "-",
        "--arg",
        `m=${m.replace(/(\w+): (\w+)/g, '"$1": "$2"')}`,
      ]);
      if (m.includes("__proto__")) {
        expect(status).toBe(2);
        expect(stderr).toContain("ARG_TYPE");
      } else {
        expect(stderr).toBe("");
        expect(stdout.match(/^ENV .*$/gm)).toHaveLength(2);
      }
    },
  );
});

describe("records", () => {
  it("8.5 name the values of lists as they were: another order, type or item is caught", () => {
    const catalog = makeCatalog(files("RUN x {{words args.l}}\n"));
    const inputs = cellInputs(catalog, resolve(catalog, "demo", { args: { l: ["a", "b"], m: { x: "1" } } }), {
      platform: "linux/amd64",
      cell_id: "demo.linux-amd64",
    });
    const { manifest_id, cell_id, platform, template, fragments, args, images } = inputs;
    const base = { ref: "scratch", digest: null };
    const record = {
      ...keysOf(inputs),
      manifest_id,
      cell_id,
      platform,
      template,
      fragments,
      args,
      images,
      base,
    };
    const problems = (changed: object) =>
      inputsProblems({ ...record, ...changed } as unknown as FactoryRecord, inputs).map(({ code }) => code);
    expect(problems({})).toEqual([]);
    for (const other of [
      { l: ["b", "a"] },
      { l: ["a"] },
      { l: "a,b" },
      { m: { x: 1 } },
      { m: { x: "1", y: "" } },
    ])
      expect(problems({ args: { ...args, ...other } })).toEqual(["INPUT_MISMATCH"]);
  });
});
