/**
 * A link that trained with fewer lanes, or slower, than both of its ends can. Fewer lanes are a fault; a low speed of a graphics card may
 * be an idle link that has slowed down to save power, and is never called one. PCIe 7.5.3.6 and 7.5.3.8.
 */

import type { LinkFacts } from '../../pcie/express.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { DoctorContext } from './context.ts';
import type { Diagnosis } from './diagnosis.ts';
import { linkEvidence } from './evidence.ts';
import type { Finding } from './finding.ts';
import { BY_HAND, NOTHING } from './finding.ts';
import { ROLE_WORDS } from './roles.ts';
import { guestEvidence } from './virtual-machine.ts';
import { listed, plural } from './words.ts';

export const LINK_DEGRADED: Diagnosis = {
  id: 'LINK-DEGRADED',
  aliases: [],
  severity: 'warning',
  meaning: 'a link runs with fewer lanes or slower than both ends can',
  symptom: 'one row of the bandwidth matrix is far below the others',
  needs: 'Link Capabilities and Status of both ends of each link',
  diagnose,
};

/** One link, by its two ends. */
interface Link {
  readonly upper: PciFunction | null;
  readonly lower: PciFunction;
  readonly now: { readonly speed: number | null; readonly width: number };
  /** What both ends can. */
  readonly can: { readonly speed: number | null; readonly width: number | null };
  readonly bothKnown: boolean;
}

function diagnose(context: DoctorContext): Finding[] {
  const links = linksToRoles(context);
  const narrow = links.filter(({ now, can }) => can.width !== null && now.width < can.width);
  const slow = links.filter(
    (link) =>
      !narrow.includes(link) && link.can.speed !== null && link.now.speed !== null && link.now.speed < link.can.speed,
  );
  const isGuest = guestEvidence(context.machine) !== null;
  // A guest's ports are drawn; with one end unknown the slot may be that narrow; a switch on the board may be wired with fewer lanes.
  const faulty = narrow.filter((link) => !isGuest && link.bothKnown && link.lower.portType !== 'upstreamPort');
  const open = narrow.filter((link) => !faulty.includes(link));
  const findings = faulty.map((link) => narrowFinding(context, link));
  if (open.length > 0) findings.push(openFinding(open, isGuest));
  if (slow.length > 0) findings.push(slowFinding(slow));
  return findings;
}

/** All links on the ways to functions that somebody would pair, each once. */
function linksToRoles(context: DoctorContext): Link[] {
  const { hierarchy } = context.machine;
  const seen = new Set<number>();
  const links: Link[] = [];
  for (const [index, role] of context.roles.entries()) {
    if (role === null) continue;
    for (const at of hierarchy.chainOf(index)) {
      if (seen.has(at)) break;
      seen.add(at);
      const link = linkOf(context, at);
      if (link !== null) links.push(link);
    }
  }
  return links.sort((a, b) => a.lower.key - b.lower.key);
}

/** The link above a function; null where there is none, it is down, or this is not the function that speaks for the device. */
function linkOf(context: DoctorContext, index: number): Link | null {
  const lower = context.functions[index] as PciFunction;
  const upper = context.functions[context.machine.hierarchy.parent[index] as number] ?? null;
  const isLower = ['endpoint', 'legacyEndpoint', 'upstreamPort', 'pcieToPci'].includes(lower.portType ?? '');
  if (!isLower || lower.bdf.function !== 0 || lower.poweredDown) return null;
  const below = lower.link;
  const above = upper?.portType === 'rootPort' || upper?.portType === 'downstreamPort' ? upper.link : null;
  const status: LinkFacts | null = below?.width ? below : above;
  if (status?.width === null || status?.width === undefined || status.width === 0) return null;
  return {
    upper: above === null ? null : upper,
    lower,
    now: { speed: status.speedGts, width: status.width },
    can: { speed: least(below?.maxSpeedGts, above?.maxSpeedGts), width: least(below?.maxWidth, above?.maxWidth) },
    bothKnown: Boolean(below?.maxWidth && above?.maxWidth),
  };
}

/** The smaller of what is known; 0 is a register that says nothing. */
function least(a: number | null | undefined, b: number | null | undefined): number | null {
  const known = [a, b].filter((value) => typeof value === 'number' && value > 0) as number[];
  return known.length === 0 ? null : Math.min(...known);
}

function narrowFinding(context: DoctorContext, link: Link): Finding {
  const { lower, upper, now, can } = link;
  const role = context.roles[context.machine.hierarchy.indexOf(lower.bdf)];
  const who = role ? `the ${ROLE_WORDS[role]} at ${lower.name}` : lower.name;
  return {
    ...NOTHING,
    id: 'LINK-DEGRADED',
    severity: 'warning',
    sure: 'certain',
    title: `The link to ${who} runs with ${now.width} of ${can.width} lanes${upper === null ? '' : ` below ${upper.name}`}`,
    at: [lower.name],
    functions: [...(upper === null ? [] : [upper.name]), lower.name],
    evidence: evidenceOf([link]),
    why: `Both ends can use x${can.width}. All traffic of the device, with peers or with memory, has ${Math.round((100 * now.width) / (can.width as number))} % of the bandwidth. A slot that the board wires with fewer lanes than its port has looks the same.`,
    fixes: [
      {
        ...BY_HAND,
        what: 'Re-seat the card or its cable, and clean the contacts; try it in another slot',
        cost: 'Power off.',
      },
      {
        ...BY_HAND,
        what: 'Look into the firmware setup: slots that share lanes (x8/x8, M.2 beside a slot), bifurcation',
        cost: 'A reboot; the other slot gets fewer lanes.',
        takeBack: 'the old setting',
        reboot: true,
      },
    ],
  };
}

function evidenceOf(links: readonly Link[]): Finding['evidence'] {
  return links
    .slice(0, 8)
    .flatMap(({ lower, upper }) => [...(upper === null ? [] : [linkEvidence(upper)]), linkEvidence(lower)]);
}

/** Fewer lanes where no capture of this machine can tell whether more are wired. */
function openFinding(links: readonly Link[], isGuest: boolean): Finding {
  const names = links.map(({ lower }) => lower.name);
  const [first] = links as readonly [Link];
  return {
    ...NOTHING,
    id: 'LINK-DEGRADED',
    severity: 'note',
    sure: 'unknown',
    title: `${plural(links.length, 'link')} with fewer lanes than the capture shows possible (${listed(names)}): wired so, or a fault`,
    at: names,
    functions: names,
    evidence: evidenceOf(links),
    why: isGuest
      ? 'The ports of a guest are drawn by its hypervisor: what the slot is wired for, the host knows.'
      : 'A board may wire fewer lanes to a switch, or to a slot, than the parts at both ends have.',
    missing: {
      what: 'how many lanes are wired',
      command: isGuest
        ? 'sudo p2pdma check   # on the host'
        : `sudo lspci -vv -s ${(first.upper ?? first.lower).name} | grep -E 'Lnk(Cap|Sta):'   # and the board’s manual`,
    },
  };
}

function slowFinding(slow: readonly Link[]): Finding {
  const names = slow.map(({ lower }) => lower.name);
  const [first] = slow as readonly [Link];
  return {
    ...NOTHING,
    id: 'LINK-DEGRADED',
    severity: 'note',
    sure: 'unknown',
    title: `${plural(slow.length, 'link')} slower than both ends can (${listed(names)}): idle, or a fault; under load it shows`,
    at: names,
    functions: names,
    evidence: evidenceOf(slow),
    why: 'Graphics cards slow their links down when idle: 2.5 GT/s without load is no fault. Firmware may also hold a link at a lower speed (Target Link Speed).',
    missing: {
      what: 'whether the link speeds up under load',
      command: `sudo lspci -vv -s ${first.lower.name} | grep LnkSta:   # while a transfer runs`,
    },
  };
}
