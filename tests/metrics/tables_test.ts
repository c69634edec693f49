import {
  columnNumbers,
  columnStrings,
  concatTables,
  type RowOf,
  rowsOf,
  schemaOf,
  TableBuilder,
  tableFromRows,
  type TableSchema,
} from "@signalbox/signalbox/metrics";
import { makeTable, tableFromArrays, tableToIPC } from "apache-arrow";
import fc from "fast-check";
import assert from "node:assert/strict";

const schema = {
  share: "float64?",
  replica: "int32",
  seed: "int64?",
  note: "utf8?",
  done: "bool",
  policy: "dictionary?",
  shares: "float64[]",
} as const satisfies TableSchema;

const rowArbitrary: fc.Arbitrary<RowOf<typeof schema>> = fc.record({
  share: fc.option(fc.double()),
  replica: fc.integer({ min: -0x7fffffff, max: 0x7fffffff }),
  seed: fc.option(fc.maxSafeInteger()),
  note: fc.option(fc.string({ unit: "grapheme" })),
  done: fc.boolean(),
  policy: fc.option(fc.constantFrom("random", "round_robin", "ppo")),
  shares: fc.array(fc.double(), { maxLength: 4 }).map((list) => Float64Array.from(list)),
}, { noNullPrototype: true });

Deno.test("tableFromRows() and rowsOf() are inverse to each other", () => {
  fc.assert(fc.property(fc.array(rowArbitrary, { maxLength: 30 }), (rows) => {
    const table = tableFromRows(schema, rows);
    assert.deepEqual(schemaOf(table), schema);
    assert.deepEqual([...rowsOf(table)], rows);
  }));
});

Deno.test("concatTables() gives the bytes of the table that was never cut", () => {
  const rows = fc.sample(rowArbitrary, { numRuns: 60, seed: 5 });
  const whole = tableFromRows(schema, rows);
  const parts = [rows.slice(0, 7), [], rows.slice(7, 8), rows.slice(8)].map((part) =>
    tableFromRows(schema, part)
  );
  assert.deepEqual(tableToIPC(concatTables(parts)), tableToIPC(whole));
});

Deno.test("TableBuilder cuts batches of 65,536 rows that share their dictionaries", () => {
  const builder = new TableBuilder({ n: "int32", name: "dictionary" });
  const count = 2 * 65_536 + 1;
  for (let n = 0; n < count; n++) builder.append({ n, name: `group ${Math.floor(n / 50_000)}` });
  const table = builder.finish();
  assert.deepEqual(table.batches.map((batch) => batch.numRows), [65_536, 65_536, 1]);
  assert.deepEqual(columnNumbers(table, "n"), Float64Array.from({ length: count }, (_, n) => n));
  const names = columnStrings(table, "name");
  assert.deepEqual([names[0], names[65_536], names[count - 1]], ["group 0", "group 1", "group 2"]);
});

Deno.test("TableBuilder refuses cells that do not fit and keeps the rows before", () => {
  const builder = new TableBuilder(schema);
  const good: RowOf<typeof schema> = {
    share: null,
    replica: 1,
    seed: 2,
    note: "",
    done: true,
    policy: "ppo",
    shares: [0.5],
  };
  builder.append(good);
  const refused: readonly (readonly [Record<string, unknown>, string, string])[] = [
    [{ replica: 1.5 }, "RangeError", "replica must be a 32-bit integer, current value is 1.5"],
    [
      { replica: 2 ** 31 },
      "RangeError",
      "replica must be a 32-bit integer, current value is 2147483648",
    ],
    [{ replica: null }, "TypeError", "replica must be a 32-bit integer, current value is null"],
    [
      { seed: 2 ** 53 },
      "RangeError",
      "seed must be a safe integer or null, current value is 9007199254740992",
    ],
    [{ share: "1.5" }, "TypeError", 'share must be a number or null, current value is "1.5"'],
    [
      { share: undefined },
      "TypeError",
      "share must be a number or null, current value is undefined",
    ],
    [{ done: 1 }, "RangeError", "done must be true or false, current value is 1"],
    [{ policy: 7 }, "RangeError", "policy must be a string or null, current value is 7"],
    [{ shares: ["a"] }, "TypeError", "shares must be a list of numbers, current value is a"],
  ];
  for (const [change, name, text] of refused) {
    assert.throws(() => builder.append({ ...good, ...change } as RowOf<typeof schema>), {
      name,
      message: `Cannot append row: ${text}`,
    });
  }
  assert.equal(builder.finish().numRows, 1);
});

Deno.test("concatTables() refuses tables with other columns", () => {
  assert.throws(() => concatTables([]), /tables must hold at least one table/);
  const a = tableFromRows({ x: "int32" }, []);
  const b = tableFromRows({ x: "float64" }, []);
  assert.throws(() => concatTables([a, b]), {
    name: "TypeError",
    message:
      "Cannot join tables: tables[1] must have the columns (x: int32), current columns are (x: float64)",
  });
});

Deno.test("schemaOf() refuses types that tables here do not have", () => {
  const table = makeTable({ small: Uint8Array.of(1) });
  assert.throws(() => schemaOf(table), {
    name: "TypeError",
    message: /column small must be of type float64, .* current type is Uint8/,
  });
});

Deno.test("columnNumbers() and columnStrings() refuse what is not there", () => {
  const table = tableFromArrays({ x: Float64Array.of(1), label: ["a"] });
  assert.throws(() => columnNumbers(table, "y"), {
    name: "RangeError",
    message: "Cannot read column: name must be one of x, label, current value is y",
  });
  assert.throws(() => columnNumbers(table, "label"), /label must hold numbers, current value is a/);
  assert.throws(() => columnStrings(table, "x"), /x must hold text, current value is 1/);
});
