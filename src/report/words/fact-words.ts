/** Facts of a function in a few words each: port type, ACS, link, BARs. */

import { sizeWords } from '../../core/words.ts';
import { ACS_BITS, type AcsMissing, acsBitNames } from '../../pcie/acs.ts';
import type { Bar } from '../../pcie/bar.ts';
import type { LinkFacts, PortType } from '../../pcie/express.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';

const PORT_WORDS: Readonly<Record<PortType, string>> = {
  endpoint: 'endpoint',
  legacyEndpoint: 'legacy endpoint',
  rootPort: 'root port',
  upstreamPort: 'switch upstream port',
  downstreamPort: 'switch downstream port',
  pcieToPci: 'PCIe-to-PCI bridge',
  pciToPcie: 'PCI-to-PCIe bridge',
  rcIntegratedEndpoint: 'integrated endpoint',
  rcEventCollector: 'event collector',
  conventional: 'conventional',
};

/** `switch downstream port`, `conventional bridge`, or what the header type tells where the port type is not known. */
export function portWords(fn: PciFunction): string {
  const type = fn.portType;
  if (type === 'conventional') return fn.isBridge ? 'conventional bridge' : 'conventional device';
  if (type !== null) return PORT_WORDS[type];
  return fn.isBridge ? 'bridge, port type not known' : 'port type not known';
}

const MISSING_WORDS: Readonly<Record<AcsMissing, string>> = {
  extendedConfigNotCaptured: 'beyond the bytes that were captured',
  accessDenied: 'the dump was taken without root',
  poweredDown: 'powered down or gone',
  bitsNotPrinted: 'the text does not print its bits',
  capabilitiesNotListed: 'the capture shows no capabilities of it',
};

/** `ACS RR CR (can SV TB RR CR UF)`, `ACS off (can ...)`, `no ACS`, `ACS not known: ...`. */
export function acsWords(fn: PciFunction): string {
  const { acs } = fn;
  switch (acs.state) {
    case 'absent':
      // Without an Express capability there would be none anyway.
      return fn.facts.sysfs?.endsAt256 === true && fn.portType !== 'conventional'
        ? 'no ACS: the kernel reaches 256 bytes of its registers only'
        : 'no ACS';
    case 'unknown':
      return `ACS not known: ${MISSING_WORDS[acs.missing]}`;
    case 'present': {
      const on = acs.control === 0 ? 'off' : acsBitNames(acs.control);
      return `ACS ${on} (can ${acsBitNames(acs.capability)})`;
    }
  }
}

/** `SrcValid+ TransBlk- ReqRedir+ ...`, as lspci prints the register. */
export function acsAsLspci(bits: number): string {
  return ACS_BITS.map(({ mask, lspci }) => `${lspci}${bits & mask ? '+' : '-'}`).join(' ');
}

/** `x4 8 GT/s (can x16 16 GT/s)`, `no link`; null where nothing is known. */
export function linkWords(link: LinkFacts | null): string | null {
  if (link === null) return null;
  const can = speedAndWidth(link.maxWidth, link.maxSpeedGts);
  if (link.width === 0) return can === null ? 'no link' : `no link (can ${can})`;
  const now = speedAndWidth(link.width, link.speedGts);
  if (now === null) return can === null ? null : `link not known (can ${can})`;
  return can === null || can === now ? `link ${now}` : `link ${now} (can ${can})`;
}

function speedAndWidth(width: number | null, speed: number | null): string | null {
  // Zero is what a port without a link, or without the register, reads.
  const parts = [width ? `x${width}` : null, speed ? `${speed} GT/s` : null].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(' ');
}

/** `BAR2 256 MiB prefetchable`, `BAR0 of unknown size`. */
export function barWords(bar: Bar): string {
  const size = bar.size === null ? 'of unknown size' : sizeWords(bar.size);
  const kind = bar.space === 'io' ? ' I/O' : bar.prefetchable ? ' prefetchable' : '';
  const place = bar.busAddress === null ? ', not assigned' : '';
  return `BAR${bar.index} ${size}${kind}${place}`;
}
