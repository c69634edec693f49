import { renderSvg, tradeOff, type TradeOffPoint } from "@signalbox/signalbox/plot";
import fc from "fast-check";
import assert from "node:assert/strict";
import { placeLabels } from "../../lib/plot/_place_labels.ts";

const size = { width: 640, height: 380 };

Deno.test("placeLabels() covers neither labels nor points, however close the points are", () => {
  // Six points with a free line each: five other labels and six points block 22 of 27 lines at most.
  const points = fc.array(
    fc.record({
      x: fc.integer({ min: 250, max: 300 }),
      y: fc.integer({ min: 0, max: size.height }),
      label: fc.constantFrom("ppo", "lor_tbt", "least_outstanding", "clairvoyant_least_work"),
    }),
    { minLength: 1, maxLength: 6 },
  );
  fc.assert(fc.property(points, (crowd) => {
    const boxes = placeLabels(crowd, size).map(({ x, y, align }, index) => {
      const width = 5 * crowd[index]!.label.length;
      return align === "left" ? { left: x, right: x + width, y } : { left: x - width, right: x, y };
    });
    boxes.forEach((box, index) => {
      assert.ok(box.left >= 0 && box.right <= size.width && box.y > 0 && box.y < size.height);
      for (const { x, y } of crowd) {
        assert.ok(x < box.left || x > box.right || Math.abs(y - box.y) >= 8, "a point is covered");
      }
      for (const other of boxes.slice(0, index)) {
        const apart = Math.abs(other.y - box.y) >= 11;
        assert.ok(apart || other.right < box.left || box.right < other.left, "labels overlap");
      }
    });
  }));
});

Deno.test("placeLabels() puts a lone label just above its point, to the right where there is room", () => {
  assert.deepEqual(placeLabels([{ x: 100, y: 100, label: "ppo" }], size), [
    { x: 108, y: 91, align: "left" },
  ]);
  assert.deepEqual(placeLabels([{ x: 635, y: 100, label: "ppo" }], size), [
    { x: 627, y: 91, align: "right" },
  ]);
  assert.deepEqual(placeLabels([{ x: 100, y: 3, label: "ppo" }], size), [
    { x: 108, y: 12, align: "left" },
  ]);
});

Deno.test("tradeOff() writes names of policies that are close together apart", async () => {
  const around = (estimate: number) => ({ estimate, low: 0.9 * estimate, high: 1.1 * estimate });
  const near = (policy: string, shift: number): TradeOffPoint => ({
    policy,
    isOnCurve: policy.startsWith("ppo"),
    e2eSeconds: around(4 + shift),
    ttftSeconds: around(0.2 + shift / 10),
  });
  const svg = await renderSvg(tradeOff([
    near("ppo", 0),
    near("ppo early", 0.001),
    near("lor_tbt", 0.002),
    near("random", 0.003),
  ]));
  const places = ["ppo", "ppo early", "lor_tbt", "random"].map((policy) => {
    const found = svg.match(
      new RegExp(`translate\\(([-0-9.]+),([-0-9.]+)\\)"[^>]*>${policy}</text>`),
    );
    assert.ok(found, `${policy} is written`);
    return { x: Number(found[1]), y: Number(found[2]) };
  });
  places.forEach((a, index) => {
    for (const b of places.slice(0, index)) {
      assert.ok(Math.abs(a.y - b.y) > 11 || Math.abs(a.x - b.x) > 10, "labels lie apart");
    }
  });
});
