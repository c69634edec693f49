import assert from "node:assert/strict";
import fc from "fast-check";
import { FreeBlocks } from "../../lib/simulator/schedulers/_free_blocks.ts";

Deno.test("FreeBlocks loses the contents of the blocks that were freed first, last ones first", () => {
  const free = new FreeBlocks(2);
  free.addOf(7, 3, 2); // the third block is not full
  free.addOf(8, 2, 2);
  assert.equal(free.count, 7);
  free.take(3); // the two empty ones and 7's third
  assert.equal(free.fullBlocksOf(7), 2);
  free.take(1);
  assert.equal(free.fullBlocksOf(7), 1);
  free.take(2); // 7's first, then 8's second
  assert.equal(free.fullBlocksOf(7), 0);
  assert.equal(free.fullBlocksOf(8), 1);
  assert.equal(free.count, 1);
});

Deno.test("FreeBlocks gives a request its first blocks back and keeps the rest for anybody", () => {
  const free = new FreeBlocks(0);
  free.addOf(7, 3, 2);
  free.reclaim(7);
  assert.equal(free.count, 1);
  assert.equal(free.fullBlocksOf(7), 0);
  free.add(1);
  free.take(2);
  assert.equal(free.count, 0);
});

Deno.test("FreeBlocks behaves as a queue of single blocks", () => {
  // The model: the owner of every free block, -1 where nobody will find it.
  const command = fc.record({
    kind: fc.constantFrom("add", "addOf", "reclaim", "take"),
    owner: fc.nat(3),
    amount: fc.nat(6),
    full: fc.nat(6),
  });
  fc.assert(fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
    const free = new FreeBlocks(4);
    let model: number[] = new Array<number>(4).fill(-1);
    const found = (owner: number): number => model.filter((block) => block === owner).length;
    for (const { kind, owner, amount, full } of commands) {
      if (kind === "add") {
        free.add(amount);
        for (let i = 0; i < amount; i++) model.push(-1);
      } else if (kind === "addOf" && found(owner) === 0 && amount > 0) {
        const fullBlocks = Math.min(full, amount);
        free.addOf(owner, amount, fullBlocks);
        for (let i = amount - 1; i >= 0; i--) model.push(i < fullBlocks ? owner : -1);
      } else if (kind === "reclaim") {
        free.reclaim(owner);
        model = model.filter((block) => block !== owner);
      } else if (kind === "take") {
        const blocks = Math.min(amount, model.length);
        free.take(blocks);
        model.splice(0, blocks);
      }
      assert.equal(free.count, model.length);
      for (let who = 0; who <= 3; who++) assert.equal(free.fullBlocksOf(who), found(who));
    }
  }));
});
