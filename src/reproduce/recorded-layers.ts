function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

const listIn = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

/**
 * The digests of layers as BuildKit's provenance (mode=max) names them after each step, by their place from the base on. A
 * step's layers stand on those before it, so one place has several only where a Dockerfile has several chains.
 */
export function recordedLayers(provenance: unknown): ReadonlySet<string>[] {
  const { predicate, runDetails, metadata } = fieldsOf(provenance);
  const whole = {
    ...fieldsOf(metadata),
    ...fieldsOf(fieldsOf(fieldsOf(predicate).runDetails ?? runDetails).metadata),
  };
  const places: Set<string>[] = [];
  for (const [name, about] of Object.entries(whole)) {
    if (!/buildkit/i.test(name)) continue;
    for (const chains of Object.values(fieldsOf(fieldsOf(about).layers)))
      for (const chain of listIn(chains))
        for (const [at, layer] of listIn(chain).entries()) {
          const { digest } = fieldsOf(layer);
          if (typeof digest === "string") (places[at] ??= new Set()).add(digest);
        }
  }
  return places;
}
