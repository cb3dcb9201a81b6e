/** A catalog that counts what is read of it. */

/** What was read. */
export interface Reads {
  /** Entries that reads of lists brought, also those that nobody looked at. */
  listed: number;
  /** Entries that were read by their keys. */
  got: number;
}

/** Makes a KV that counts, over another. */
export function countingKv(kv: Deno.Kv): { readonly kv: Deno.Kv; readonly reads: Reads } {
  const reads: Reads = { listed: 0, got: 0 };
  const list = <Value>(selector: Deno.KvListSelector, options: Deno.KvListOptions = {}) => {
    const { limit = Infinity, batchSize = Math.min(limit, 100) } = options;
    const inner = kv.list<Value>(selector, options);
    let taken = 0;
    const next = inner.next.bind(inner);
    inner.next = async () => {
      // A batch comes as a whole; one that is the last may be shorter, which is not seen here.
      if (taken % batchSize === 0 && taken < limit) {
        reads.listed += Math.min(batchSize, limit - taken);
      }
      const result = await next();
      if (!result.done) taken++;
      return result;
    };
    return inner;
  };
  const getMany: Deno.Kv["getMany"] = (wanted, options) => {
    reads.got += wanted.length;
    return kv.getMany(wanted, options);
  };
  const get: Deno.Kv["get"] = (key, options) => {
    reads.got++;
    return kv.get(key, options);
  };
  const own: Readonly<Record<PropertyKey, unknown>> = { list, getMany, get };
  const counting = new Proxy(kv, {
    get(target, name) {
      if (Object.hasOwn(own, name)) return own[name];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { kv: counting, reads };
}
