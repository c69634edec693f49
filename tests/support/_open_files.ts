/** What a process has open, where it can tell. */
import { setTimeout as delay } from "node:timers/promises";

/** Whether {@linkcode isOpen} can tell. */
export const canListOpenFiles: boolean = Deno.build.os === "linux";

/** Whether this process has the file open. */
export function isOpen(path: string): boolean {
  return [...Deno.readDirSync("/proc/self/fd")].some(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`) === path;
    } catch {
      return false; // the descriptor of this listing itself
    }
  });
}

/** Whether the file is closed, or soon will be: closing takes a moment of the event loop. */
export async function becomesClosed(path: string): Promise<boolean> {
  for (let turn = 0; turn < 500 && isOpen(path); turn++) await delay(10);
  return !isOpen(path);
}
