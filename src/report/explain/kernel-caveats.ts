/** What the running kernel makes of an ACS parameter: it differs from release to release, and one release can fall over. */

import type { PortChange } from '../../doctor/change/smallest-change.ts';
import { acsOptionsDoubt } from '../../doctor/command-line/acs-parameter.ts';
import { overrunsRedirectList, REDIRECT_LIST_MAX, redirectListLength } from '../../doctor/remedy/redirect-list.ts';
import { kernelKnows } from '../../machine/kernel-release.ts';
import type { Machine } from '../../machine/machine.ts';
import { ACS_SOURCE_VALIDATION, ACS_UPSTREAM_FORWARDING, acsBitNames } from '../../pcie/acs.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import { doubtText } from '../words/proof.ts';

/** What `disable_acs_redir=` takes away besides the redirect bits, as sentences. */
export function kernelLosses(machine: Machine, ports: readonly PortChange[]): string[] {
  const sentences: string[] = [];
  const reads = kernelKnows(machine.kernel, 'configAcs');
  const kept = ports.filter((port) => (port.after & (ACS_SOURCE_VALIDATION | ACS_UPSTREAM_FORWARDING)) !== 0);
  const noIommu =
    machine.iommuGroupTypes.size === 0 && machine.hierarchy.functions.some((fn) => fn.facts.sysfs !== null);
  if (kept.length > 0 && !noIommu && reads !== false) {
    const which = kept.map((port) => `${acsBitNames(port.after)} of ${port.at.name}`).join(', ');
    const who = reads === null ? 'Linux 6.12 and later start' : `Linux ${machine.kernel} starts`;
    sentences.push(
      `${who} from the firmware's word on a function that the parameter names: what the IOMMU's default has added there is lost too (on now: ${which}).`,
    );
  }
  if (reads === false) {
    sentences.push(`Linux ${machine.kernel} takes RR, CR and EC away and keeps the rest, as seen on 6.1.`);
  }
  const doubt = acsOptionsDoubt(machine.kernel);
  if (doubt !== null) sentences.push(`${doubtText(doubt)}.`);
  if (ports.some((port) => port.devicePath === null)) {
    sentences.push(
      'The way from the root is not in the capture: the address is given instead, and bus numbers may change.',
    );
  }
  const present = /\bpci=\S*(disable_acs_redir|config_acs)=/.exec(machine.cmdline ?? '');
  if (present !== null) {
    sentences.push(`The command line has ${present[1]}= already: write all functions into one list.`);
  }
  return sentences;
}

/** The head of the `config_acs=` form. */
export function kernelKnowsConfigAcs(machine: Machine): string {
  const reads = kernelKnows(machine.kernel, 'configAcs');
  if (reads === null) return 'The same with all other ACS bits written out, for Linux 6.12 and later:';
  if (reads) return 'The same with all other ACS bits written out, so that none is lost:';
  return `The same with all other ACS bits written out, for Linux 6.12 and later (6.1 does not know config_acs=; this machine runs ${machine.kernel}):`;
}

/** A warning where the list of redirecting functions does not fit the kernel's buffer; null where it does. */
export function oopsHazard(machine: Machine, redirecting: readonly PciFunction[]): string | null {
  if (!overrunsRedirectList(machine, redirecting)) return null;
  const length = redirectListLength(redirecting);
  return `Beware: ${redirecting.length} functions on this way redirect, and their names take ${length} bytes of a buffer of ${REDIRECT_LIST_MAX}. Linux 6.12 was seen to crash when it was asked about such a pair for the first time. Clear the bits before the pair is used.`;
}
