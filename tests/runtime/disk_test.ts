import assert from "node:assert/strict";
import { createDisk, type DiskTrouble, diskTrouble, isDiskFailure } from "../../runtime/disk.ts";
import { Failure } from "../../codecs/failure.ts";
import { bedrockError } from "../../codecs/bedrock_errors.ts";
import { s3Error } from "../../codecs/s3_errors.ts";

/** Errors as Deno 2.9.6 throws them, and what they say of the disk. */
const errors: readonly [error: unknown, trouble: DiskTrouble | undefined][] = [
  [Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" }), "full"],
  [new Error("No space left on device (os error 28): writefile '/data/f'"), "full"],
  [Object.assign(new Error("Disk quota exceeded (os error 122)"), { code: "EDQUOT" }), "full"],
  [new Error("File too large (os error 27): writefile '/data/f'"), "full"],
  [new TypeError("database or disk is full"), "full"],
  [new TypeError("disk I/O error"), "failing"],
  [new Error("Input/output error (os error 5)"), "failing"],
  [new Error("Read-only file system (os error 30)"), "failing"],
  [new TypeError("attempt to write a readonly database"), "failing"],
  [new Deno.errors.NotCapable('Requires write access to "/data", run again'), "absent"],
  [new Deno.errors.PermissionDenied("Permission denied (os error 13)"), "closed"],
  [new Deno.errors.NotSupported("The operation is not supported"), "absent"],
  [Object.assign(new Error("operation not permitted"), { code: "EPERM" }), "closed"],
  [new TypeError("database is locked"), undefined],
  [new TypeError("Value too large (max 65536 bytes)"), undefined],
  [new Deno.errors.NotFound("No such file or directory (os error 2)"), undefined],
  [new Error("Connection reset by peer (os error 104)"), undefined],
  [new Failure("unavailable", "The provider says: no space left on device"), undefined],
  ["No space left on device", undefined],
];

for (const [error, trouble] of errors) {
  Deno.test(`${error} says of the disk: ${trouble ?? "nothing"}`, async () => {
    assert.equal(diskTrouble(error), trouble);
    const disk = createDisk("things");
    const thrown = await disk.write(() => Promise.reject(error)).catch((one: unknown) => one);
    assert.equal(disk.trouble(), trouble);
    assert.equal(isDiskFailure(thrown), trouble !== undefined);
    if (trouble === undefined) return assert.equal(thrown, error);
    // Where there is none for ever, clients are not to send their request again.
    const [status, code, bedrockCode] = trouble === "absent"
      ? [501, "NotImplemented", "ValidationException"]
      : [503, "ServiceUnavailable", "ServiceUnavailableException"];
    assert.deepEqual([s3Error(thrown).status, s3Error(thrown).code], [status, code]);
    assert.equal(bedrockError(thrown).code, bedrockCode);
    assert.match(s3Error(thrown).message, /disk/);
  });
}

Deno.test("trouble is logged once, and so is its end", async () => {
  const told: string[] = [];
  const disk = createDisk("things", (message) => told.push(message));
  const refuse = () => disk.write(() => Promise.reject(new TypeError("database or disk is full")));
  await disk.write(() => Promise.resolve());
  assert.deepEqual(told, []);
  for (let n = 0; n < 3; n++) await assert.rejects(refuse());
  assert.deepEqual(told, ["The disk is full: writes are refused"]);
  await disk.write(() => Promise.resolve());
  await disk.write(() => Promise.resolve());
  assert.deepEqual(told.slice(1), ["The disk can be written to again"]);
  assert.equal(disk.trouble(), undefined);
});
