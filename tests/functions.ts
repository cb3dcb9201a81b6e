/** How long the functions of the product are, and which may be longer than a screen. */
import type { Source } from "./sources.ts";

/** The most lines of a function, without those of the functions that are declared inside it. */
export const maxLines = 60;

/** Folders that are not the product. */
export const others = /^(?:tests|bench|examples|packages|python)\//;

/** A function, and how long it is. */
export interface Measured {
  readonly name: string;
  readonly lines: number;
}

type Declared = Deno.lint.FunctionDeclaration;
type Expression = Deno.lint.FunctionExpression | Deno.lint.ArrowFunctionExpression;

/** Returns the functions of a source, each without functions and methods declared inside it. */
export function measure({ path, text }: Source): Measured[] {
  const found: Measured[] = [];
  const lines = text.split("\n");
  const lineOf = (place: number) => text.slice(0, place).split("\n").length;
  /** For each function that is being visited, the lines of the declared functions in it. */
  const inner = [0];

  const enter = () => {
    inner.push(0);
  };
  const leave = (node: Declared | Expression) => {
    const apart = inner.pop() ?? 0;
    const [first, last] = [lineOf(node.range[0]), lineOf(node.range[1])];
    found.push({ name: `${path} ${nameOf(node)}`, lines: last - first + 1 - apart });
    const isApart = node.type === "FunctionDeclaration" || isMethod(node.parent);
    inner.push((inner.pop() ?? 0) + (isApart ? last - commentOf(lines, first) + 1 : apart));
  };
  Deno.lint.runPlugin(
    {
      name: "functions",
      rules: {
        length: {
          create: () => ({
            FunctionDeclaration: enter,
            FunctionExpression: enter,
            ArrowFunctionExpression: enter,
            "FunctionDeclaration:exit": leave,
            "FunctionExpression:exit": leave,
            "ArrowFunctionExpression:exit": leave,
          }),
        },
      },
    },
    path,
    text,
  );
  return found;
}

/** Returns the line on which the comment above a line begins, with the empty line above it. */
function commentOf(lines: readonly string[], line: number): number {
  let first = line;
  while (first > 1 && /^\s*(?:\*|\/\*|\/\/|$)/.test(lines[first - 2] ?? "")) first--;
  return first;
}

function isMethod(node: Deno.lint.Node): boolean {
  return node.type === "MethodDefinition" || (node.type === "Property" && node.method === true);
}

/** Returns the name of a function; that of its variable or its method where it has none. */
function nameOf(node: Declared | Expression): string {
  if ("id" in node && node.id) return node.id.name;
  const { parent } = node;
  const name = parent.type === "VariableDeclarator"
    ? parent.id
    : parent.type === "MethodDefinition" || parent.type === "Property"
    ? parent.key
    : undefined;
  return name?.type === "Identifier" ? name.name : "(nameless)";
}

/**
 * Functions that are longer, each with its reason in the words of its own comment. One that is no
 * longer so must leave the list.
 */
export const longFunctions: Readonly<Record<string, string>> = {
  "objects/objects.ts createObjects": "makes each dependency of the operations on objects once",
};
