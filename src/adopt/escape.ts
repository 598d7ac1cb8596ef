/** A text that stands for itself in a Dockerfile.hbs: `{{` in it starts nothing. */
export function escapeHandlebars(text: string): string {
  // A backslash in front of `{{` takes it as text. Two would be a backslash and a value: an empty comment keeps them apart.
  return text.replace(/(\\*)(\{{2,})/g, (_, slashes: string, braces: string) => {
    const pairs = "\\{{".repeat(Math.floor(braces.length / 2));
    if (braces.length % 2 === 1) return `${slashes}{${pairs}`;
    return slashes === "" ? pairs : `${slashes}\\{{! }}${pairs}`;
  });
}

/** A call such as `args.port`, behind a text that is already escaped. */
export function callAfter(text: string, call: string): string {
  return `${text.endsWith("\\") ? "\\" : ""}{{${call}}}`;
}
