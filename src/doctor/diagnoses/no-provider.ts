/** Nothing offers memory to peers: none is there, or none is published. Linux: p2pmem/ in sysfs, pci_p2pmem_publish(). */

import { listed, sizeWords } from '../../core/words.ts';
import type { Setting } from '../../machine/host-evidence.ts';
import { hostEvidenceOf, type ReadNote } from '../../machine/machine.ts';
import { FUNCTIONS_UNREAD } from '../../machine/note-list.ts';
import { isProvider, type Role } from '../../machine/roles.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { DoctorContext } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { factEvidence, settingEvidence } from '../facts/evidence.ts';
import { missingParts } from '../facts/missing-parts.ts';
import { isUnseen, unseenDevices } from '../facts/roles.ts';
import type { Finding } from '../finding.ts';
import { BY_HAND, NOTHING } from '../finding.ts';
import { wordFix } from '../remedy/boot-fix.ts';
import { severityOf } from '../severity.ts';

export const NO_PROVIDER: Diagnosis = {
  id: 'NO-PROVIDER',
  aliases: [],
  meaning: 'no device offers memory to peers',
  symptom: '"what p2p mem?"; no valid CMB',
  needs: 'classes and BAR sizes; p2pmem/ of sysfs where there is one',
  diagnose,
};

function diagnose(context: DoctorContext): Finding[] {
  const findings: Finding[] = [];
  let providers = 0;
  const drives: PciFunction[] = [];
  for (const [index, role] of context.roles.entries()) {
    if (role === null) continue;
    const fn = context.functions[index] as PciFunction;
    if (isProvider(fn, role)) providers++;
    else if (role === 'nvme') drives.push(fn);
    const p2pmem = fn.facts.sysfs?.p2pmem;
    if (p2pmem === undefined) continue;
    if (!p2pmem.published) findings.push(unpublished(fn, p2pmem.size));
    else if (p2pmem.available === 0 && p2pmem.size > 0)
      findings.push(exhausted(context, fn, { size: p2pmem.size, queues: queuesInMemory(context, role) }));
  }
  // Of a part of a machine it cannot be said that nothing in it offers memory.
  const isWhole = missingParts(context.machine).every(({ kind }) => kind === 'registers');
  if (providers === 0 && context.asked === null && isWhole) findings.push(noneFinding(context, drives));
  return findings;
}

function unpublished(fn: PciFunction, size: number): Finding {
  return {
    ...NOTHING,
    id: 'NO-PROVIDER',
    severity: severityOf('NO-PROVIDER', 'unpublished'),
    sure: 'certain',
    title: `${fn.name} has ${sizeWords(size)} of peer-to-peer memory, and its driver does not publish it: only the driver itself can use it`,
    at: [fn.name],
    functions: [fn.name],
    evidence: [
      factEvidence(fn, 'driver', {
        register: 'p2pmem/published',
        value: '0',
        meaning: 'pci_p2pmem_find() passes it over',
      }),
    ],
    why: 'nvmet and others look for published memory only.',
    fixes: [
      {
        ...BY_HAND,
        kind: 'sysfs',
        what: 'Let a driver publish it: the NVMe driver publishes a CMB that allows read and write data (RDS, WDS), with p2pmem-pci any BAR can be tried',
        cost: 'Another driver on the device.',
        takeBack: 'bind the old driver',
      },
    ],
  };
}

/** The parameter by which the NVMe driver puts its own submission queues into a drive's memory; null where it is off or not captured. */
function queuesInMemory({ machine }: DoctorContext, role: Role): Setting | null {
  const setting = hostEvidenceOf(machine).modules?.byName.get('nvme')?.parameters.get('use_cmb_sqs');
  return role === 'nvme' && setting !== undefined && /^[Y1]/i.test(setting.value) ? setting : null;
}

function exhausted(
  { machine }: DoctorContext,
  fn: PciFunction,
  { size, queues }: { readonly size: number; readonly queues: Setting | null },
): Finding {
  return {
    ...NOTHING,
    id: 'NO-PROVIDER',
    severity: severityOf('NO-PROVIDER', 'exhausted'),
    sure: 'certain',
    title: `The peer-to-peer memory of ${fn.name}, ${sizeWords(size)}, is all taken`,
    at: [fn.name],
    functions: [fn.name],
    evidence: [
      factEvidence(fn, 'driver', { register: 'p2pmem/available', value: '0', meaning: `of ${size} bytes` }),
      ...(queues === null
        ? []
        : [settingEvidence(queues, { register: 'nvme.use_cmb_sqs', meaning: 'submission queues are in it' })]),
    ],
    why: 'An allocation that finds nothing falls back to system memory without a word.',
    fixes: [
      {
        ...BY_HAND,
        kind: 'use',
        what: 'Stop what holds it (nvmet queues, p2pmem-test), or use smaller queues',
        cost: 'None.',
      },
      ...(queues === null
        ? []
        : [
            {
              ...BY_HAND,
              what: 'Keep the NVMe driver’s own submission queues out of it',
              ...wordFix(machine, 'nvme.use_cmb_sqs=0')?.lines,
              cost: 'The drive fetches its commands from system memory.',
            },
          ]),
    ],
  };
}

/** Base classes that could have memory to offer, the likeliest first; ff is not known. */
const MAY_OFFER: readonly number[] = [0x03, 0x12, 0x0b, 0x05, 0x01, 0x02, 0xff];

/** The function likeliest to have memory whose BARs the capture does not show. */
function blindSpot(functions: readonly PciFunction[]): PciFunction | undefined {
  const rank = (fn: PciFunction): number => MAY_OFFER.indexOf((fn.classCode ?? 0xffff) >> 8);
  return functions.filter((fn) => rank(fn) >= 0 && isUnseen(fn)).sort((a, b) => rank(a) - rank(b))[0];
}

function blindFinding(context: DoctorContext, likeliest: PciFunction): Finding {
  const unseen = unseenDevices(context.functions).map(({ fn }) => fn.name);
  const names = unseen.length > 0 ? unseen : [likeliest.name];
  return {
    ...NOTHING,
    id: 'NO-PROVIDER',
    severity: severityOf('NO-PROVIDER', 'open'),
    sure: 'open',
    title: `Whether a device here offers memory to peers is not in this capture: it shows no BARs of ${listed(names)}`,
    functions: names,
    why: 'A listing of one line a function names devices, and nothing of their memory.',
    missing: { what: 'BARs and capabilities', command: 'sudo lspci -Dnnvvvxxxx > host.txt' },
  };
}

function unreadFinding({ message }: ReadNote): Finding {
  return {
    ...NOTHING,
    id: 'NO-PROVIDER',
    severity: severityOf('NO-PROVIDER', 'open'),
    sure: 'open',
    title:
      'Whether a device here offers memory to peers is not in this capture: devices are missing that could not be read',
    why: `${message}. What could not be read may be the very device.`,
    missing: { what: 'the devices that could not be read', command: 'sudo p2pdma capture -o host.tar.gz' },
  };
}

function noneFinding(context: DoctorContext, drives: readonly PciFunction[]): Finding {
  const names = drives.map((fn) => fn.name);
  const others = context.roles.filter((role): role is Role => role !== null).length;
  const first = drives[0];
  const blind = blindSpot(context.functions);
  if (blind !== undefined) return blindFinding(context, blind);
  const unread = context.machine.notes.find(({ code }) => code === FUNCTIONS_UNREAD);
  if (unread !== undefined) return unreadFinding(unread);
  return {
    ...NOTHING,
    id: 'NO-PROVIDER',
    severity: severityOf('NO-PROVIDER', 'none'),
    // A Controller Memory Buffer shows in the drive's own registers, which no capture of PCI holds.
    sure: first === undefined ? 'certain' : 'likely',
    title:
      first === undefined
        ? 'No device here offers memory to peers: no GPU, no accelerator, no NVMe drive with a memory buffer'
        : `No device here offers memory to peers, unless ${listed(names)} ${drives.length === 1 ? 'has' : 'have'} a Controller Memory Buffer`,
    functions: names,
    why:
      others === 0
        ? 'Peer-to-peer DMA needs a device with memory and another that reads or writes it. A machine without is healthy.'
        : 'A client alone has nobody to talk to.',
    missing:
      first === undefined
        ? null
        : { what: 'CMBLOC and CMBSZ of the drives', command: `sudo nvme show-regs -H /dev/nvme0 | grep -i cmb` },
  };
}
