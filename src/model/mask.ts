import { withoutUserinfo } from "./userinfo.ts";

/** Names of environment variables that hold a secret. */
const SECRET_NAME = /TOKEN|SECRET|PASSW(OR)?D|CREDENTIAL|API_?KEY|ACCESS_KEY|PRIVATE_KEY/i;

/** A shorter value may be in any text by chance. */
const SHORTEST = 8;

/**
 * Makes a function that replaces secrets in a text by `***`: the values of environment variables whose names suggest a
 * secret, and the user and password in a URL.
 */
export function createMask(env: Readonly<Record<string, string | undefined>>): (text: string) => string {
  const secrets = Object.entries(env)
    .flatMap(([name, value]) =>
      SECRET_NAME.test(name) && value !== undefined && value.trim().length >= SHORTEST ? [value.trim()] : [],
    )
    .sort((a, b) => b.length - a.length);
  return (text) => {
    let masked = withoutUserinfo(text);
    for (const secret of secrets) masked = masked.replaceAll(secret, "***");
    return masked;
  };
}
