/** Rules of this project for `deno lint`, beside its own: functions and conditions that can be taken in at a look. */

/** Lines of code that a function has of its own, without those of functions and tables (object literals) in it. */
const longestFunction = 60;
/** Conditional expressions within one another. */
const deepestCondition = 2;

const measured = ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression", "ObjectExpression"];

/** Blank, or nothing but a comment. */
const isEmpty = (line: string) => /^\s*($|\/\/|\/\*|\*)/.test(line);

/** Reports functions with too many lines; not those of tests, which are lists of cases. */
const shortFunctions: Deno.lint.Rule = {
  create(context) {
    if (/[/\\]tests[/\\]/.test(context.filename)) return {};
    /** For each function and table that the walk is in, the lines of others in it. */
    const inner = [0];
    const enter = () => void inner.push(0);
    function leave(node: Deno.lint.Node): void {
      const lines =
        context.sourceCode.text.slice(...node.range).split("\n").filter((line) => !isEmpty(line)).length;
      const own = lines - inner.pop()!;
      inner[inner.length - 1] += lines - 1;
      if (own <= longestFunction || node.type === "ObjectExpression") return;
      context.report({ node, message: `This function has ${own} lines, and may have ${longestFunction}` });
    }
    return Object.fromEntries(measured.flatMap((kind) => [[kind, enter], [`${kind}:exit`, leave]]));
  },
};

/** Reports conditions within conditions within conditions: a table, or some `if`. */
const shallowConditions: Deno.lint.Rule = {
  create(context) {
    return {
      ConditionalExpression(node) {
        let depth = 0;
        let around: Deno.lint.Node | undefined = node;
        while (around?.type === "ConditionalExpression") {
          depth++;
          around = around.parent;
        }
        if (depth <= deepestCondition) return;
        context.report({ node, message: "Conditions that are nested so deep are a table, or some `if`" });
      },
    };
  },
};

const plugin: Deno.lint.Plugin = {
  name: "queuectl",
  rules: { "short-functions": shortFunctions, "shallow-conditions": shallowConditions },
};

export default plugin;
