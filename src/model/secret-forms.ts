/** A longer value, such as a bundle of certificates, is looked for as it is and as base64: more would fill the memory. */
const LONGEST_ENCODED = 64 * 1024;

/** Lines that say nothing of the value around which they stand: those around a PEM block. */
const FRAME = /^-----(BEGIN|END) [A-Z0-9 ]+-----$/;

/** Control characters, which no kept log has. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * The characters of base64 that a value decides wherever it stands in a longer text: for each of the three alignments of
 * its first byte, without those that share bits with its neighbours.
 */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]);
    const even = whole.subarray(0, whole.length - (whole.length % 3));
    const text = even.toString("base64");
    return before === 0 ? text : text.slice(4);
  });
}

/** A text in which a shell or a program would quote it: characters that are not plain get a backslash. */
function backslashed(text: string): string {
  return text.replace(/[^A-Za-z0-9@%+=:,./_-]/g, "\\$&");
}

function percentEncoded(text: string): string[] {
  let encoded: string;
  try {
    encoded = encodeURIComponent(text);
  } catch {
    // Half of a surrogate pair has no such form.
    return [];
  }
  const strict = encoded.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const lower = (form: string) => form.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase());
  return [encoded, strict, lower(encoded), lower(strict), strict.replaceAll("%20", "+")];
}

/** How one line may be written: as it is, as it is shown, in JSON, in a URL, quoted for a shell. */
function lineForms(line: string): string[] {
  const json = JSON.stringify(line).slice(1, -1);
  return [
    line,
    line.trim(),
    line.replace(CONTROL, ""),
    json,
    json.replaceAll("/", "\\/"),
    line.replaceAll("'", "'\\''"),
    line.replaceAll("'", "'\"'\"'"),
    backslashed(line),
    ...percentEncoded(line),
  ];
}

/**
 * The texts by which a value can be recognised in what a build prints: each of its lines, and usual encodings of each and of
 * the whole: base64 (also the one for URLs, and inside a longer text), hex, JSON, URL, shell quotes. Each once.
 */
export function secretForms(value: string): string[] {
  const lines = value.split(/\r\n|\r|\n/).filter((line) => line !== "" && !FRAME.test(line.trim()));
  if (value.length > LONGEST_ENCODED)
    return lines.flatMap((line) => [line, ...base64Forms(Buffer.from(line))]);
  const forms = new Set<string>();
  for (const line of lines) for (const form of lineForms(line)) forms.add(form);
  for (const form of lineForms(lines.join("\n"))) if (!form.includes("\n")) forms.add(form);
  const wholes = lines.length > 1 ? [value, ...lines] : lines;
  for (const whole of wholes) {
    const bytes = Buffer.from(whole);
    for (const form of base64Forms(bytes)) {
      forms.add(form);
      forms.add(form.replaceAll("+", "-").replaceAll("/", "_"));
    }
    const hex = bytes.toString("hex");
    forms.add(hex);
    forms.add(hex.toUpperCase());
  }
  forms.delete("");
  return [...forms];
}
