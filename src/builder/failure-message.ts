/** The longest message; the log has the rest. */
const LONGEST = 500;

/** One line for a person, from buildx's last words: without its `ERROR:`, target and `failed to solve:` in front. */
export function failureMessage(errorText: string): string {
  const [line = ""] = errorText.split("\n").filter((text) => text.trim() !== "");
  const message = line
    .replace(/^ERROR: /, "")
    .replace(/^target [A-Za-z0-9_-]+: /, "")
    .replace(/^failed to solve: /, "");
  if (message === "") return "docker buildx bake failed without a message";
  return message.length > LONGEST ? `${message.slice(0, LONGEST - 1)}…` : message;
}
