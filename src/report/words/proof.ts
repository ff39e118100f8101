/** The one place where a proof becomes a sentence. */

import { listed, plural } from '../../core/words.ts';
import type { CommandBit, Doubt, Judged, NotProved, PairRun, Proof, Run, Shown, Tried } from '../../doctor/proof.ts';
import { repairedIn } from '../../machine/kernel-release.ts';
import type { MapType } from '../../p2p/verdict.ts';

/** A proof in words, without a capital: `judged again with 2 registers changed: ...`, `not proved: ...`. */
export function proofText(proof: Proof): string {
  switch (proof.kind) {
    case 'judged':
      return judgedText(proof);
    case 'notProved':
      return `not proved: ${becauseText(proof)}`;
    case 'run':
      return `${proofText(proof.of)}; ${proof.run === null ? 'not run on the fabric: no pair, or no BAR, to run' : runText(proof.run)}`;
  }
}

/** `Proof: judged again ...`, or `Not proved: ...`. */
export function proofLine(proof: Proof): string {
  const { kind } = proof.kind === 'run' ? proof.of : proof;
  const text = proofText(proof);
  return kind === 'judged' ? `Proof: ${text}` : `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

function judgedText({ tried, shows, doubt }: Judged): string {
  const shown = shows === null ? '' : shownText(shows);
  const text = `${triedText(tried, shows !== null)}${shown}`;
  return doubt === null ? text : `${text}. But ${doubtText(doubt)}`;
}

/** What a release with the fault is to be watched for. */
export function doubtText({ kernel, sure }: Doubt): string {
  const until = `until ${listed(repairedIn('acsOptionsMisread'))}`;
  const unless = sure ? '' : ', if its distribution has not repaired that';
  return `Linux ${kernel} is reported to misread ACS options, ${until}${unless}: after the boot compare ACSCtl in lspci -vvv`;
}

function triedText(tried: Tried, more: boolean): string {
  switch (tried.kind) {
    case 'registers':
      return `judged again with ${plural(tried.count, 'register')} changed: `;
    case 'commandLine':
      return `read as Linux reads it, it changes ${plural(tried.registers, 'register')}; judged again: `;
    case 'word': {
      const read = 'read again with the word repaired: the problem is gone';
      if (tried.registers === 0) return `${read}; no register changes`;
      return `${read}, and ${plural(tried.registers, 'register')} would change${more ? '; judged again: ' : ''}`;
    }
    case 'groups':
      return tried.type === 'DMA'
        ? `judged again with ${plural(tried.count, 'group')} as DMA: `
        : `judged again with ${plural(tried.count, 'group')} changed: `;
    case 'rules':
      return `judged by the rules of ${tried.policy}: `;
    case 'slot':
      return 'judged again with the card there: ';
    case 'settings':
      return 'judged again: ';
  }
}

const PAIR: Readonly<Record<MapType, string>> = {
  busAddr: 'the pair is by bus address',
  thruHostBridge: 'the pair is through the host bridge',
  notSupported: 'the pair is still not supported',
  unknown: 'the verdict is not known',
};

const BITS: Readonly<Record<CommandBit, string>> = { busMaster: 'Bus Master', memorySpace: 'Memory Space' };

function shownText(shows: Shown): string {
  switch (shows.kind) {
    case 'pair':
      return PAIR[shows.type];
    case 'translated':
      return shows.functions === 0
        ? 'no function of them is translated'
        : `${plural(shows.functions, 'function')} of them ${shows.functions === 1 ? 'is' : 'are'} still translated`;
    case 'aboveMask':
      return `${shows.pairs === 0 ? 'no pair' : plural(shows.pairs, 'pair')} above a mask`;
    case 'withinPayload':
      return `${plural(shows.devices, 'device')} within ${shows.bytes} bytes`;
    case 'longPackets':
      return `${plural(shows.functions, 'function')} with packets of more than ${shows.bytes} bytes left`;
    case 'decoding':
      return `${BITS[shows.bit]} is on all the way of ${shows.function}`;
    case 'tenBitTags':
      return `${shows.functions === 0 ? 'no function asks' : `${plural(shows.functions, 'function')} still ${shows.functions === 1 ? 'asks' : 'ask'}`} with ten bits where eight are known`;
  }
}

const BECAUSE: Readonly<Record<Exclude<NotProved['because'], 'noRegister' | 'offElsewhere'>, string>> = {
  byHand: 'it is done by hand, and a new capture shows what it led to',
  onlyLooks: 'it only looks',
  firmwareSettings: 'what the firmware makes of its settings shows at the next boot only',
  firmwareRegisters: 'which registers the firmware would hand to it is not in this capture',
  bridgeWindows: 'whether the windows above can grow depends on what else stands in them, and the kernel decides',
  barPlacement: 'where the kernel will place the BARs is not in any register yet',
  textOnly: 'the registers are not in the capture, only their text',
  rootComplex: 'what a root complex does with a direct way, only the machine shows',
  groupTypeUnknown: 'the capture does not hold the types of the IOMMU groups',
  stillLonger: 'some are longer still',
  stillThere: 'the problem is there still',
};

function becauseText(proof: NotProved): string {
  switch (proof.because) {
    case 'noRegister':
      return `${proof.kernel ?? 'the kernel'} would change no register by it`;
    case 'offElsewhere':
      return `${BITS[proof.bit]} is off elsewhere on the way of ${proof.function}`;
    default:
      return BECAUSE[proof.because];
  }
}

/** `on the fabric, 64 KiB written and read: before, ...; after, ...; undone, every register is as it was`. */
export function runText({ before, after, restored }: NonNullable<Run['run']>): string {
  const undone = restored ? 'undone, every register is as it was' : 'not undone';
  return `on the fabric, ${before.bytesTotal / 1024} KiB written and read: before, ${bytesText(before)}; after, ${bytesText(after)}; ${undone}`;
}

function bytesText(run: PairRun): string {
  const path = run.passesRootComplex ? 'by way of the root complex' : 'without the root complex';
  if (run.failure !== null) return `${run.bytesRight} of ${run.bytesTotal} bytes right, ${run.failure}`;
  return `${run.bytesRight === run.bytesTotal ? 'every byte right' : `${run.bytesRight} of ${run.bytesTotal} bytes right`} ${path}`;
}
