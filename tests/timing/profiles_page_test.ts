import assert from "node:assert/strict";
import { profileTable } from "../../data/tools/_profiles_page.ts";
import { shippedProfiles } from "../../lib/timing/mod.ts";

/** The formatter pads the cells of tables. */
function cells(table: string): string {
  return table.replaceAll(/ *\| */g, "|");
}

Deno.test("docs/profiles.md states the errors that the shipped profiles state", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/profiles.md", import.meta.url));
  const rows = cells(profileTable(shippedProfiles())).split("\n").slice(2);
  const stated = new Set(cells(page).split("\n"));
  assert.ok(rows.length > 60);
  assert.deepEqual(rows.filter((row) => !stated.has(row)), []);
});
