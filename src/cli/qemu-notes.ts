/** What a scenario asks for and QEMU has otherwise, in words: the shape of the machine, and what its file says beside that. */

import { hex } from '../core/hex.ts';
import type { Range } from '../core/range.ts';
import type { RebuiltMachine } from '../engine/qemu/rebuild.ts';
import { noteText } from '../engine/qemu/rebuild-text.ts';
import type { NamedMachine } from '../scenario/described-machine.ts';
import type { DeviceNode, ScenarioFile } from '../scenario/scenario-types.ts';

const MIB = 2 ** 20;

/** The notes, a sentence each; functions by the names that the scenario gives them. */
export function qemuNotes(
  rebuilt: RebuiltMachine,
  named: NamedMachine,
  scenario: ScenarioFile,
  ram: readonly Range[],
): string[] {
  const scenarioNames = new Map([...named.names].map(([name, fn]) => [fn.name, name]));
  const nameOf = (address: string): string => scenarioNames.get(address) ?? address;
  const shape = rebuilt.notes.map((note) => noteText({ ...note, functions: note.functions.map(nameOf) }));
  const having = (asks: (node: DeviceNode) => boolean): string =>
    [...named.controllers].flatMap(([address, node]) => (asks(node) ? [nameOf(address)] : [])).join(', ');
  const notes = ram.map(
    ({ start, end }) => `with ${Math.round((end - start) / MIB)} MiB of RAM, from ${hex(start)} on, and no other`,
  );
  const { rootComplex, prepare } = scenario;
  if (rootComplex !== undefined && rootComplex !== 'forward')
    notes.push(`with a root complex that forwards: '${rootComplex}' cannot be had`);
  if (prepare === false)
    notes.push('with Memory Space and Bus Master Enable set everywhere, by enumeration, whatever prepare says');
  const mixing = having((node) => node.cdpmls === true);
  if (mixing !== '')
    notes.push(`refusing commands with data in the CMB and elsewhere (cdpmls), so they are split: ${mixing}`);
  const relative = having((node) => node.relativeSgl === true);
  if (relative !== '') notes.push(`without the relative SGL, which is a vendor extension: ${relative}`);
  return [...shape, ...notes];
}
