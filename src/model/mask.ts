import { createFinder, SHORTEST_FORM } from "./fragments.ts";
import { secretForms } from "./secret-forms.ts";
import { withoutUserinfo } from "./userinfo.ts";

/** Names of environment variables that hold a secret. */
const SECRET_NAME = /TOKEN|SECRET|PASSW(OR)?D|CREDENTIAL|API_?KEY|ACCESS_KEY|PRIVATE_KEY/i;

/**
 * Replaces secrets in a text by `***`: the user and password in a URL, and the values that it was told, also where they are
 * encoded, and pieces of them (see createFinder and secretForms). A value of less than eight characters stays.
 */
export interface Mask {
  (text: string): string;
  /** Tells it a value. @returns whether it is long enough to be masked */
  hide: (value: string) => boolean;
}

/** @param env values of variables whose names suggest a secret are masked from the start, as they are */
export function createMask(env: Readonly<Record<string, string | undefined>> = {}): Mask {
  const given = Object.entries(env)
    .flatMap(([name, value]) =>
      SECRET_NAME.test(name) && value !== undefined && value.trim().length >= SHORTEST_FORM
        ? [value.trim()]
        : [],
    )
    .sort((a, b) => b.length - a.length);
  const finder = createFinder();
  const mask = (text: string): string => {
    let masked = "";
    let at = 0;
    for (const [from, end] of finder.find(text)) {
      masked += `${text.slice(at, from)}***`;
      at = end;
    }
    masked += text.slice(at);
    for (const secret of given) masked = masked.replaceAll(secret, "***");
    return withoutUserinfo(masked);
  };
  const hide = (value: string): boolean => {
    for (const form of secretForms(value)) finder.add(form);
    return value.trim().length >= SHORTEST_FORM;
  };
  return Object.assign(mask, { hide });
}
