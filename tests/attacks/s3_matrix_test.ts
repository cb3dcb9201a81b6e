/** Each way to sign × each operation of S3 × each forgery, at a provider that stores and at one that is forwarded to. */
import assert from "node:assert/strict";
import { type Forger, forgeries } from "./forgeries.ts";
import { type Operation, prepare, s3Operations } from "./operations.ts";
import type { Key, Way } from "./sign.ts";
import { withWorld, type World } from "./world.ts";

/** Operations that the simulated S3 has not: it says so once the gateway has let them in. */
const notUpstream: readonly string[] = ["GetObjectAttributes", "ListObjectVersions"];

async function attack(
  world: World,
  operation: Operation,
  way: Way,
  forger: Forger,
): Promise<void> {
  const place = await prepare(world, forger.right);
  const plain = operation.ask(place);
  const ask = { ...plain, headers: { ...plain.headers, "x-amz-meta-signed": "a" } };
  const before = await world.state();
  for (const { name, wire, codes } of forgeries(world, ask, way, forger)) {
    const answer = await world.send(wire);
    const where = `${operation.name} by ${way} with ${name}: ${answer.status} ${answer.body}`;
    assert.ok(answer.status === 400 || answer.status === 403, where);
    if (wire.method !== "HEAD") assert.ok(codes.includes(answer.code), `${where} ${codes}`);
    assert.equal(await world.state(), before, where);
  }
  const right = await world.ask(ask, forger.right, way);
  const isMissing = forger.right === world.keys.aws && notUpstream.includes(operation.name);
  const where = `${operation.name} by ${way}: ${right.status} ${right.body}`;
  assert.equal(right.code, isMissing ? "NotImplemented" : "", where);
  assert.ok(isMissing || right.status < 300, where);
}

for (const way of ["header", "link", "oldLink"] as const) {
  for (const provider of ["openai", "bedrock"] as const) {
    Deno.test(`a forged ${way} is refused for every operation of S3 at ${provider}, and changes nothing`, async () => {
      await withWorld(async (world) => {
        const { keys } = world;
        const isStored = provider === "openai";
        const forger: Record<keyof Forger, Key> = isStored
          ? { right: keys.owner, wrong: keys.other, disabled: keys.disabled, expired: keys.expired }
          : {
            right: keys.aws,
            wrong: keys.otherAws,
            disabled: keys.disabledAws,
            expired: keys.expiredAws,
          };
        for (const operation of s3Operations) {
          if (operation.not?.includes(way)) continue;
          await attack(world, operation, way, forger);
        }
      });
    });
  }
}
