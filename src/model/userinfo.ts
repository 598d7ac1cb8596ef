/** `//user:password@`, up to the last `@` of the authority; a digest's `@sha256:` does not count. */
const IN_URL = /(\/\/)[^\s/?#"<>]+@(?!sha(?:256|512):)/gi;

/** A text in which every URL has `***` for its user and password. */
export function withoutUserinfo(text: string): string {
  return text.includes("@") ? text.replace(IN_URL, "$1***@") : text;
}

/** As withoutUserinfo, of a text that should be a host with a path, and need not start with a scheme. */
export function addressWithoutUserinfo(text: string): string {
  return withoutUserinfo(text.replace(/^[^\s/?#]*@(?!sha(?:256|512):)/i, "***@"));
}
