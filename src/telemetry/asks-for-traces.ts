/** Whether the environment asks for traces: it names a collector, and nobody has turned them off. */
export function asksForTraces(env: Readonly<Record<string, string | undefined>>): boolean {
  const isSet = (name: string) => (env[name] ?? "").trim() !== "";
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === "true") return false;
  if (env.OTEL_TRACES_EXPORTER?.trim() === "none") return false;
  return isSet("OTEL_EXPORTER_OTLP_ENDPOINT") || isSet("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
}
