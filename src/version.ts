declare const FACTORY_VERSION: string | undefined;

/** Factory's version, filled in by the bundler. */
export const version: string = typeof FACTORY_VERSION === "string" ? FACTORY_VERSION : "0.0.0-source";
