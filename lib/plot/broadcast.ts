/**
 * Messages from the kernel of a notebook to its front ends.
 *
 * @module
 */

/** Sends a message to the front ends of a notebook, as `Deno.jupyter.broadcast` does. */
export type Broadcast = (type: string, content: Record<string, unknown>) => Promise<void>;

/** Sends through the kernel that runs this code; fails outside of one. */
export function kernelBroadcast(type: string, content: Record<string, unknown>): Promise<void> {
  return Deno.jupyter.broadcast(type, content);
}
