import { LiveDisplay } from "../../lib/plot/mod.ts";
import assert from "node:assert/strict";

Deno.test("LiveDisplay.show() displays once, then updates the same output", async () => {
  const messages: [string, Record<string, unknown>][] = [];
  const display = new LiveDisplay((type, content) => {
    messages.push([type, content]);
    return Promise.resolve();
  });
  await display.show(1, 4, "KL < 0.1 & falling");
  await display.show(2, 4, "");
  assert.deepEqual(messages.map(([type]) => type), ["display_data", "update_display_data"]);
  const [first, second] = messages.map(([, content]) => content);
  assert.deepEqual(first!.transient, second!.transient);
  assert.deepEqual(first!.data, {
    "text/plain": "1/4 KL < 0.1 & falling",
    "text/html": '<progress value="1" max="4"></progress> 1/4 KL &lt; 0.1 &amp; falling',
  });
});
