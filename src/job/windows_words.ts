/**
 * A list of arguments as the text of one command on Windows, and how such a text is read again. Pure.
 *
 * There a program gets one text with all its arguments and splits it itself, nearly always by the rules of the C runtime
 * (learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments). So there are two kinds of text:
 * - A command for `cmd.exe`. Where it is nothing but a program and arguments that `cmd.exe` would pass on as they are, a
 *   worker starts the program itself.
 * - `-- PROGRAM ARGUMENTS`, which no command for `cmd.exe` begins with: the program gets the arguments as they are
 *   written. It is made of words that `cmd.exe` would change (`%`, `"`, line breaks), and can be written in JSON too.
 */

import { QueuectlError } from "../base/errors.ts";
import { checkedWords } from "./shell_words.ts";

/** What `cmd.exe` does itself: no program is looked for. `help cmd` and `help` name them; `dpath`, `keys` are old. */
const internalCommands =
  "assoc|break|call|cd|chdir|cls|color|copy|date|del|dir|dpath|echo|endlocal|erase|exit|for|" +
  "ftype|goto|if|keys|md|mkdir|mklink|move|path|pause|popd|prompt|pushd|rd|rem|ren|rename|rmdir|set|setlocal|shift|" +
  "start|time|title|type|ver|verify|vol";
const isInternal = new RegExp(`^(?:${internalCommands})$`, "i");
/** Also `cd..` and `echo.`; or a drive, as in `d:`. */
const beginsInternal = new RegExp(String.raw`^(?:(?:${internalCommands})(?:[./\\:+[\]]|$)|[a-z]:$)`, "i");

/** What is the same with quotes and without, for `cmd.exe` and for programs. */
const plainWord = String.raw`[\w\\/.:+@-]+`;
const isPlainWord = new RegExp(`^${plainWord}$`);
const isPlainProgram = /^[\w\\/.][\w\\/.:+@-]*$/;
/** A program, and arguments without anything that `cmd.exe` would act on: it has no use for quotes but to find that. */
const plainCommand =
  /^(?:([\w\\/.][\w\\/.:+@-]*)|"([^"%\p{Cc}]+)")(?: +((?:[^"%^&|<>()\p{Cc}]|"[^"%\p{Cc}]*")*))?$/u;

/** A command that starts a program. */
export interface WindowsProgram {
  /** As it is written, without quotes. */
  program: string;
  /** The text of its arguments, as it gets it. */
  args: string;
  /** The text begins with `--`: the program is meant, whatever `cmd.exe` would do. */
  isMarked: boolean;
}

/** The program of a command in which `cmd.exe` has nothing to do; null where it has, or may know the word itself. */
export function windowsProgramOf(command: string): WindowsProgram | null {
  const marked = /^--[ \t]+(.*)$/s.exec(command);
  if (marked) {
    // The program itself ends at the first blank outside quotes, which cannot be escaped in it.
    const [, word, args] = /^((?:"[^"]*(?:"|$)|[^ \t"])*)[ \t]*(.*)$/s.exec(marked[1])!;
    return { program: word.replaceAll('"', ""), args, isMarked: true };
  }
  const plain = plainCommand.exec(command);
  if (!plain || plain[1] !== undefined && beginsInternal.test(plain[1])) return null;
  return { program: plain[1] ?? plain[2], args: plain[3] ?? "", isMarked: false };
}

/** The command that starts a program with these arguments on Windows. Throws `usage` for words that it cannot be given. */
export function windowsCommandOfWords(words: readonly string[]): string {
  const [program, ...rest] = checkedWords(words);
  if (program.includes('"')) {
    throw new QueuectlError("usage", `No program is called ${JSON.stringify(program)}`);
  }
  const text = [isPlainProgram.test(program) ? program : `"${program}"`, ...rest.map(quoteArgument)].join(
    " ",
  );
  if (!isInternal.test(program)) {
    // Backslashes mean nothing to cmd.exe, which reads a batch file itself: for that a quote is written in another way.
    const isSame = !rest.some((word) => word.includes('"')) && windowsProgramOf(text);
    return isSame ? text : `-- ${text}`;
  }
  const changed = rest.find((word) => /["%\p{Cc}]/u.test(word));
  if (changed === undefined) return text;
  throw new QueuectlError(
    "usage",
    `"${program}" is a command of cmd.exe, which cannot be given ${JSON.stringify(changed)} as it is: ` +
      `give it as text for cmd.exe, in quotes and without --`,
  );
}

/** One argument by the rules of the C runtime; in quotes also where only `cmd.exe` needs them. */
export function quoteArgument(word: string): string {
  if (isPlainWord.test(word)) return word;
  // Backslashes are doubled before a quote, and nowhere else.
  return `"${word.replace(/(\\*)"/g, '$1$1\\"').replace(/\\+$/, "$&$&")}"`;
}

/** The words of a text of arguments, by the rules of the C runtime: what a program makes of it. */
export function argumentsOf(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let isQuoted = false;
  for (let index = 0; index < text.length;) {
    const [backslashes, quote] = /^(\\*)("?)/.exec(text.slice(index))!.slice(1);
    if (quote && backslashes) {
      word = (word ?? "") + "\\".repeat(backslashes.length >> 1);
      index += backslashes.length;
      if (backslashes.length % 2 === 0) continue;
      word += '"';
      index++;
    } else if (quote) {
      // Within quotes two of them are one that is meant.
      const isDouble = isQuoted && text[index + 1] === '"';
      word = (word ?? "") + (isDouble ? '"' : "");
      if (!isDouble) isQuoted = !isQuoted;
      index += isDouble ? 2 : 1;
    } else if (!isQuoted && /[ \t]/.test(text[index])) {
      if (word !== undefined) words.push(word);
      word = undefined;
      index++;
    } else {
      const literal = backslashes || text[index];
      word = (word ?? "") + literal;
      index += literal.length;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}
