/** An image's configuration, as far as its labels go. */
export interface LabelledConfig {
  config?: { Labels?: Readonly<Record<string, unknown>> | null } | null;
}

/** The labels in an image's configuration, without what is no text. */
export function imageLabels({ config }: LabelledConfig): Record<string, string> {
  return Object.fromEntries(
    Object.entries(config?.Labels ?? {}).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, value]] : [],
    ),
  );
}
