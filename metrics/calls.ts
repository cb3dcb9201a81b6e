/** Calls to providers, counted and timed at the port: each once, however often it was repeated below. */
import { Failure } from "../codecs/failure.ts";
import type {
  Account,
  BatchesPort,
  FilesPort,
  ForwardingProvider,
  Provider,
  StoringProvider,
} from "../providers/provider.ts";
import { tracedCall } from "../runtime/tracing.ts";
import { durationBounds, labels, type Registry } from "./registry.ts";

/** Times calls to providers. */
export interface CallWatch {
  /** Returns the same providers, whose calls are counted. */
  watch(providers: ReadonlyMap<string, Provider>): ReadonlyMap<string, Provider>;
  /** Counts a call that is sent once more. */
  retried(provider: string): void;
}

const fileOperations: ReadonlySet<string> = new Set<keyof FilesPort>(
  ["put", "head", "read", "open", "delete", "list"],
);
const batchOperations: ReadonlySet<string> = new Set<keyof BatchesPort>(
  ["create", "createInline", "get", "results", "openResults", "stop", "list"],
);

/** Times a call. */
type Timed = <Result>(operation: string, call: () => Promise<Result>) => Promise<Result>;

/** Adds the families. */
export function countCalls(registry: Registry, uptime: () => number): CallWatch {
  const calls = registry.counter(
    "batchway_provider_calls_total",
    "Calls to providers by what they came to: ok, aborted, or the kind of failure.",
  );
  const durations = registry.histogram(
    "batchway_provider_call_duration_seconds",
    "From a call's begin to the end of its answer, repeats included; of downloads to its head.",
    durationBounds,
  );
  const retries = registry.counter(
    "batchway_provider_retries_total",
    "Requests that were sent to providers once more.",
  );

  const timedFor = (provider: string): Timed => (operation, call) =>
    tracedCall(provider, operation, async (note) => {
      const startedAt = uptime();
      const done = (outcome: string) => {
        calls.add(labels({ provider, operation, outcome }));
        durations.observe(labels({ provider, operation }), (uptime() - startedAt) / 1000);
      };
      try {
        const result = await call();
        if (result instanceof Response) {
          note({ "http.response.status_code": result.status });
          done(outcomeOfStatus(result.status));
        } else done("ok");
        return result;
      } catch (error) {
        done(outcomeOf(error));
        throw error;
      }
    });

  function watched({ name, forward, stores }: Provider): Provider {
    retries.add(labels({ provider: name }), 0);
    const timed = timedFor(name);
    const storing = stores && watchStores(stores, timed);
    if (!forward) return storing ? { name, stores: storing } : { name, stores };
    return {
      name,
      forward: watchForward(forward, timed),
      ...(storing && { stores: storing }),
    };
  }

  return {
    watch: (providers) => new Map([...providers].map(([name, one]) => [name, watched(one)])),
    retried: (provider) => retries.add(labels({ provider })),
  };
}

function watchStores(stores: StoringProvider, timed: Timed): StoringProvider {
  return over(stores, {
    accounts: stores.accounts.map((account): Account =>
      over(account, {
        batches: timing(account.batches, batchOperations, "batches", timed),
        ...(account.files && { files: timing(account.files, fileOperations, "files", timed) }),
      })
    ),
  });
}

function watchForward(forward: ForwardingProvider, timed: Timed): ForwardingProvider {
  return over(forward, {
    forward: (request, signal) =>
      timed(`forward.${request.service}`, () => forward.forward(request, signal)),
  });
}

/** An object that does as another one does, also where that changes, but for some of its members. */
function over<Thing extends object>(thing: Thing, own: Partial<Thing>): Thing {
  return new Proxy(thing, {
    get: (target, name) => Reflect.get(Object.hasOwn(own, name) ? own : target, name),
  });
}

/** A port whose calls of these names are timed. */
function timing<Port extends object>(
  port: Port,
  names: ReadonlySet<string>,
  room: string,
  timed: Timed,
): Port {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof name !== "string" || !names.has(name) || typeof member !== "function") {
        return member;
      }
      return (...args: unknown[]) =>
        timed(
          `${room}.${name}`,
          async (): Promise<unknown> => await Reflect.apply(member, target, args),
        );
    },
  });
}

function outcomeOf(error: unknown): string {
  if (error instanceof Failure) return error.kind;
  return error instanceof DOMException && error.name === "AbortError" ? "aborted" : "error";
}

function outcomeOfStatus(status: number): string {
  if (status < 400) return "ok";
  if (status === 429 || status === 503) return "throttled";
  // 501 is about the request, as 4xx is.
  return status < 500 || status === 501 ? "refused" : "unavailable";
}
