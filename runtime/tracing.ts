/**
 * Spans of the gateway's own, exported by Deno's OpenTelemetry. Deno's automatic spans hold whole
 * URLs, with signatures and keys in them, and what is set once cannot be replaced (2.9.6, measured):
 * a second value is added beside the first. So they are switched off by a sampler that takes no
 * trace but one that a parent has begun, and these spans begin at a parent of their own.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { createHash } from "node:crypto";
import { Failure } from "../codecs/failure.ts";

/** What a span says besides its name. Never a query, a header, a body, or the text of an error. */
export type Facts = Readonly<Record<string, string | number | undefined>>;

/** Adds facts to a span that is under way. */
export type Note = (facts: Facts) => void;

/** Whose work a step is. */
export interface StepOf {
  readonly provider: string;
  readonly job: string;
}

/** A span by its trace and its id. */
interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  /** 1 where it is exported. */
  readonly traceFlags: number;
  readonly isRemote?: boolean;
}

/** What has a place, as OpenTelemetry's API takes it for a parent. */
interface Parent {
  spanContext(): SpanContext;
}

/** The part of OpenTelemetry's `Span` that is used here. */
interface Span extends Parent {
  setAttribute(name: string, value: string | bigint): unknown;
  setStatus(status: { readonly code: number }): unknown;
  end(): void;
}

/** The part of OpenTelemetry's `TracerProvider` that is used here; Deno has it in no type. */
interface TracerProvider {
  getTracer(name: string): {
    startSpan(
      name: string,
      options: {
        readonly kind: number;
        readonly links?: readonly { readonly context: SpanContext }[];
      },
      context: { getValue(key: symbol): Parent | undefined },
    ): Span;
  };
}

/** Kinds and statuses by OpenTelemetry's numbers. */
const kinds = { internal: 0, server: 1, client: 2 } as const;
const failed = { code: 2 } as const;
/** Under this name a context holds its span. */
const spanKey = Symbol.for("OpenTelemetry Context Key SPAN");

/** What the process must be started with besides `OTEL_DENO=true`. */
const needed = { OTEL_TRACES_SAMPLER: "parentbased_always_off", OTEL_PROPAGATORS: "none" } as const;

const active = new AsyncLocalStorage<Span>();
let tracer: ReturnType<TracerProvider["getTracer"]> | undefined;

/**
 * Switches spans on where the environment asks for them. Throws a sentence where Deno's automatic
 * spans would be exported too, and with them the signatures of presigned URLs.
 */
export function startTracing(environment: Readonly<Record<string, string>>): void {
  if (environment.OTEL_DENO !== "true" || environment.OTEL_DENO_TRACING === "false") return;
  const missing = Object.entries(needed)
    .filter(([name, value]) => environment[name] !== value)
    .map(([name, value]) => `${name}=${value}`);
  if (missing.length > 0) {
    throw new Error(
      `OTEL_DENO=true exports whole URLs, with signatures and keys in them. Set ${
        missing.join(" and ")
      } for the gateway's own spans in their place, or OTEL_DENO_TRACING=false for none`,
    );
  }
  const provider: TracerProvider = Deno.telemetry.tracerProvider;
  tracer = provider.getTracer("batchway");
}

/** Answers a request under a span, which continues the trace that the client names. */
export function tracedRequest<Result>(
  request: Request,
  work: (note: Note) => Promise<Result>,
): Promise<Result> {
  if (!tracer) return work(unseen);
  const method = methods.has(request.method) ? request.method : undefined;
  const parent = parentOf(request.headers.get("traceparent")) ?? begun(crypto.randomUUID());
  const path = new URL(request.url).pathname.slice(0, longestPath);
  // A method may be any word of a client's; names of spans are few, as OpenTelemetry wants them.
  return traced(method ?? "HTTP", { kind: kinds.server, parent }, {
    "http.request.method": method ?? "_OTHER",
    "url.path": path,
  }, work);
}

/** Makes a call to a provider under a span. */
export function tracedCall<Result>(
  provider: string,
  operation: string,
  work: (note: Note) => Promise<Result>,
): Promise<Result> {
  if (!tracer) return work(unseen);
  const facts = { "batchway.provider": provider, "batchway.operation": operation };
  return traced(`${provider} ${operation}`, { kind: kinds.client }, facts, work);
}

/** Takes a step of a create, before its job has an id, under a span. */
export function tracedCreate<Result>(
  provider: string,
  work: (note: Note) => Promise<Result>,
): Promise<Result> {
  if (!tracer) return work(unseen);
  return traced("job create", { kind: kinds.internal }, { "batchway.provider": provider }, work);
}

/**
 * Takes a step of a job under a span. All steps of a job are in one trace, whichever gateway takes
 * them and after whichever start; a step is linked to the request that it was taken for.
 */
export function tracedStep<Result>(
  name: string,
  { provider, job }: StepOf,
  work: (note: Note) => Promise<Result>,
): Promise<Result> {
  if (!tracer) return work(unseen);
  const cause = active.getStore();
  const links = cause ? [{ context: cause.spanContext() }] : [];
  const facts = { "batchway.provider": provider, "batchway.job.id": job };
  return traced(`job ${name}`, { kind: kinds.internal, parent: begun(job), links }, facts, work);
}

const methods: ReadonlySet<string> = new Set(
  ["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"],
);
const longestPath = 1_024;
const unseen: Note = () => {};

interface Start {
  readonly kind: number;
  /** The span that is under way where absent. */
  readonly parent?: Parent;
  readonly links?: readonly { readonly context: SpanContext }[];
}

async function traced<Result>(
  name: string,
  { kind, parent = active.getStore() ?? begun(crypto.randomUUID()), links = [] }: Start,
  facts: Facts,
  work: (note: Note) => Promise<Result>,
): Promise<Result> {
  const context = { getValue: (key: symbol) => key === spanKey ? parent : undefined };
  const span = tracer?.startSpan(name, { kind, links }, context);
  if (!span) return await work(unseen);
  const note: Note = (more) => {
    for (const [fact, value] of Object.entries(more)) {
      if (value === undefined) continue;
      // A number would go out as a fraction; those here are counts and statuses.
      span.setAttribute(fact, typeof value === "number" ? BigInt(value) : value);
    }
    if (more["error.type"] !== undefined) span.setStatus(failed);
  };
  note(facts);
  try {
    return await active.run(span, () => work(note));
  } catch (error) {
    note({ "error.type": typeOf(error) });
    throw error;
  } finally {
    span.end();
  }
}

/** A parent that no span is exported of, in a trace that follows from a name. */
function begun(name: string): Parent {
  const hex = createHash("sha256").update(name).digest("hex");
  return at({ traceId: hex.slice(0, 32), spanId: hex.slice(32, 48), traceFlags: 1 });
}

/** The span that a client has sent its request under; undefined where it names none. */
function parentOf(header: string | null): Parent | undefined {
  const form = /^[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:-|$)/;
  const [, traceId, spanId, flags] = form.exec(header ?? "") ?? [];
  if (traceId === undefined || spanId === undefined || header?.startsWith("ff")) return undefined;
  return at({ traceId, spanId, traceFlags: Number.parseInt(flags ?? "0", 16) & 1 });
}

function at(place: SpanContext): Parent {
  return { spanContext: () => ({ ...place, isRemote: true }) };
}

/** The kind of an error. Its text may hold names and URLs. */
function typeOf(error: unknown): string {
  if (error instanceof Failure) return error.kind;
  return error instanceof Error ? error.name : "error";
}
