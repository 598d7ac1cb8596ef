import { withoutUserinfo } from "./userinfo.ts";

/** Names of environment variables that hold a secret. */
const SECRET_NAME = /TOKEN|SECRET|PASSW(OR)?D|CREDENTIAL|API_?KEY|ACCESS_KEY|PRIVATE_KEY/i;

/** A shorter value may stand in any text by chance. */
const SHORTEST = 8;

/**
 * Gives a function that puts `***` in place of secrets in a text: the values of environment variables whose names say that
 * they hold one, and what stands before the host of a URL.
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
