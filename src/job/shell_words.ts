/**
 * A list of arguments as the text of one command, and how such a text is known again: it can be pasted into a shell, and
 * a worker starts the program without a shell that splits or expands anything.
 */

import { QueuectlError } from "../base/errors.ts";

/** Quotes a text for a POSIX shell. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** What every shell knows itself, or reads as syntax: such a word is no program, or another one than in the PATH. */
const shellWords = new Set(
  `. : [ [[ alias autoload bg bind bindkey break builtin caller case cat cd chdir command compgen complete compopt
  continue coproc declare dirs disown do done echo elif else enable esac eval exec exit export false fc fg fi float for
  function functions getconf getopts global hash help hist history if in integer jobs kill let local logout mapfile
  nameref nohup popd print printf pushd pwd read readarray readonly redirect rename return select set shift shopt sleep
  source stop suspend test then time times trap true type typeset ulimit umask unalias unset until wait whence while`
    .split(/\s+/),
);

/**
 * Of these, what a shell that forks does not know, or does as the program would: dash, bash and busybox start the
 * program; ksh93, which has its own, does not fork.
 */
const likeTheirPrograms = new Set(["sleep"]);

/** What a shell leaves as it is, as the first word of a command and behind it. */
const plainProgram = String.raw`[\w/.][\w/.+@:,-]*`;
const plainWord = String.raw`[\w/.+@%:,=-]+`;
const quotedWord = String.raw`'[^']*'(?:\\''[^']*')*`;
const wordList = new RegExp(`^(?:(${plainProgram})|(${quotedWord}))(?: +(?:${plainWord}|${quotedWord}))*$`);
const isPlainProgram = new RegExp(`^${plainProgram}$`);
const isPlainWord = new RegExp(`^${plainWord}$`);

/** The command that starts a program with these arguments, for POSIX shells: each word is quoted that needs it. */
export function commandOfWords(words: readonly string[]): string {
  const [program, ...rest] = checkedWords(words);
  const first = isPlainProgram.test(program) && !shellWords.has(program) ? program : quote(program);
  return [first, ...rest.map((word) => isPlainWord.test(word) ? word : quote(word))].join(" ");
}

/** The words, when the first of them can be a program. Throws `usage`. */
export function checkedWords(words: readonly string[]): readonly string[] {
  const [program] = words;
  if (program === undefined || program.trim() === "") {
    throw new QueuectlError("usage", "The command is empty: behind -- comes the program, then its arguments");
  }
  if (program.startsWith("-")) {
    throw new QueuectlError("usage", `No program is called "${program}": flags of enqueue come before --`);
  }
  return words;
}

/** How a command that is nothing but words starts its program. */
export interface Program {
  /** The program as it is written, perhaps quoted. */
  word: string;
  /** It is quoted although the shell knows such a word itself: meant is the program, nothing else. */
  isCertain: boolean;
}

/** The program of a command in which a shell has nothing to do; null where it has, or may know the word itself. */
export function programOf(command: string): Program | null {
  const match = wordList.exec(command);
  if (!match) return null;
  const [, plain, quoted] = match;
  if (plain !== undefined) {
    const isKnown = shellWords.has(plain) && !likeTheirPrograms.has(plain);
    return isKnown ? null : { word: plain, isCertain: false };
  }
  return { word: quoted, isCertain: shellWords.has(quoted.slice(1, -1)) };
}
