import common from "../schemas/common.schema.json" with { type: "json" };
import manifest from "../schemas/manifest.schema.json" with { type: "json" };

const { id, repository } = common.definitions;
const ID = new RegExp(id.pattern, "u");
const REPOSITORY = new RegExp(repository.pattern, "u");
const VERSION = new RegExp(common.definitions.version.pattern, "u");
const TEMPLATE_REF = new RegExp(manifest.definitions.template_ref.pattern, "u");

/** Whether a text is an id, so that it may become part of a path. */
export function isId(text: string): boolean {
  return text.length <= id.maxLength && ID.test(text);
}

/** Whether a text names a repository, such as `127.0.0.1:5000/team`. */
export function isRepository(text: string): boolean {
  return text.length <= repository.maxLength && REPOSITORY.test(text);
}

/** Whether a text has the form of an exact version, so that it may become part of a path. */
export function hasVersionForm(text: string): boolean {
  return text.length <= common.definitions.version.maxLength && VERSION.test(text);
}

/** A manifest's `template` (`llm_factory@~0.1`) as its id and its version or range; undefined if it has another form. */
export function parseTemplateRef(ref: string): { id: string; range: string } | undefined {
  const at = ref.indexOf("@");
  return TEMPLATE_REF.test(ref) ? { id: ref.slice(0, at), range: ref.slice(at + 1) } : undefined;
}
