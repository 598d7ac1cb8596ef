import { extract } from "tar-stream";
import type { Extract } from "tar-stream";
import type { Inode } from "./kinds/kind.ts";
import type { SmokeContext } from "./suite-run.ts";

/** The most that is read of a file; the rest is not looked at. */
const CONTENT_BYTES = 1024 * 1024;

/** Reads the first entry of a tar stream and no more of it, for a folder's tar holds the whole folder. */
async function firstEntry(entries: Extract): Promise<Inode | null> {
  for await (const entry of entries) {
    const { type, linkname, mode = 0, uid = 0, gid = 0, size = 0 } = entry.header;
    const chunks: Buffer[] = [];
    let length = 0;
    if (type === "file") {
      for await (const chunk of entry as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        length += chunk.length;
        if (length >= CONTENT_BYTES) break;
      }
    }
    const contents = Buffer.concat(chunks).subarray(0, CONTENT_BYTES).toString("utf8");
    const link = type === "symlink" ? (linkname ?? "") : null;
    return { type: type ?? "file", link, mode, uid, gid, bytes: size, contents };
  }
  return null;
}

/**
 * Looks at a path of a created container, as `docker cp` does: symbolic links are followed on the way to the last
 * part of the path, within the image's file system, but not the last part itself (as lstat does).
 * What the engine adds to every container stands there too: /.dockerenv, /etc/hosts, /etc/hostname, /etc/resolv.conf,
 * /dev, /proc and /sys.
 * @param id a container created from the image; it need never run
 */
export async function lookAt(
  context: SmokeContext,
  id: string,
  path: string,
): Promise<Inode | "absent" | { error: string }> {
  // With a slash at its end the path of a link would stand for the folder that it leads to.
  const own = path.replace(/(?<=.)\/+$/, "");
  const found = await context.docker.containers.archive(id, own, context.signal);
  if (!found) return "absent";
  if ("refused" in found) return { error: found.refused };
  const { value: body } = found;
  try {
    const entries = extract();
    body.on("error", (error) => entries.destroy(error));
    const inode = await firstEntry(body.pipe(entries));
    return inode ?? { error: "the engine sent an empty archive" };
  } catch (error) {
    context.signal.throwIfAborted();
    return { error: error instanceof Error ? error.message : String(error) };
  } finally {
    body.destroy();
  }
}
