/**
 * Data for the page's script. A page that is opened from a file may fetch nothing, but may load scripts: so data is a script that hands
 * a value to the function of that name.
 * @param name as the page asks for it
 */
export function dataScript(name: string, value: unknown): string {
  return `factoryData(${JSON.stringify(name)},${JSON.stringify(value)});\n`;
}
