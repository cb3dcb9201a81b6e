/** Answers in JSON some of whose members are other than the simulated provider wrote them. */
import type { Json } from "./context.ts";
import type { JsonObject } from "./json.ts";

/** The answer with these values wherever it has members of their names; what is not JSON stays. */
export async function withMembers(response: Response, members: JsonObject): Promise<Response> {
  const { status } = response;
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  const text = await response.text();
  try {
    return new Response(JSON.stringify(replaced(JSON.parse(text), members)), { status, headers });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return new Response(text === "" ? null : text, { status, headers });
  }
}

function replaced(value: Json, members: JsonObject): Json {
  if (Array.isArray(value)) return value.map((item) => replaced(item, members));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, inner]): [string, Json] => [
    name,
    Object.hasOwn(members, name) ? members[name] ?? null : replaced(inner ?? null, members),
  ]);
  return Object.fromEntries(entries);
}
