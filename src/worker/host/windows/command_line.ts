/**
 * The line with which a command is started on Windows. Pure but for the question which files there are.
 *
 * It starts an outer `cmd.exe` that starts the command and then adds its exit status to the status file, so that the
 * status is known whether or not the worker is still there. All texts of a job travel in the environment: delayed expansion
 * (`/v:on`, `!NAME!`) puts them in after the line was read, so nothing in them can be taken for syntax of the outer one.
 * What `cmd.exe` does with such a text afterwards: it passes it on, line breaks included.
 */

import {
  argumentsOf,
  quoteArgument,
  type WindowsProgram,
  windowsProgramOf,
} from "../../../job/windows_words.ts";
import { findProgram, type SearchEnvironment } from "./program_search.ts";

/** How a command is started. */
export interface StartOfCommand {
  /** The whole line of the outer `cmd.exe`, its program included. */
  line: string;
  /** Variables that are added to the command's; they win over others of their name. */
  env: Record<string, string>;
  /** Names of variables, in any case, that must not be in the environment. */
  without: readonly string[];
}

/** Why a command cannot be started, in one sentence. */
export interface Unstartable {
  problem: string;
}

/**
 * Characters that the text of a command may have. `cmd.exe` takes 8191 for a line with everything around it
 * (learn.microsoft.com/troubleshoot/windows-client/shell-experience/command-line-string-limitation); the longest path of
 * it itself, and its own flags, are left free.
 */
export const maxTextLength = 8000;

/**
 * Characters that the path of a current folder may have, MAX_PATH less a backslash and the end
 * (learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setcurrentdirectory); no other form of it can have more.
 */
export const maxFolderLength = 258;

/** A variable of this name would take the place of the exit status that `cmd.exe` knows: a failure would be a success. */
const without = ["ERRORLEVEL"];

/**
 * How `command` is started. `files` is the path of the run's files, to which `.status` is added; `systemFolder` is where
 * `cmd.exe` is.
 */
export function startOfCommand(
  command: string,
  files: string,
  systemFolder: string,
  environment: SearchEnvironment,
): StartOfCommand | Unstartable {
  const { cwd } = environment;
  if (/^[\\/]{2}/.test(cwd)) {
    return unstartable(
      `cmd.exe cannot run in the network folder ${cwd}: it would run in the Windows folder; ` +
        "connect it to a drive letter (net use)",
    );
  }
  if (cwd.length > maxFolderLength) {
    return unstartable(
      `No command can run in a folder whose path has ${cwd.length} characters on Windows, ` +
        `${maxFolderLength} is the most: ${cwd}`,
    );
  }
  const shell = `"${systemFolder}\\cmd.exe"`;
  const start = (body: string, env: Record<string, string>): StartOfCommand => ({
    // Redirected first: a digit before >> would be taken for the number of a stream, a blank for a part of the text.
    line: `${shell} /e:on /v:on /d /s /c "${body}&>>"!QUEUECTL_FILES!.status" echo exit !errorlevel!"`,
    env: { ...env, QUEUECTL_FILES: files },
    without,
  });

  function shellText(text: string): StartOfCommand | Unstartable {
    const command = text.replace(/[\r\n]+$/, "");
    const problem = textProblem(command);
    if (problem !== undefined) return unstartable(problem);
    return start(`${shell} /e:on /v:off /d /s /c "!QUEUECTL_COMMAND!"`, { QUEUECTL_COMMAND: command });
  }

  function program(path: string, args: string): StartOfCommand | Unstartable {
    const length = path.length + args.length + 3;
    if (length > maxTextLength) return unstartable(tooLong(length));
    return start(
      args === "" ? `"!QUEUECTL_PROGRAM!"` : `"!QUEUECTL_PROGRAM!" !QUEUECTL_ARGUMENTS!`,
      args === "" ? { QUEUECTL_PROGRAM: path } : { QUEUECTL_PROGRAM: path, QUEUECTL_ARGUMENTS: args },
    );
  }

  const found = windowsProgramOf(command);
  if (!found) return shellText(command);
  const path = findProgram(found.program, environment);
  if (path === null) {
    if (!found.isMarked) return shellText(command);
    return unstartable(`There is no program "${found.program}" in ${cwd} or PATH`);
  }
  if (/\.(?:bat|cmd)$/i.test(path)) {
    const text = batchText(path, found);
    return typeof text === "string" ? shellText(text) : text;
  }
  if (/\.ps1$/i.test(path)) {
    return program(
      `${systemFolder}\\WindowsPowerShell\\v1.0\\powershell.exe`,
      `-NoProfile -NonInteractive -File ${quoteArgument(path)} ${found.args}`.trimEnd(),
    );
  }
  return program(path, found.args);
}

/**
 * The text that starts a batch file, which `cmd.exe` reads itself: of each argument it must see nothing but the text. The
 * arguments of a plain command are passed on as they are written.
 */
function batchText(path: string, { args, isMarked }: WindowsProgram): string | Unstartable {
  const script = `"${withoutVariables(path)}"`;
  if (!isMarked) return args === "" ? script : `${script} ${args}`;
  const words = argumentsOf(args);
  if (words.some((word) => /[\r\n\0]/.test(word))) {
    return unstartable(`The batch file ${path} cannot be given an argument with a line break`);
  }
  return [script, ...words.map(batchArgument)].join(" ");
}

/**
 * One argument for a batch file: always within quotes for `cmd.exe`, and one argument for programs to which it is passed
 * on. As Rust's standard library does it since CVE-2024-24576.
 */
function batchArgument(word: string): string {
  if (/^[\w\\/.:+@-]*[\w/.:+@-]$/.test(word)) return word;
  return `"${withoutVariables(word.replace(/(\\*)"/g, '$1$1""').replace(/\\+$/, "$&$&"))}"`;
}

/**
 * Behind each `%` stands a variable of which no character is taken: so no name can be read there. `cmd.exe` has no other
 * escape for it outside batch files.
 */
function withoutVariables(text: string): string {
  return text.replaceAll("%", "%%cd:~,%");
}

const unstartable = (problem: string): Unstartable => ({ problem });

const tooLong = (length: number) =>
  `The command has ${length} characters on Windows, where ${maxTextLength} can be started: ` +
  "write it into a batch file, or its arguments into a file";

/** Why a text can be started nowhere on Windows, whatever programs there are; undefined where it can. */
export function textProblem(text: string): string | undefined {
  const command = text.replace(/[\r\n]+$/, "");
  if (/[\r\n]/.test(command) && !windowsProgramOf(command)?.isMarked) {
    return "cmd.exe takes one line only: join the lines of the command with &, or write them into a batch file";
  }
  return command.length > maxTextLength ? tooLong(command.length) : undefined;
}
