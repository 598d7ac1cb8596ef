import type { Notes } from "./notes.ts";
import type { Contact } from "./package.ts";

/** Addresses that the schema's check accepts quickly; any other goes through a parser for up to two milliseconds. */
const PLAIN = /^[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*@(?:[A-Za-z][A-Za-z0-9-]*[.])+[A-Za-z][A-Za-z0-9]+$/;

/** How many unusual addresses one document leaves to the parser. No real image has a tenth of that. */
const MOST_UNUSUAL = 1000;

/** Returns a contact without its address if that would be one unusual address too many. */
export function createAddresses(notes: Notes): (contact: Contact | undefined) => Contact | undefined {
  const unusual = new Set<string>();
  return (contact) => {
    const { email } = contact ?? {};
    if (!contact || email === undefined || PLAIN.test(email) || unusual.has(email)) return contact;
    if (unusual.size < MOST_UNUSUAL) {
      unusual.add(email);
      return contact;
    }
    notes.add(`left out unusual mail addresses after the first ${MOST_UNUSUAL}`, email);
    return { name: contact.name };
  };
}
