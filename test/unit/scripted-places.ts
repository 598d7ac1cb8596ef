import type { Places } from "../../src/plan/decide/placement.ts";

/** An engine and a registry by what they hold. Neither answers where it is left out. */
export function scriptedPlaces({
  engine = null,
  held = [],
  registry,
}: {
  /** Digests by tag. */
  engine?: Readonly<Record<string, string>> | null;
  /** Digests that the engine holds under no tag. */
  held?: readonly string[];
  /** Digests by tag. */
  registry?: Readonly<Record<string, string>>;
} = {}): Places & { asked: { engine: string[][]; registry: string[] } } {
  const asked = { engine: [] as string[][], registry: [] as string[] };
  return {
    asked,
    engineTags: (repositories) => {
      asked.engine.push([...repositories]);
      return Promise.resolve(engine && new Map(Object.entries(engine)));
    },
    engineHolds: (digest) =>
      engine === null
        ? Promise.reject(new Error("no engine answers, and it was asked for an image"))
        : Promise.resolve(Object.values(engine).includes(digest) || held.includes(digest)),
    served: (ref) => {
      asked.registry.push(ref);
      return Promise.resolve(registry ? (registry[ref] ?? null) : undefined);
    },
  };
}
