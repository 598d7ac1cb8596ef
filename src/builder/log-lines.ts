import { StringDecoder } from "node:string_decoder";
import { stripVTControlCharacters } from "node:util";

/** A longer line is handed out in pieces, so that output without a newline cannot fill the memory. */
const LONGEST_LINE = 16_384;

/** Control characters are what is taken out; tabs stay. */
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/** A line as a person would see it in the end: after its last carriage return, without escape sequences. */
export function visibleLine(line: string): string {
  const ended = line.replace(/\r+$/, "");
  const shown = ended.slice(ended.lastIndexOf("\r") + 1);
  return stripVTControlCharacters(shown).replace(CONTROL, "");
}

/** Makes whole lines of a byte stream that comes in pieces. */
export interface LineAssembler {
  /** Takes a piece; gives the lines that it completes. */
  add: (bytes: Uint8Array) => string[];
  /** The stream has ended; gives the line that had no newline, if any. */
  end: () => string[];
}

/** Decodes UTF-8 across pieces. A line that keeps being overwritten with carriage returns holds its last state only. */
export function createLineAssembler(): LineAssembler {
  const decoder = new StringDecoder("utf8");
  let pending = "";

  const take = (text: string): string[] => {
    const parts = (pending + text).split("\n");
    pending = parts.pop() ?? "";
    const overwritten = pending.lastIndexOf("\r", pending.length - 2);
    if (pending.length > 1 && overwritten >= 0) pending = pending.slice(overwritten + 1);
    while (pending.length > LONGEST_LINE) {
      parts.push(pending.slice(0, LONGEST_LINE));
      pending = pending.slice(LONGEST_LINE);
    }
    return parts.map(visibleLine);
  };

  return {
    add: (bytes) => take(decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))),
    end: () => {
      const lines = take(decoder.end());
      const rest = visibleLine(pending);
      pending = "";
      return rest === "" ? lines : [...lines, rest];
    },
  };
}
