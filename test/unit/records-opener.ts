/** Opens the attempts of a workspace again and again, beside other processes: `records-opener.ts ROOT TIMES`. */
import { openStore } from "../../src/pipeline/open-store.ts";

const [root = "", times = ""] = process.argv.slice(2);
for (let count = 0; count < Number(times); count += 1) {
  await openStore(root).attempts({
    now: () => Date.now() + 3_600_000,
    onUnreadable: ({ message }) => process.stderr.write(`${message}\n`),
  });
  process.stdout.write(".");
}
