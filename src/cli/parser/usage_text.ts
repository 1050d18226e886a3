/** What is said about a command line that is not understood, in place of the texts of the parser. */

import {
  AliasNotFoundError,
  type ApplicationText,
  ArgumentScannerError,
  FlagNotFoundError,
  formatMessageForArgumentScannerError,
  text_en,
} from "@stricli/core";
import { printable } from "../../base/printable.ts";

const unexpected = (input: string) =>
  /^-./.test(input) ? `Unknown flag "${input}"` : `Unexpected argument "${input}"`;

function argumentError(error: ArgumentScannerError): string {
  return formatMessageForArgumentScannerError(error, {
    ArgumentParseError: ({ externalFlagNameOrPlaceholder: name, input }) =>
      `Flag --${name} takes no value, or true or false, not "${input}"`,
    UnsatisfiedFlagError: ({ externalFlagName }) => `Flag --${externalFlagName} needs a value`,
    UnexpectedFlagError: ({ externalFlagName }) => `Flag --${externalFlagName} is given twice`,
    UnexpectedPositionalError: ({ input }) => unexpected(input),
    UnsatisfiedPositionalError: ({ placeholder }) => `Argument ${placeholder} is missing`,
  });
}

/**
/**
 * The parser's texts with ours for errors. `explain` says what a command threw; `help` is the command line that explains
 * the command whose arguments were not understood. Of a command or a flag that there is not `tellUnknown` is told.
 */
export function usageText(
  explain: (error: unknown) => string,
  help: () => string,
  tellUnknown: (what: "command" | "flag", word: string) => void,
): ApplicationText {
  // What was meant is looked for by what is not loaded before.
  const unknown = (what: "command" | "flag", word: string) => {
    tellUnknown(what, word);
    return "";
  };
  return {
    ...text_en,
    noCommandRegisteredForInput: ({ input }) => unknown(input.startsWith("-") ? "flag" : "command", input),
    exceptionWhileParsingArguments(error) {
      if (error instanceof FlagNotFoundError) return unknown("flag", `--${error.input}`);
      if (error instanceof AliasNotFoundError) return unknown("flag", `-${error.input}`);
      if (error instanceof ArgumentScannerError) return printable(`${argumentError(error)}. Run ${help()}`);
      return explain(error);
    },
    exceptionWhileLoadingCommandFunction: explain,
    exceptionWhileLoadingCommandContext: explain,
    exceptionWhileRunningCommand: explain,
    commandErrorResult: explain,
    exceptionWhileRunningIntegrationFlag: ({ exception }) => explain(exception),
    exceptionWhileRunningIntegrationHook: ({ exception }) => explain(exception),
  };
}
