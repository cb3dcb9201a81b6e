/** What records can hold, a feature each, planted into a plain record of every dialect that has it. */

/** Dialects that features are planted into, and translated between. */
export const portable = [
  "bedrock-converse",
  "anthropic",
  "openai-chat",
  "openai-responses",
  "gemini",
] as const;
export type Portable = typeof portable[number];

/** A plain record's body, with parts behind its text, and members behind its own. */
interface Form {
  readonly text: string;
  body(parts: string, more: string): string;
}

const forms: Readonly<Record<Portable, Form>> = {
  "bedrock-converse": {
    text: '{"text":"hi"}',
    body: (parts, more) => `{"messages":[{"role":"user","content":[${parts}]}]${more}}`,
  },
  anthropic: {
    text: '{"type":"text","text":"hi"}',
    body: (parts, more) =>
      `{"model":"m","max_tokens":4096,"messages":[{"role":"user","content":[${parts}]}]${more}}`,
  },
  "openai-chat": {
    text: '{"type":"text","text":"hi"}',
    body: (parts, more) => `{"model":"m","messages":[{"role":"user","content":[${parts}]}]${more}}`,
  },
  "openai-responses": {
    text: '{"type":"input_text","text":"hi"}',
    body: (parts, more) => `{"model":"m","input":[{"role":"user","content":[${parts}]}]${more}}`,
  },
  gemini: {
    text: '{"text":"hi"}',
    body: (parts, more) => `{"contents":[{"role":"user","parts":[${parts}]}]${more}}`,
  },
};

/** A feature in a dialect: a part behind the text, members of the body, or further messages. */
export interface Planted {
  readonly part?: string;
  readonly more?: string;
  /** Before the first message. */
  readonly before?: string;
  /** Behind the first message. */
  readonly turns?: string;
}

/** Models of targets for features that their usual ones do not have. */
export const reasoningModels: Partial<Record<Portable, string>> = {
  "openai-chat": "gpt-5-mini",
  "openai-responses": "gpt-5-mini",
};

export interface Feature {
  readonly name: string;
  /** Whether targets need a model that reasons. */
  readonly reasons?: true;
  readonly in: Partial<Record<Portable, Planted>>;
}

/** The body of a plain record. */
export function plainBody(dialect: Portable): string {
  return forms[dialect].body(forms[dialect].text, "");
}

/** The body of a record with a feature. */
export function plantedBody(
  dialect: Portable,
  { part, more = "", before, turns }: Planted,
): string {
  const { text, body } = forms[dialect];
  const whole = body(part === undefined ? text : `${text},${part}`, more && `,${more}`);
  const message = '[{"role":"user"';
  const headed = before === undefined
    ? whole
    : whole.replace(message, `[${before},${message.slice(1)}`);
  // The list of messages ends behind the only one that it holds.
  return turns === undefined ? headed : headed.replace("}]}]", `}]},${turns}]`);
}
