/** The dialects: line formats of batch files, and who owns which. */

/** Dialects of chat requests; each translates to each other one. */
export const chatDialects = [
  "bedrock-converse",
  "bedrock-anthropic",
  "bedrock-nova",
  "bedrock-llama",
  "bedrock-openai",
  "openai-chat",
  "openai-responses",
  "gemini",
  "anthropic",
] as const;

/** Dialects of embedding requests; each translates to the other one. */
const embeddingDialects = ["bedrock-titan-embed", "openai-embeddings"] as const;

export type ChatDialectName = typeof chatDialects[number];
export type EmbeddingDialectName = typeof embeddingDialects[number];
export type DialectName = ChatDialectName | EmbeddingDialectName;

/** The envelopes: how a line wraps a request's body, and names the record. */
export type EnvelopeName = "bedrock" | "openai" | "gemini" | "anthropic";

interface DialectFacts {
  readonly envelope: EnvelopeName;
  readonly family: "chat" | "embedding";
  /** The path of the endpoint in lines that name one. */
  readonly url?: string;
}

const facts: Readonly<Record<DialectName, DialectFacts>> = {
  "bedrock-converse": { envelope: "bedrock", family: "chat" },
  "bedrock-anthropic": { envelope: "bedrock", family: "chat" },
  "bedrock-nova": { envelope: "bedrock", family: "chat" },
  "bedrock-llama": { envelope: "bedrock", family: "chat" },
  "bedrock-openai": { envelope: "bedrock", family: "chat" },
  "bedrock-titan-embed": { envelope: "bedrock", family: "embedding" },
  "openai-chat": { envelope: "openai", family: "chat", url: "/v1/chat/completions" },
  "openai-responses": { envelope: "openai", family: "chat", url: "/v1/responses" },
  "openai-embeddings": { envelope: "openai", family: "embedding", url: "/v1/embeddings" },
  "gemini": { envelope: "gemini", family: "chat" },
  "anthropic": { envelope: "anthropic", family: "chat" },
};

/** All names, in the order in which messages list them. */
export const dialectNames = Object.keys(facts) as readonly DialectName[];

/** Returns whether a text from outside is the name of a dialect. */
export function isDialectName(text: string): text is DialectName {
  return (dialectNames as readonly string[]).includes(text);
}

/** Returns whether a dialect is one of chat requests. */
export function isChat(name: DialectName): name is ChatDialectName {
  return facts[name].family === "chat";
}

/** Returns whether a text is the name of an envelope. */
export function isEnvelopeName(text: string): text is EnvelopeName {
  return Object.values(facts).some(({ envelope }) => envelope === text);
}

/** The envelope of a dialect's lines. */
export function envelopeOf(name: DialectName): EnvelopeName {
  return facts[name].envelope;
}

/** The path of the endpoint that lines of an OpenAI dialect name; undefined for other dialects. */
export function urlOf(name: DialectName): string | undefined {
  return facts[name].url;
}

/** Returns whether records of one dialect can be translated to the other. */
export function canTranslate(from: DialectName, to: DialectName): boolean {
  return facts[from].family === facts[to].family;
}

/** Kinds of providers that records are translated to, with the dialects that they are sent. */
const targets = {
  bedrock: { chat: "bedrock-converse", embedding: "bedrock-titan-embed" },
  openai: { chat: "openai-chat", embedding: "openai-embeddings" },
  gemini: { chat: "gemini" },
  anthropic: { chat: "anthropic" },
} as const satisfies Record<EnvelopeName, Partial<Record<DialectFacts["family"], DialectName>>>;

/** All kinds of providers, in the order in which messages list them. */
export const targetKinds = Object.keys(targets) as readonly (keyof typeof targets)[];

/**
 * The dialect that a provider of a kind is sent for records of a dialect; undefined where it takes
 * none of them. OpenAI has two for chat: its own records stay in theirs.
 */
export function dialectFor(kind: keyof typeof targets, from: DialectName): DialectName | undefined {
  if (kind === "openai" && facts[from].envelope === "openai") return from;
  const table: Partial<Record<DialectFacts["family"], DialectName>> = targets[kind];
  return table[facts[from].family];
}

/** Returns whether the lines of a dialect name the model that runs them. */
export function namesModel(name: DialectName): boolean {
  return facts[name].envelope === "openai" || facts[name].envelope === "anthropic";
}

/** What ids of records can be, by the envelope that holds them. */
const idForms: Readonly<Record<EnvelopeName, RegExp>> = {
  bedrock: /^.{1,256}$/su,
  // OpenAI documents no limit; of 64 and 512, which both are reported, the narrower one is safe.
  openai: /^.{1,64}$/su,
  gemini: /^.{1,256}$/su,
  anthropic: /^[a-zA-Z0-9_-]{1,64}$/,
};

/** Returns whether an id can stand in lines of a dialect. */
export function fitsId(id: string, name: DialectName): boolean {
  return idForms[facts[name].envelope].test(id);
}

/** Returns whether the lines of one batch may name several models: of all others it has one. */
export function mayMixModels(name: DialectName): boolean {
  return facts[name].envelope === "anthropic";
}
