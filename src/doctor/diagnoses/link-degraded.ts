/**
 * A link that trained with fewer lanes, or slower, than both of its ends can. Fewer lanes are a fault; a low speed of a graphics card may
 * be an idle link that has slowed down to save power, and is never called one. PCIe 7.5.3.6 and 7.5.3.8.
 */

import { listed, plural } from '../../core/words.ts';
import { hypervisorOf } from '../../machine/infer/hypervisor.ts';
import type { PciFunction } from '../../pcie/pci-function.ts';
import type { DoctorContext } from '../context.ts';
import type { Diagnosis } from '../diagnosis.ts';
import { linkEvidence } from '../facts/evidence.ts';
import { type Link, linkAbove, loadRate, loadWords, narrowestAbove, ownRate } from '../facts/road-links.ts';
import { ROLE_WORDS } from '../facts/roles.ts';
import type { Finding, Fix } from '../finding.ts';
import { BY_HAND, NOTHING } from '../finding.ts';
import { severityOf } from '../severity.ts';

export const LINK_DEGRADED: Diagnosis = {
  id: 'LINK-DEGRADED',
  aliases: [],
  meaning:
    'a link runs with fewer lanes or slower than both ends can, or holds back the devices at both ends of a road',
  symptom: 'one row of the bandwidth matrix is far below the others',
  needs: 'Link Capabilities and Status of both ends of each link',
  diagnose,
};

function diagnose(context: DoctorContext): Finding[] {
  const links = linksToRoles(context);
  const narrow = links.filter(({ now, can }) => can.width !== null && now.width < can.width);
  const slow = links.filter(
    (link) =>
      // With one end not shown nobody knows what both can.
      link.bothKnown &&
      !narrow.includes(link) &&
      link.can.speed !== null &&
      link.now.speed !== null &&
      link.now.speed < link.can.speed,
  );
  const isGuest = hypervisorOf(context.machine) !== null;
  // A guest's ports are drawn; with one end unknown the slot may be that narrow; a switch on the board may be wired with fewer lanes.
  const faulty = narrow.filter((link) => !isGuest && link.bothKnown && link.lower.portType !== 'upstreamPort');
  const open = narrow.filter((link) => !faulty.includes(link) && (isGuest || holdsBack(context, link)));
  const findings = faulty.map((link) => narrowFinding(context, link));
  if (open.length > 0) findings.push(openFinding(cardsFirst(context, open), isGuest));
  if (slow.length > 0) findings.push(slowFinding(context, slow));
  const roads = isGuest
    ? []
    : narrowRoads(context).filter(({ link }) => !narrow.some(({ lower }) => lower === link.lower));
  if (roads.length > 0) findings.push(roadsFinding(context, roads));
  return findings;
}

/** A road is told of where it has this part, or less, of what both devices have. */
const NARROW_PART = 1 / 4;

/** A device, and the link on its way to its peers that holds both back. */
interface NarrowRoad {
  readonly index: number;
  readonly link: Link;
}

/** For each device that has peers as fast as itself: the narrowest link up to where they meet, where it is far below both. */
function narrowRoads({ machine, cases, functions }: DoctorContext): NarrowRoad[] {
  const { hierarchy } = machine;
  const own = (index: number): number => ownRate(functions[index] as PciFunction) ?? 0;
  const roads = new Map<number, NarrowRoad>();
  for (const item of cases) {
    if (item.type === 'notSupported') continue;
    // The two fastest: each has the other as its peer.
    const [fastest, second] = [...item.functions].map(own).sort((a, b) => b - a);
    for (const index of item.functions) {
      const chain = hierarchy.chainOf(index);
      const meet = item.common < 0 ? -1 : chain.indexOf(item.common);
      const link = narrowestAbove(hierarchy, meet < 0 ? chain : chain.slice(0, meet));
      const rate = link === null ? null : loadRate(link);
      const peer = own(index) === fastest ? second : fastest;
      if (link === null || rate === null || rate > NARROW_PART * Math.min(own(index), peer ?? 0)) continue;
      const known = roads.get(index);
      if (known === undefined || rate < (loadRate(known.link) as number)) roads.set(index, { index, link });
    }
  }
  return [...roads.values()].sort((a, b) => a.index - b.index);
}

function roadsFinding(context: DoctorContext, roads: readonly NarrowRoad[]): Finding {
  const fns = roads.map(({ index }) => context.functions[index] as PciFunction);
  const names = fns.map(({ name }) => name);
  const links = [...new Map(roads.map(({ link }) => [link.lower, link])).values()];
  const worst = links.reduce((least, link) => ((loadRate(link) ?? 0) < (loadRate(least) ?? 0) ? link : least));
  const most = Math.max(...fns.map((fn) => ownRate(fn) ?? 0));
  return {
    ...NOTHING,
    id: 'LINK-DEGRADED',
    severity: severityOf('LINK-DEGRADED', 'narrowPath'),
    sure: 'certain',
    title: `The way from ${listed(names)} to their peers is far narrower than the devices: ${loadWords(worst)}, at the link of ${worst.lower.name}, where the device has ${most.toFixed(1)} GB/s`,
    at: links.map(({ lower }) => lower.name).sort(),
    functions: names,
    evidence: evidenceOf(links),
    why: 'No copy between two devices is faster than the narrowest link between them. The port has no more lanes, or no higher speed: no setting changes that.',
    fixes: [
      {
        ...BY_HAND,
        kind: 'move',
        what: 'Move the card to a slot with more lanes, or replace the riser; or copy through system memory where that way is wider',
        cost: 'Power off and re-slot; bus numbers change.',
        takeBack: 'put the card back',
      },
    ],
  };
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
      const link = linkAbove(hierarchy, at);
      if (link !== null) links.push(link);
    }
  }
  return links.sort((a, b) => a.lower.key - b.lower.key);
}

function narrowFinding(context: DoctorContext, link: Link): Finding {
  const { lower, upper, now, can } = link;
  const role = context.roles[context.machine.hierarchy.indexOf(lower.bdf)];
  const who = role ? `the ${ROLE_WORDS[role]} at ${lower.name}` : lower.name;
  return {
    ...NOTHING,
    id: 'LINK-DEGRADED',
    severity: severityOf('LINK-DEGRADED', 'fewLanes'),
    sure: 'certain',
    title: `The link to ${who} runs with ${now.width} of ${can.width} lanes${upper === null ? '' : ` below ${upper.name}`}`,
    at: [lower.name],
    functions: [...(upper === null ? [] : [upper.name]), lower.name],
    evidence: evidenceOf([link]),
    why: `Both ends can use x${can.width}. All traffic of the device, with peers or with memory, has ${Math.round((100 * now.width) / (can.width as number))} % of the bandwidth. A slot that the board wires with fewer lanes than its port has looks the same.`,
    fixes: [RESEAT, SHARED_LANES],
  };
}

const RESEAT: Fix = {
  ...BY_HAND,
  kind: 'move',
  what: 'Re-seat the card or its cable, and clean the contacts; try it in another slot',
  cost: 'Power off.',
};

const SHARED_LANES: Fix = {
  ...BY_HAND,
  kind: 'firmware',
  what: 'Look into the firmware setup: slots that share lanes (x8/x8, M.2 beside a slot), bifurcation',
  cost: 'A reboot; the other slot gets fewer lanes.',
  takeBack: 'the old setting',
  reboot: true,
};

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
    severity: severityOf('LINK-DEGRADED', 'open'),
    sure: 'open',
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

/** Whether somebody below could use more than the link carries: the uplink of a chipset mostly suits what stands below it. */
function holdsBack({ machine, roles, functions }: DoctorContext, link: Link): boolean {
  const at = machine.hierarchy.indexOf(link.lower.bdf);
  const rate = loadRate(link);
  return roles.some((role, index) => {
    if (role === null || !machine.hierarchy.chainOf(index).includes(at)) return false;
    const own = ownRate(functions[index] as PciFunction);
    return rate === null || own === null || own > rate;
  });
}

/** Cards of somebody before ports of the board: a chipset's uplink has the lanes that it has. */
function cardsFirst({ machine, roles }: DoctorContext, links: readonly Link[]): Link[] {
  const isCard = ({ lower }: Link): boolean => roles[machine.hierarchy.indexOf(lower.bdf)] !== null;
  return [...links.filter(isCard), ...links.filter((link) => !isCard(link))];
}

function slowFinding(context: DoctorContext, found: readonly Link[]): Finding {
  const slow = cardsFirst(context, found);
  const names = slow.map(({ lower }) => lower.name);
  const first = slow[0] as Link;
  return {
    ...NOTHING,
    id: 'LINK-DEGRADED',
    severity: severityOf('LINK-DEGRADED', 'open'),
    sure: 'open',
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
