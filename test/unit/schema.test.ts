import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { DOCUMENTS, SCHEMAS } from "../../src/schemas/published.ts";
import { wholeSchema } from "../../src/schemas/whole-schema.ts";
import { record } from "./records-made.ts";
import { factoryAtOnce, makeWorkspace, SMALL } from "./workspace.ts";

const compile = (name: string, alone: boolean) => {
  const schemas = alone ? [] : Object.values(SCHEMAS);
  const ajv = new Ajv({ schemas, allErrors: true, strict: true, strictTypes: false, allowUnionTypes: true });
  addFormats.default(ajv, ["date-time", "date", "regex"]);
  const id = `${name}.schema.json`;
  const validate = alone ? ajv.compile(wholeSchema(id, SCHEMAS)) : ajv.getSchema(id);
  if (!validate) throw new Error(`there is no ${id}`);
  return validate;
};

/** All references in a value. */
function refsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) =>
    name === "$ref" && typeof one === "string" ? [one] : refsIn(one),
  );
}

describe("the schema of a document in one piece", () => {
  it.each(Object.keys(DOCUMENTS))(
    "refers to nothing outside, and to nothing that is not there: %s",
    (name) => {
      const whole = wholeSchema(`${name}.schema.json`, SCHEMAS);
      const { definitions = {} } = whole as { definitions?: Record<string, unknown> };
      for (const ref of refsIn(whole)) {
        if (ref === "#") continue;
        expect(ref).toMatch(/^#\/definitions\//);
        expect(Object.keys(definitions)).toContain(ref.slice("#/definitions/".length));
      }
      expect(JSON.stringify(whole)).not.toContain('"$id"');
      expect(() => compile(name, true)).not.toThrow();
    },
  );

  it.each([
    ["manifest", SMALL["manifests/demo.yaml"]],
    ["workspace", "schema_version: 1\nrepository: factory\nsmoke: {memory_mb: 64}\n"],
    ["product", "schema_version: 1\nproduct_id: x\nmanifest_id: x\nrepository: r.example/x\n"],
    ["record", JSON.stringify(record())],
  ])("judges as the schemas together do: %s", (name, text) => {
    const [alone, together] = [compile(name, true), compile(name, false)];
    const document = parse(text ?? "") as Record<string, unknown>;
    for (const change of [
      {},
      { schema_version: 9 },
      { unknown_field: 1 },
      { manifest_id: "-" },
      { smoke: 1 },
    ]) {
      const changed = { ...document, ...change };
      expect([change, alone(changed)]).toEqual([change, together(changed)]);
    }
    expect(alone(document)).toBe(true);
  });

  it("keeps definitions of one name in two files apart", () => {
    const all = {
      "a.schema.json": {
        $id: "a.schema.json",
        properties: { own: { $ref: "#/definitions/x" }, other: { $ref: "b.schema.json#/definitions/x" } },
        definitions: { x: { type: "string" } },
      },
      "b.schema.json": {
        $id: "b.schema.json",
        definitions: { x: { anyOf: [{ type: "number" }, { $ref: "#/definitions/x" }] } },
      },
    };
    expect(wholeSchema("a.schema.json", all)).toMatchObject({
      properties: { own: { $ref: "#/definitions/x" }, other: { $ref: "#/definitions/b_x" } },
      definitions: { x: { type: "string" }, b_x: { anyOf: [{}, { $ref: "#/definitions/b_x" }] } },
    });
  });
});

it("factory schema prints, writes and lists them, and knows what was meant", async () => {
  const root = makeWorkspace();
  const printed = await factoryAtOnce(root, ["schema", "manifest"]);
  expect(JSON.parse(printed.stdout)).toEqual(wholeSchema("manifest.schema.json", SCHEMAS));
  const written = await factoryAtOnce(root, ["schema", "plan", "-o", "schemas/plan.json"]);
  expect(written.stdout).toBe("written to schemas/plan.json\n");
  expect(readFileSync(join(root, "schemas/plan.json"), "utf8")).toMatch(/^\{\n {2}"\$schema"/);
  const list = await factoryAtOnce(root, ["schema", "--json"]);
  const { schemas } = JSON.parse(list.stdout) as { schemas: { name: string }[] };
  expect(schemas.map(({ name }) => name)).toEqual(Object.keys(DOCUMENTS));
  const wrong = await factoryAtOnce(root, ["schema", "manifets"]);
  expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining("did you mean manifest?")]);
});
