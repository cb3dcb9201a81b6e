/**
 * The name under which a provider shows a file: the key's last part, a mark, and `.jsonl`, without
 * which OpenAI refuses a batch input.
 *
 * The mark names the gateway process and the upload. If the process dies, or an answer is lost,
 * between the provider's taking the file and the catalog's knowing it, the file can be told from
 * everybody else's and be deleted.
 */

/** What every mark of a gateway process begins with. */
export function markPrefix(instance: string): string {
  return `.bw-${instance}-`;
}

/** The provider's name for an object; the mark ends in a dot. */
export function providerName(key: string, mark: string): string {
  const last = key.split("/").findLast((part) => part !== "") ?? "object";
  const stem = last.replace(/\.jsonl$/i, "").replace(/[\p{Cc}"'\\<>|:*?]/gu, "_");
  // 60 characters keep the whole well below 255 bytes, the limit of most file systems.
  return `${[...stem].slice(0, 60).join("") || "object"}${mark}jsonl`;
}
