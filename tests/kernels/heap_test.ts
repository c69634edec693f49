import assert from "node:assert/strict";
import fc from "fast-check";
import { Heap, sizeClass } from "../../lib/kernels/_heap.ts";

Deno.test("sizeClass() is enough, a multiple of 64 and at most a quarter too much", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (bytes) => {
    const size = sizeClass(bytes);
    assert.ok(size >= bytes && size % 64 === 0 && size >= 64);
    if (bytes > 512) assert.ok(size <= bytes * 1.25 + 1);
    assert.equal(sizeClass(size), size);
  }));
});

Deno.test("Heap.allocate() never hands out overlapping blocks and grows the memory", () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 4096, shared: true });
  const heap = new Heap(memory);
  const live = new Map<number, number>();
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300_000 }), fc.boolean(), (bytes, release) => {
      const pointer = heap.allocate(bytes);
      assert.equal(pointer % 64, 0);
      assert.ok(pointer + bytes < memory.buffer.byteLength);
      for (const [other, size] of live) {
        assert.ok(pointer >= other + size || pointer + bytes <= other);
      }
      if (release) heap.free(pointer, bytes);
      else live.set(pointer, bytes);
    }),
    { seed: 3 },
  );
  for (const [pointer, bytes] of live) heap.free(pointer, bytes);
  assert.equal(heap.usedBytes, 0);
});

Deno.test("Heap.allocate() finds freed blocks of the same size again", () => {
  const heap = new Heap(new WebAssembly.Memory({ initial: 1, maximum: 16, shared: true }));
  const pointer = heap.allocate(1000);
  heap.free(pointer, 1000);
  const { reservedBytes } = heap;
  assert.equal(heap.allocate(990), pointer);
  assert.equal(heap.reservedBytes, reservedBytes);
});

Deno.test("Heap.allocate() uses memory up to its limit and stays whole beyond it", () => {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 5, shared: true });
  const heap = new Heap(memory);
  const page = 65536;
  const pointers = [2 * page, page, page].map((bytes) => heap.allocate(bytes));
  assert.equal(memory.buffer.byteLength, 5 * page); // half as much again would be 6 pages
  const { usedBytes, reservedBytes } = heap;
  assert.throws(() => heap.allocate(page), RangeError);
  assert.deepEqual([heap.usedBytes, heap.reservedBytes], [usedBytes, reservedBytes]);
  heap.free(pointers[1]!, page);
  assert.equal(heap.allocate(page), pointers[1]);
});
