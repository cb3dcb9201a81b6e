/** Tools and the choice among them, written for Converse and Nova. */
import type { ChatRequest, FunctionTool } from "../chat.ts";
import type { RequestContext } from "../dialect.ts";
import type { ToolNames } from "../fit.ts";
import type { Raw } from "../json.ts";
import { array, isBlankText, object, quote } from "../raw.ts";
import { toolSchemaObject } from "../schemas/mod.ts";
import { calledNames } from "../writing.ts";

interface ToolFacts {
  readonly names: ToolNames;
  /** Whether the turns hold calls, for which Bedrock wants the tools to be declared. */
  readonly hasCalls: boolean;
  /** Whether Claude is asked to think, beside which it cannot be made to call a tool. */
  readonly thinks: boolean;
}

/** `toolConfig`, and what goes to `additionalModelRequestFields` in its place. */
export interface ToolConfig {
  readonly config?: Raw;
  readonly fields: readonly (readonly [string, Raw])[];
}

/** Writes a request's tools and the choice among them; no field where none is offered. */
export function writeToolConfig(
  request: ChatRequest,
  facts: ToolFacts,
  context: RequestContext,
): ToolConfig {
  const tools = offered(request, facts, context);
  if (tools.length === 0) return { fields: [] };
  const isClaude = context.model.facts.family === "claude";
  const single = request.parallel?.value === false;
  if (single && !isClaude && request.parallel) {
    context.dropped(request.parallel.at, "the model may call several tools at once");
  }
  const choice = writeChoice(request, facts, context);
  // Beside toolChoice, Converse refuses tool_choice (litellm 1.110).
  const asField = single && isClaude && choice === undefined;
  if (single && isClaude && !asField && request.parallel) {
    context.dropped(request.parallel.at, "the target takes it only where no tool is chosen");
  }
  return {
    config: object(["tools", array(tools)], ["toolChoice", choice]),
    fields: asField ? [["tool_choice", '{"type":"auto","disable_parallel_tool_use":true}']] : [],
  };
}

function offered(
  request: ChatRequest,
  { names, hasCalls }: ToolFacts,
  context: RequestContext,
): Raw[] {
  const { choice } = request;
  const functions: FunctionTool[] = [];
  for (const tool of request.tools) {
    if (tool.kind === "function") functions.push(tool);
    else if (tool.owner === "bedrock") {
      return request.tools.map(({ at }) => refuseMixed(at, context));
    } else context.dropped(tool.at, `the tool ${tool.what} runs at its own provider only`);
  }
  if (choice?.mode === "none") {
    if (!hasCalls) return [];
    if (functions.length > 0) {
      context.approximated(choice.at, "the target cannot forbid calls; the tools stay declared");
    }
  }
  const allowed = choice?.mode === "allowed"
    ? functions.filter(({ name }) => choice.names.includes(name))
    : functions;
  if (choice?.mode === "allowed") {
    context.hint("approximated", choice.at, "only the allowed tools are declared");
  }
  if (allowed.length > 0 || !hasCalls) {
    return allowed.map((tool) => writeTool(tool, names, context));
  }
  return calledNames(request).map((name) => openTool(names.sent(name)));
}

function refuseMixed(at: number, context: RequestContext): never {
  context.refuse(at, "a tool that Bedrock itself runs cannot be carried over");
}

function writeTool(tool: FunctionTool, names: ToolNames, context: RequestContext): Raw {
  const name = quote(names.sent(tool.name));
  const isStrict = tool.strict === true && context.model.facts.structured;
  if (tool.strict && !isStrict) {
    const { places, at } = tool;
    context.dropped(
      places?.strict ?? at,
      "the model does not hold tools to their schemas strictly",
    );
  }
  const spec = object(
    ["name", name],
    // A description must hold a character.
    ["description", tool.description && !isBlankText(tool.description) ? tool.description : name],
    ["inputSchema", object(["json", toolSchemaObject(tool, context, isStrict)])],
    ["strict", isStrict ? "true" : undefined],
  );
  return object(["toolSpec", spec]);
}

/** A tool that was called in the turns and is not declared: with a schema that takes anything. */
function openTool(name: string): Raw {
  const schema = object(["json", '{"type":"object","properties":{}}']);
  return object([
    "toolSpec",
    object(["name", quote(name)], ["description", quote(name)], ["inputSchema", schema]),
  ]);
}

function writeChoice(
  { choice }: ChatRequest,
  { names, thinks }: ToolFacts,
  context: RequestContext,
): Raw | undefined {
  const mustCall = choice?.mode === "any" || choice?.mode === "tool" ||
    choice?.mode === "allowed" && choice.must;
  if (!choice || !mustCall) return undefined;
  if (thinks || context.model.facts.family === "llama") {
    context.approximated(choice.at, "the model cannot be made to call a tool here");
    return undefined;
  }
  if (choice.mode !== "tool") return '{"any":{}}';
  return object(["tool", object(["name", quote(names.sent(choice.name))])]);
}
