/** Puts what the simulated OpenAI says into the words of another service, and back. */
import type { Json } from "../context.ts";
import { isObject, type JsonObject } from "../json.ts";
import type { Service } from "./services.ts";

/** The ids that a service gave, and whose they are at the simulated OpenAI. */
export class Ids {
  readonly #own = new Map<string, string>();
  readonly #make: (own: string) => string;

  constructor(make: (own: string) => string = (own) => own) {
    this.#make = make;
  }

  /** The service's id of one of OpenAI's. */
  given(own: string): string {
    const given = this.#make(own);
    const other = this.#own.get(given);
    if (other !== undefined && other !== own) throw new Error(`Two ids became ${given}`);
    this.#own.set(given, own);
    return given;
  }

  /** OpenAI's id of one that the service gave; any other text as it is. */
  own(given: string): string {
    return this.#own.get(given) ?? given;
  }
}

const isIdName = (name: string) =>
  name === "id" || name.endsWith("_file_id") || name === "first_id" || name === "last_id";

/** A file or batch, or a page of them, in the service's words. */
export function worded(value: Json, service: Service, ids: Ids): Json {
  if (Array.isArray(value)) return value.map((item) => worded(item, service, ids));
  if (!isObject(value)) return value;
  const isBatch = value["object"] === "batch";
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]): [string, Json] => {
      if (isIdName(name) && typeof inner === "string") return [name, ids.given(inner)];
      if (name.endsWith("_at")) return [name, timeOf(inner, service)];
      if (name === "status" && isBatch && typeof inner === "string") {
        return [name, service.state?.(inner) ?? inner];
      }
      if (name === "metadata" && service.forgetsMetadata) return [name, null];
      if (name === "request_counts" && service.countsNothing) return [name, null];
      if (name === "purpose" && inner === "batch") return [name, service.purpose ?? inner];
      if (name === "completion_window") return [name, service.window ?? inner];
      return [name, name === "data" ? worded(inner, service, ids) : inner];
    }),
  );
}

function timeOf(value: Json, { time, noTime = null }: Service): Json {
  return typeof value === "number" ? time?.(value) ?? value : noTime;
}

/** Files and batches as the simulated OpenAI writes them, whose pages begin again or have no end. */
export function listed(
  page: JsonObject,
  service: Service,
  after: string | null,
  turn: number,
): Json {
  const data = Array.isArray(page["data"]) ? page["data"] : [];
  switch (service.lists) {
    case "bare":
      return data;
    case "endless":
      return { ...page, has_more: true, last_id: `cursor-${turn}` };
    case "more":
      return {
        ...page,
        has_more: true,
        last_id: data.length > 0 ? page["last_id"] ?? null : after,
      };
    case "circle":
      return circle(data, page, after);
    default:
      return page;
  }
}

/** One item a page; behind the last comes the first. */
function circle(data: readonly Json[], page: JsonObject, after: string | null): Json {
  const ids = data.map((item) => isObject(item) ? item["id"] : undefined);
  const item = data[(ids.indexOf(after ?? undefined) + 1) % Math.max(1, data.length)];
  if (item === undefined) return page;
  const last = isObject(item) ? item["id"] ?? null : null;
  return { ...page, data: [item], first_id: last, last_id: last, has_more: true };
}
