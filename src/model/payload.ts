/**
 * A value in JSON that anybody may have written, by its path: `pull_request.head.sha`. undefined if there is none; `null`
 * counts as none. Only what the JSON itself has is found: nothing that objects inherit.
 */
export function fieldAt(json: unknown, path: string): unknown {
  let value = json;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value ?? undefined;
}
