/** The table `models` of the configuration file: which model of a provider runs in another's place. */
import { isObject } from "../codecs/json_object.ts";
import * as v from "valibot";
import type { ModelTable, ModelTarget } from "../dialects/models.ts";
import type { ProviderSettings } from "../providers/settings.ts";

const name = v.pipe(v.string(), v.nonEmpty("must not be empty"));

/** A model with facts that its name does not reveal. */
const described = v.object({
  id: name,
  sampling: v.exactOptional(v.picklist(["all", "one", "none"])),
  maxOutput: v.exactOptional(
    v.pipe(v.number(), v.integer("must be a whole number"), v.minValue(1, "must be 1 or more")),
  ),
  thinking: v.exactOptional(v.picklist(["budget", "effort", "level", "none"])),
  thinkingOff: v.exactOptional(v.boolean()),
  prefill: v.exactOptional(v.boolean()),
  structured: v.exactOptional(v.boolean()),
  stop: v.exactOptional(v.boolean()),
  penalties: v.exactOptional(v.boolean()),
});

const neither = v.pipe(
  v.unknown(),
  v.check(() => false, 'must be a model id in quotes, or an object with its "id"'),
);

/** Chosen by the value's type: a union would not say which member of the object is wrong. */
const target = v.lazy((value): v.GenericSchema<unknown, string | v.InferOutput<typeof described>> =>
  typeof value === "string"
    ? name
    : isObject(value)
    ? described
    : v.pipe(neither, v.transform(String))
);

const key = v.pipe(
  v.string(),
  v.nonEmpty("must not be empty"),
  v.regex(/^[^*]*\*?$/, "can have a * only at its end"),
);

/** The form of the table. */
export const models = v.record(key, v.record(v.string(), target));

/** Names that an object of the table can hold. */
export const modelMembers = Object.keys(described.entries);

/** The table as the file has it. */
export type ModelEntries = v.InferOutput<typeof models>;

/** Makes the table; notes entries that have no effect. */
export function modelTable(
  entries: ModelEntries,
  providers: readonly Pick<ProviderSettings, "name" | "kind">[],
  notes: string[],
): ModelTable {
  const forwarding = providers.filter(({ kind }) => kind === "bedrock").map(({ name }) => name);
  const table = Object.entries(entries).map(([key, byProvider]) => {
    for (const provider of forwarding.filter((name) => Object.hasOwn(byProvider, name))) {
      notes.push(
        `models.${key}.${provider} has no effect: a job at ${provider} runs the model that it names`,
      );
    }
    const targets = Object.entries(byProvider).map(([provider, target]) =>
      [provider, targetOf(target)] as const
    );
    return [key, Object.fromEntries(targets)] as const;
  });
  return Object.fromEntries(table);
}

function targetOf(target: ModelEntries[string][string]): ModelTarget {
  if (typeof target === "string") return { id: target };
  const { id, ...facts } = target;
  return Object.keys(facts).length === 0 ? { id } : { id, facts };
}
