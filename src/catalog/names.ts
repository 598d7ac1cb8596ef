import common from "../schemas/common.schema.json" with { type: "json" };
import manifest from "../schemas/manifest.schema.json" with { type: "json" };

const { id, shared_id, library_name, repository } = common.definitions;
const ID = new RegExp(id.pattern, "u");
const SHARED_ID = new RegExp(shared_id.pattern, "u");
const REPOSITORY = new RegExp(repository.pattern, "u");
const VERSION = new RegExp(common.definitions.version.pattern, "u");
const TEMPLATE_REF = new RegExp(manifest.definitions.template_ref.pattern, "u");

/** Whether a text is an id, so that it may become part of a path. */
export function isId(text: string): boolean {
  return text.length <= id.maxLength && ID.test(text);
}

/** Whether a text is the id of a fragment or template: of the workspace's own, or of one of a library. */
export function isSharedId(text: string): boolean {
  return text.length <= shared_id.maxLength && SHARED_ID.test(text);
}

/** Whether a text can be the name of a library. */
export function isLibraryName(text: string): boolean {
  return text.length <= library_name.maxLength && new RegExp(library_name.pattern, "u").test(text);
}

/** The id of a fragment or template as the workspace names it. @param library null for the workspace's own */
export function sharedId(library: string | null, own: string): string {
  return library === null ? own : `${library}.${own}`;
}

/** The library of a fragment or template, null for the workspace's own, and its id in there. */
export function splitSharedId(text: string): { library: string | null; own: string } {
  const dot = text.indexOf(".");
  return dot < 0 ? { library: null, own: text } : { library: text.slice(0, dot), own: text.slice(dot + 1) };
}

/** An argument's name, such as `app.port`, as that of its fragment, undefined if it names none, and its own. */
export function splitArgName(name: string): { fragment: string | undefined; own: string } {
  const dot = name.lastIndexOf(".");
  return { fragment: dot < 0 ? undefined : name.slice(0, dot), own: name.slice(dot + 1) };
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
