/** Lists of configured providers in messages, which may be empty. */

/** What to do where no provider is configured. */
const none =
  "No provider is configured here: set a provider's key in the environment, or name one in batchway.jsonc";

/** A sentence without its full stop: which names there are, or what to do where there is none. */
export function configuredNames(names: readonly string[]): string {
  return names.length === 0 ? none : `Configured are ${names.join(", ")}`;
}
