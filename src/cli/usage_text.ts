/** What is said about a command line that is not understood, in place of the texts of the parser. */

import {
  AliasNotFoundError,
  type ApplicationText,
  ArgumentScannerError,
  FlagNotFoundError,
  formatMessageForArgumentScannerError,
  text_en,
} from "@stricli/core";
import { printable } from "../printable.ts";

const didYouMean = (corrections: readonly string[]) =>
  corrections.length === 0 ? "" : ` (did you mean ${corrections.map((word) => `"${word}"`).join(" or ")}?)`;

const unexpected = (input: string) =>
  /^-./.test(input) ? `Unknown flag "${input}"` : `Unexpected argument "${input}"`;

function argumentError(error: ArgumentScannerError): string {
  return formatMessageForArgumentScannerError(error, {
    FlagNotFoundError: ({ input, corrections }) =>
      `Unknown flag "--${input}"${didYouMean(corrections.map((name) => `--${name}`))}`,
    AliasNotFoundError: ({ input }) => `Unknown flag "-${input}"`,
    ArgumentParseError: ({ externalFlagNameOrPlaceholder: name, input }) =>
      `Flag --${name} takes no value, or true or false, not "${input}"`,
    UnsatisfiedFlagError: ({ externalFlagName }) => `Flag --${externalFlagName} needs a value`,
    UnexpectedFlagError: ({ externalFlagName }) => `Flag --${externalFlagName} is given twice`,
    UnexpectedPositionalError: ({ input }) => unexpected(input),
    UnsatisfiedPositionalError: ({ placeholder }) => `Argument ${placeholder} is missing`,
  });
}

const isUnlikeFlag = (error: ArgumentScannerError) =>
  error instanceof AliasNotFoundError || error instanceof FlagNotFoundError && error.corrections.length === 0;

/**
 * The parser's texts with ours for errors. `explain` says what a command threw; `helpFor` is the command line that
 * explains the command whose arguments, or the group in which the word, were not understood; `hint` is said instead where
 * a flag is not known that resembles none.
 */
export function usageText(
  explain: (error: unknown) => string,
  helpFor: (unknownWord?: string) => string,
  hint: string | undefined,
): ApplicationText {
  return {
    ...text_en,
    noCommandRegisteredForInput: ({ input, corrections }) => {
      const what = input.startsWith("-") ? "flag" : "command";
      const words = what === "flag" ? [] : corrections.map((word) => word.replaceAll("`", ""));
      return printable(`Unknown ${what} "${input}"${didYouMean(words)}. Run ${helpFor(input)}`);
    },
    exceptionWhileParsingArguments: (error) =>
      error instanceof ArgumentScannerError
        ? printable(argumentError(error) + (hint && isUnlikeFlag(error) ? `: ${hint}` : `. Run ${helpFor()}`))
        : explain(error),
    exceptionWhileLoadingCommandFunction: explain,
    exceptionWhileLoadingCommandContext: explain,
    exceptionWhileRunningCommand: explain,
    commandErrorResult: explain,
    exceptionWhileRunningIntegrationFlag: ({ exception }) => explain(exception),
    exceptionWhileRunningIntegrationHook: ({ exception }) => explain(exception),
  };
}
