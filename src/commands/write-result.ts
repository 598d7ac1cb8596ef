/** Writes what `-o FILE` asks for, whole or not at all; makes the folder. */
export async function writeResult(file: string, text: string): Promise<void> {
  const { writeWhole } = await import("../files/write-whole.ts");
  writeWhole(file, text, false);
}
