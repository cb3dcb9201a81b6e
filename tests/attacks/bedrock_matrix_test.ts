/** Each way to prove who asks × each operation of Bedrock × each forgery. */
import assert from "node:assert/strict";
import { type Forger, forgeries } from "./forgeries.ts";
import { bedrockOperations, prepare } from "./operations.ts";
import type { Key } from "./sign.ts";
import { withWorld } from "./world.ts";

for (const provider of ["openai", "bedrock"] as const) {
  Deno.test(`a forged proof is refused for every operation of Bedrock at ${provider}, and changes nothing`, async (t) => {
    await withWorld(async (world) => {
      const { keys } = world;
      const forger: Record<keyof Forger, Key> = provider === "openai"
        ? { right: keys.owner, wrong: keys.other, disabled: keys.disabled, expired: keys.expired }
        : {
          right: keys.aws,
          wrong: keys.otherAws,
          disabled: keys.disabledAws,
          expired: keys.expiredAws,
        };
      for (const way of ["header", "link", "bearer"] as const) {
        await t.step(way, async () => {
          for (const { name: operation, ask: asked } of bedrockOperations) {
            const place = await prepare(world, forger.right, { job: true });
            const plain = asked(place);
            const ask = { ...plain, headers: { ...plain.headers, "x-amz-meta-signed": "a" } };
            const before = await world.state();
            for (const { name, wire, codes } of forgeries(world, ask, way, forger)) {
              const answer = await world.send(wire);
              const where = `${operation} by ${way} with ${name}: ${answer.status} ${answer.body}`;
              assert.ok(answer.status === 400 || answer.status === 403, where);
              assert.ok(codes.includes(answer.code), `${where} ${answer.code}, not ${codes}`);
              assert.equal(await world.state(), before, where);
            }
            const right = await world.ask(ask, forger.right, way);
            assert.equal(right.status, 200, `${operation} by ${way}: ${right.body}`);
          }
        });
      }
    });
  });
}
