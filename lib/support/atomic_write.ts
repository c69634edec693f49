/**
 * Files appear whole or not at all.
 *
 * @module
 */

/**
 * Writes a file under a temporary name beside its destination and renames it, so that a reader (or
 * a resumed run after a crash) never sees half of it.
 *
 * @param path Destination; its folder must exist.
 * @param data Text (UTF-8) or bytes.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${Deno.pid}.tmp`;
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  try {
    const file = await Deno.open(temporary, { write: true, create: true, truncate: true });
    try {
      let offset = 0;
      while (offset < bytes.length) offset += await file.write(bytes.subarray(offset));
      await file.sync();
    } finally {
      file.close();
    }
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => undefined);
    throw error;
  }
}
