/** Functions that a listing names without their numbers: `lspci -vvv` without -nn. */

import type { FunctionFacts, NamedIds } from '../../pcie/function-facts.ts';

/** Gives such functions the ids that their names stand for. The table is loaded where there are any. */
export async function nameFunctions(functions: readonly FunctionFacts[]): Promise<void> {
  const named = functions.filter(isNamedOnly);
  if (named.length === 0) return;
  const { idsOfName } = await import('./ids-of-name.ts');
  const known = new Map<string, readonly NamedIds[]>();
  for (const { text } of named) {
    const name = text?.deviceName;
    if (name === undefined || text === null) continue;
    const ids = known.get(name) ?? idsOfName(name);
    known.set(name, ids);
    if (ids.length > 0) text.namedIds = ids;
  }
}

/** Whether a function is known by its name alone: no register, no attribute and no listing shows its numbers. */
function isNamedOnly({ config, sysfs, text }: FunctionFacts): boolean {
  if (config.length > 0 || sysfs !== null || text === null) return false;
  return text.vendorId === undefined && text.deviceName !== undefined;
}
