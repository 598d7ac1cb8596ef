import { spawnSync } from "node:child_process";
import { afterAll } from "vitest";
import { docker, uniqueName } from "./engine.ts";

/** A shell and six programs of Debian, with the libraries that they load: two megabytes, where Debian has hundreds. */
const DOCKERFILE = `FROM debian:bookworm-slim AS whole
RUN set -eu; mkdir -p /tiny/bin /tiny/etc /tiny/tmp; \\
    for file in sh cat ls mkdir sleep touch true; do cp -L "/bin/$file" /tiny/bin/; done; \\
    for file in $(ldd /bin/sh /bin/ls | grep -o '/[^ :]*\\.so[^ :]*' | sort -u); do cp -L --parents "$file" /tiny; done; \\
    cp -L /etc/os-release /tiny/etc/
FROM scratch
COPY --from=whole /tiny /
CMD ["sh"]
`;

let made: string | undefined;
afterAll(() => {
  if (made !== undefined) spawnSync("docker", ["image", "rm", "-f", made], { stdio: "ignore" });
});

/**
 * A base in the engine alone for tests that do not ask what is in one: runs read, save and inventory every layer of
 * their base. Gives its name; all tests of a file have the same one, and it is gone after them.
 */
export function tinyBase(): string {
  if (made === undefined) {
    const name = `${uniqueName("factory-test-base")}:1`;
    docker(["build", "--quiet", "--provenance=false", "--tag", name, "-"], DOCKERFILE);
    made = name;
  }
  return made;
}
