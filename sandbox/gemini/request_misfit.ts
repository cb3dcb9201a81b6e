/** Where a request is not of the proto's form: the schemas in it too, at any depth. */
import type { Json } from "../context.ts";
import { isObject, type JsonObject, list, object } from "../json.ts";
import { type Misfit, misfit } from "../model/form.ts";
import { camelCase, field } from "./fields.ts";
import { requestForms, schemaForm } from "./forms.ts";

/** Returns the first place where a request, in either spelling, is not of the proto's form. */
export function requestMisfit(
  request: Json,
  method: "generateContent" | "embedContent",
): Misfit | undefined {
  const found = misfit(request, requestForms[method], camelCase);
  if (found !== undefined || method === "embedContent") return found;
  for (const schema of schemasOf(object(request))) {
    const wrong = propertiesMisfit(schema);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** The schemas of OpenAPI's form in a request. */
export function schemasOf(request: JsonObject): JsonObject[] {
  const config = object(field(request, "generationConfig"));
  const declarations = list(request.tools)
    .flatMap((tool) => list(field(object(tool), "functionDeclarations"))).map(object);
  return [
    field(config, "responseSchema"),
    ...declarations.flatMap(({ parameters, response }) => [parameters, response]),
  ].filter(isObject);
}

/** The schemas right in a schema. */
export function innerSchemas(schema: JsonObject): JsonObject[] {
  const anyOf = list(field(schema, "anyOf"));
  return [...Object.values(object(schema.properties)), schema.items, ...anyOf].filter(isObject);
}

/** A schema's form is checked with the request, but for what stands under names of properties. */
function propertiesMisfit(schema: JsonObject): Misfit | undefined {
  for (const [name, inner] of Object.entries(object(schema.properties))) {
    const found = misfit(inner, schemaForm, camelCase, ["properties", name]);
    if (found !== undefined) return found;
  }
  return innerSchemas(schema).map(propertiesMisfit).find((each) => each !== undefined);
}
