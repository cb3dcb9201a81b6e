/** What the simulated providers hold and were asked, for `/control/ledger`. */
import type { Json } from "./context.ts";
import type { ProviderName } from "./faults.ts";
import { type JsonObject, object } from "./json.ts";
import type { SandboxStore } from "./store.ts";

/** A request that a provider got; without its query and headers, which can hold keys. */
export interface LedgerRequest {
  readonly time: string;
  readonly provider: ProviderName;
  readonly method: string;
  /** Below the mount, as it came. */
  readonly path: string;
  /** Null while it runs, and where the connection was broken on purpose. */
  status: number | null;
  /** The fault that struck it. */
  fault?: string;
}

/** What a collection holds. */
export interface LedgerCollection {
  readonly count: number;
  /** Each document's id, its plain fields, and `metadata` where it has any. */
  readonly items: readonly JsonObject[];
}

/** The whole ledger. */
export interface LedgerView {
  /** By part of the store (`openai`, `gemini`, `anthropic`, `aws`) and collection. */
  readonly holdings: Readonly<Record<string, Readonly<Record<string, LedgerCollection>>>>;
  /** The last 10,000, oldest first. */
  readonly requests: readonly LedgerRequest[];
}

/** Records requests and shows what there is. */
export interface Ledger {
  /** Records a request; `end` completes the record. */
  begin(
    provider: ProviderName,
    method: string,
    path: string,
  ): { end(status: number | null, fault: string | undefined): void };
  read(): LedgerView;
  clear(): void;
}

const keptRequests = 10_000;

/** Makes a ledger over a store. */
export function createLedger(store: SandboxStore, now: () => Date): Ledger {
  let requests: LedgerRequest[] = [];
  return {
    begin(provider, method, path) {
      const request: LedgerRequest = {
        time: now().toISOString(),
        provider,
        method,
        path,
        status: null,
      };
      requests.push(request);
      // Twice as many before any are let go: moving the array at each request would be dear.
      if (requests.length >= 2 * keptRequests) requests = requests.slice(-keptRequests);
      return {
        end(status, fault) {
          request.status = status;
          if (fault !== undefined) request.fault = fault;
        },
      };
    },
    read() {
      const holdings: Record<string, Record<string, LedgerCollection>> = {};
      for (const name of store.collections()) {
        const [part = "", ...rest] = name.split("/");
        const items = store.list(name).map(([id, document]) => summary(id, document));
        (holdings[part] ??= {})[rest.join("/")] = { count: items.length, items };
      }
      return { holdings, requests: requests.slice(-keptRequests) };
    },
    clear() {
      requests = [];
    },
  };
}

function summary(id: string, document: Json): JsonObject {
  const fields = Object.entries(object(document)).filter(([name, value]) =>
    name === "metadata" || value === null || typeof value !== "object"
  );
  return { ...Object.fromEntries(fields), id };
}
