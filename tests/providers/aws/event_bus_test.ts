import assert from "node:assert/strict";
import { type BusEvent, createEventBus, type EventBus } from "../../../providers/aws/event_bus.ts";
import { sandboxKeys } from "../../../sandbox/context.ts";
import { sandboxEnvironment } from "../../../sandbox/environment.ts";
import { startSandbox } from "../../../sandbox/server.ts";

/** An entry as `PutEvents` is sent it. */
interface Entry {
  readonly Source: string;
  readonly Detail: string;
}

type Answer = (entries: readonly Entry[]) => Response | Promise<Response>;

const taken: Answer = (entries) =>
  Response.json({
    FailedEntryCount: 0,
    Entries: entries.map((_, n) => ({ EventId: `${n}` })),
  });

const eventOf = (n: number, bytes = 2): BusEvent => ({
  source: "batchway",
  detailType: "Batch Inference Job State Change",
  detail: JSON.stringify({ n, padding: "x".repeat(bytes) }),
  resources: [`arn:${n}`],
  time: new Date(0),
});

const numbersOf = (entries: readonly Entry[]) => entries.map(({ Detail }) => JSON.parse(Detail).n);

const credentialsOf = (accessKeyId: string, secretAccessKey: string, refused = () => {}) =>
  Object.assign(() => Promise.resolve({ accessKeyId, secretAccessKey }), { refused });

/** Runs work with a bus whose endpoint answers as a test wants, and notes the numbers of each call. */
async function withBus(
  answer: Answer,
  work: (bus: EventBus, calls: number[][]) => Promise<void>,
  milliseconds?: number,
  refused = () => {},
): Promise<void> {
  const calls: number[][] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { Entries } = await request.json();
    calls.push(numbersOf(Entries));
    return await answer(Entries);
  });
  const bus = createEventBus({
    bus: "default",
    region: "us-west-2",
    endpoint: `http://127.0.0.1:${server.addr.port}`,
    credentials: credentialsOf("AKIA", "secret", refused),
    ...(milliseconds !== undefined && { milliseconds }),
  });
  try {
    await work(bus, calls);
  } finally {
    await bus.close();
    await server.shutdown();
  }
}

Deno.test("a call has ten entries at the most, and they keep their order", () =>
  withBus(taken, async (bus, calls) => {
    const answers = await Promise.all(Array.from({ length: 25 }, (_, n) => bus.put(eventOf(n))));
    assert.deepEqual(answers, Array(25).fill(undefined));
    assert.deepEqual(calls.map((call) => call.length).sort(), [10, 10, 5].sort());
    for (const call of calls) assert.deepEqual(call, call.toSorted((a, b) => a - b));
    assert.equal(new Set(calls.flat()).size, 25);
  }));

Deno.test("a call has 256 KB at the most, and an event with more is refused without one", () =>
  withBus(taken, async (bus, calls) => {
    const sizes = [100_000, 100_000, 100_000, 250_000, 10, 300_000];
    const answers = await Promise.all(sizes.map((size, n) => bus.put(eventOf(n, size))));
    assert.match(`${answers.pop()}`, /^It has 300\d{3} bytes; 262144 are the most$/);
    assert.deepEqual(answers, Array(5).fill(undefined));
    assert.deepEqual(calls.toSorted((a, b) => Number(a[0]) - Number(b[0])), [[0, 1], [2], [3, 4]]);
    // Each character of this has three bytes.
    const wide = await bus.put({
      ...eventOf(9),
      detail: JSON.stringify({ n: "語".repeat(90_000) }),
    });
    assert.match(`${wide}`, /bytes; 262144 are the most/);
  }));

Deno.test("of a call that is taken in part only the refused entries fail, each with its reason", () =>
  withBus((entries) =>
    Response.json({
      FailedEntryCount: 2,
      Entries: numbersOf(entries).map((n) =>
        n === 1
          ? { ErrorCode: "ThrottlingException", ErrorMessage: "Slow down" }
          : n === 2
          ? { ErrorCode: "InternalFailure" }
          : { EventId: `${n}` }
      ),
    }), async (bus) => {
    const answers = await Promise.all([0, 1, 2, 3].map((n) => bus.put(eventOf(n))));
    assert.deepEqual(answers, [
      undefined,
      "ThrottlingException: Slow down",
      "InternalFailure: the entry was not taken",
      undefined,
    ]);
  }));

Deno.test("an answer that lacks an entry, an error and a silence leave no event for delivered", async () => {
  await withBus(
    () => Response.json({ FailedEntryCount: 1, Entries: [{ EventId: "0" }] }),
    async (bus) => {
      const answers = await Promise.all([bus.put(eventOf(0)), bus.put(eventOf(1))]);
      assert.deepEqual(answers, [undefined, "Unknown: the entry was not taken"]);
    },
  );
  let status = 500;
  await withBus(
    () => Response.json({ __type: "InternalException", message: "No" }, { status }),
    async (bus, calls) => {
      for (status of [500, 400]) await assert.rejects(bus.put(eventOf(0)));
      // What sends events tries again, with pauses of its own.
      assert.equal(calls.length, 2);
    },
  );
  const silence = Promise.withResolvers<Response>();
  await withBus(
    () => silence.promise,
    async (bus) => {
      await assert.rejects(bus.put(eventOf(0)), { name: /Abort|Timeout/ });
      silence.resolve(new Response());
    },
    50,
  );
});

Deno.test("credentials that AWS refuses are looked for again, and those without a right are not", async () => {
  const answers: readonly (readonly [code: string, refusals: number])[] = [
    ["ExpiredTokenException", 1],
    ["UnrecognizedClientException", 1],
    ["InvalidSignatureException", 1],
    ["AccessDeniedException", 0],
    ["InternalException", 0],
  ];
  for (const [code, expected] of answers) {
    let refusals = 0;
    await withBus(
      () => Response.json({ __type: code, message: "No" }, { status: 400 }),
      async (bus) => {
        await assert.rejects(bus.put(eventOf(0)), { name: code });
        assert.equal(refusals, expected, code);
      },
      undefined,
      () => void refusals++,
    );
  }
});

Deno.test("a source of AWS's own is refused as AWS refuses it, and a bus that is not there", async () => {
  const sandbox = await startSandbox();
  const busOf = (bus: string) =>
    createEventBus({
      bus,
      region: "us-west-2",
      endpoint: sandboxEnvironment(sandbox)["AWS_ENDPOINT_URL_EVENTBRIDGE"],
      credentials: credentialsOf(sandboxKeys.awsAccessKeyId, sandboxKeys.awsSecretAccessKey),
    });
  const [bus, missing] = [busOf("default"), busOf("no-such-bus")];
  try {
    const sources = ["aws.bedrock", "AWS.bedrock", "batchway"];
    const answers = await Promise.all(
      sources.map((source, n) => bus.put({ ...eventOf(n), source })),
    );
    const refused = "NotAuthorizedForSourceException: Not authorized for the source.";
    assert.deepEqual(answers, [refused, refused, undefined]);
    assert.match(`${await missing.put(eventOf(0))}`, /EventBus does not exist/);
  } finally {
    await bus.close();
    await missing.close();
    await sandbox.close();
  }
});
