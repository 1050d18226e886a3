/** `config list`, `get`, `set` and `unset`: the settings that are kept in the database. */

import { checkSetting, checkSettingName, defaultSetting, settingNames } from "../../job/settings.ts";
import { QueuectlError } from "../../base/errors.ts";
import type { Store } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { openQueue } from "../open_queue.ts";
import { json, jsonArray } from "../output/output.ts";
import { print, printAll, printLines } from "../output/standard_streams.ts";
import { flexible } from "../output/table_layout.ts";
import { printTable } from "../output/terminal_width.ts";

interface SettingInForce {
  key: string;
  value: string;
  source: "default" | "stored";
}

/** Prints every setting with the value in force. */
export async function configList(this: Context, flags: { json?: boolean }): Promise<void> {
  await using store = await openQueue(this, "empty");
  const settings = await settingsInForce(store);
  if (flags.json) await printAll(jsonArray(settings));
  else {
    await printTable({
      columns: [{ title: "KEY", ...flexible(12) }, { title: "VALUE", ...flexible(10) }, { title: "SOURCE" }],
      rows: settings.map(({ key, value, source }) => [key, value, source]),
    });
  }
}

/** Prints the value in force of one setting. */
export async function configGet(this: Context, flags: { json?: boolean }, key: string): Promise<void> {
  checkSettingName(key);
  await using store = await openQueue(this, "empty");
  const setting = await settingInForce(store, key);
  await (flags.json ? print(`${json(setting)}\n`) : printLines(setting.value));
}

/** Stores a setting. */
export async function configSet(
  this: Context,
  flags: { json?: boolean },
  key: string,
  text: string,
): Promise<void> {
  const value = checkSetting(key, text);
  await using store = await openQueue(this, "create");
  await store.setSetting(key, value);
  const stored: SettingInForce = { key, value, source: "stored" };
  await (flags.json ? print(`${json(stored)}\n`) : printLines(`Set ${key} to ${value}.`));
}

/** Forgets a stored setting, so that its default is in force. */
export async function configUnset(this: Context, flags: { json?: boolean }, key: string): Promise<void> {
  checkSettingName(key);
  await using store = await openQueue(this, "empty");
  const removed = await store.unsetSetting(key);
  const unset: SettingInForce = { key, value: defaultSetting(key), source: "default" };
  const words = `${removed ? `Unset ${key}` : `${key} was not set`}; it is ${unset.value} (the default).`;
  await (flags.json ? print(`${json(unset)}\n`) : printLines(words));
}

async function settingsInForce(store: Store): Promise<SettingInForce[]> {
  const stored = new Map(await store.settings());
  return settingNames.map((key) => {
    const value = validOrUndefined(key, stored.get(key));
    return value === undefined
      ? { key, value: defaultSetting(key), source: "default" }
      : { key, value, source: "stored" };
  });
}

async function settingInForce(store: Store, key: string): Promise<SettingInForce> {
  return (await settingsInForce(store)).find((setting) => setting.key === key)!;
}

/** A stored text that is not valid, which only another program can have written, counts as not set. */
function validOrUndefined(key: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return checkSetting(key, text);
  } catch (error) {
    if (error instanceof QueuectlError) return undefined;
    throw error;
  }
}
