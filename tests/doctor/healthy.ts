/**
 * Every dump of the corpus, judged by hand, as an operator would who reads the tree and the registers: is something wrong with its
 * peer-to-peer traffic, and why, or why not. Names of files and our own words only; nothing of a dump stands here.
 *
 * `healthy`: nothing that anybody asked for, or that the machine is plainly built for, is broken. A machine may be healthy and without any road
 * for peers. `sick`: something is wrong that an operator would want to be told; the findings that say it, by id and severity.
 * `fragment`: one function, or a list without registers: no machine to be judged. What is `sick` in no corpus file is an error:
 * no line of it asks for P2P.
 */

export interface Judged {
  readonly file: string;
  readonly verdict: 'healthy' | 'sick' | 'fragment';
  /** In our words. */
  readonly why: string;
  /** Findings above a note that were judged right: `WARNING ID function`. Every other one is a fault of ours. */
  readonly right?: readonly string[];
}

export const JUDGED: readonly Judged[] = [
  {
    file: 'am4-b550-navi23.lspci-vvv.txt',
    verdict: 'healthy',
    why: 'desktop: one graphics card with its whole memory in the BAR, one drive, both links at full speed and width; nothing asks for P2P',
  },
  {
    file: 'arrowlake-rtx50.lspci-nnDvvvxxxx.txt',
    verdict: 'healthy',
    why: 'desktop: one graphics card and one drive below root ports of a client processor, which no list has; the BAR could be larger, and nobody needs it',
  },
  {
    file: 'asus-pn51-amd.lspci-vvv.txt',
    verdict: 'healthy',
    why: 'small desktop: the graphics unit is part of the processor and has no memory to give; one drive',
  },
  {
    file: 'asus-z390a.lspci-nnDvvvxxxx.txt',
    verdict: 'healthy',
    why: 'desktop: the graphics card idles at 2.5 GT/s with all its lanes, the drive runs as it can',
  },
  {
    file: 'aws-g2-xen.lspci-vvv.txt',
    verdict: 'healthy',
    why: 'guest with one card passed through on a flat bus: nobody to pair it with, and its link is the host’s matter',
  },
  {
    file: 'ayaneo-kun-phoenix.lspci-v.txt',
    verdict: 'healthy',
    why: 'handheld: graphics inside the processor, one drive; a listing without the bits of ACS',
  },
  {
    file: 'broadwell-ep-2s-gpu.lspci-vvv.txt',
    verdict: 'sick',
    why: 'server with two sockets and an accelerator at each, BARs of 16 GiB, all links full; two that compute, and the host bridges between them are on no list: their owner would want to be told',
    right: ['warning HB-NOT-LISTED 0000:00:00.0 0000:80:01.0', 'warning GDS-COMPAT 0000:04:00.0 0000:82:00.0'],
  },
  {
    file: 'broadwell-nuc.lspci-vvvxxx.txt',
    verdict: 'healthy',
    why: 'small desktop without a drive or card that could be a peer',
  },
  {
    file: 'dell-xps13-9360-tb.lspci-nnvv.txt',
    verdict: 'healthy',
    why: 'laptop: one drive; Thunderbolt bridges with nothing behind them',
  },
  {
    file: 'ecs-h310.lspci-nnvvvxxxx.txt',
    verdict: 'healthy',
    why: 'desktop: one old graphics card below the processor, at the speed that the port has',
  },
  {
    file: 'epyc-genoa-11nvme.lspci-vvv.txt',
    verdict: 'healthy',
    why: 'storage server: drives and a network card at full links, none of which publishes memory',
  },
  {
    file: 'haswell-e-lspci-x64.txt',
    verdict: 'healthy',
    why: 'workstation by 64 bytes a function: card and drive at root ports of a listed host bridge; ACS does not matter between root ports',
  },
  {
    file: 'hp-coffeelake-h-windows.lspci-vvv.txt',
    verdict: 'sick',
    why: 'laptop, listed by another system: one half of a double drive has trained with one of two lanes, at both ends; the same machine’s other dump has both lanes',
    right: ['warning LINK-DEGRADED 0000:6e:00.0'],
  },
  {
    file: 'hp-coffeelake-h.lspci-vvv.txt',
    verdict: 'healthy',
    why: 'the same laptop: both halves of the drive with all lanes, the graphics chip idles',
  },
  {
    file: 'hpe-skylake-mlx-vf.lspci-vvv.txt',
    verdict: 'healthy',
    why: 'server with fast network cards and their Virtual Functions: clients enough, and nothing with memory; the board’s management controller is none',
  },
  {
    file: 'hwloc-32em64t-2n8c+dax+nvme+mic+dimms.tar.bz2',
    verdict: 'healthy',
    why: 'server with a coprocessor at one socket and a drive at the other: the two cannot, and nothing asks them to',
  },
  {
    file: 'hwloc-40intel64-4n10c+pci-conflicts.tar.bz2',
    verdict: 'fragment',
    why: 'three functions of a larger machine',
  },
  {
    file: 'hwloc-nvidiagpunumanodes.tar.bz2',
    verdict: 'fragment',
    why: 'six functions by class alone: no registers, no BARs, no tree',
  },
  {
    file: 'imac2020-nonroot.lspci-vvv.txt',
    verdict: 'healthy',
    why: 'one graphics card behind its own switch, no second device to pair; taken without privileges',
  },
  {
    file: 'imac2020-path-headers.lspci-PPvvv.txt',
    verdict: 'healthy',
    why: 'the same machine with privileges: links full, one card',
  },
  {
    file: 'kabylake-y-wifi-missing.lspci-vvv.txt',
    verdict: 'healthy',
    why: 'tablet without any peer; the radio is not for P2P',
  },
  { file: 'kabylake-y-wifi-present.lspci-vvv.txt', verdict: 'healthy', why: 'the same tablet with its radio' },
  {
    file: 'ls1028a-rciep-acs.lspci-vvv.txt',
    verdict: 'healthy',
    why: 'network processor: all functions are integrated into the root complex, none is a peer',
  },
  {
    file: 'msi-b550-riser.lspci-nnDvvvxxxx.txt',
    verdict: 'sick',
    why: 'three graphics cards with risers of one lane: one has lost its Command register and its BARs since boot, though the windows above it have its place, so its memory cannot be reached; the others idle on the lane that their slots have',
    right: ['warning DEVICE-LOST 0000:0f:00.0'],
  },
  {
    file: 'p5q-deluxe-flit.lspci-vvv.txt',
    verdict: 'healthy',
    why: 'old desktop: one graphics card, idle, with all lanes',
  },
  {
    file: 'pciutils-PCI-X-bridges-and-domains.txt',
    verdict: 'healthy',
    why: 'old server of conventional buses over five domains: no device of today’s peers',
  },
  ...fragments('one function, kept for one capability of it', [
    'pciutils-broken-ecaps.txt',
    'pciutils-cap-MSI-mapping.txt',
    'pciutils-cap-aer-hdr.txt',
    'pciutils-cap-dpc.txt',
    'pciutils-cap-exp-rev-slot.txt',
    'pciutils-cap-ide.txt',
    'pciutils-cap-multicast.txt',
    'pciutils-cap-pci-af.txt',
    'pciutils-cap-ptm-1.txt',
    'pciutils-cap-rebar.txt',
  ]),
  ...fragments('a port and what stands below it, or two functions, kept for one capability', [
    'pciutils-cap-aer-root.txt',
    'pciutils-cap-dvsec-cxl.txt',
    'pciutils-cap-exp-lnkcap2.txt',
    'pciutils-cap-ht.txt',
  ]),
  {
    file: 'pciutils-tree-fsl-p2020.txt',
    verdict: 'healthy',
    why: 'embedded board: three root ports with a radio behind each of two',
  },
  {
    file: 'plx8619-12port.lspci-vvv.txt',
    verdict: 'healthy',
    why: 'twelve radios below one switch: nobody pairs them, and the network card has no peer with memory',
  },
  {
    file: 'plx8748-hotplug-report.txt',
    verdict: 'healthy',
    why: 'a switch for hot-plug with nothing in its slots: whatever ACS says there, there is no pair',
  },
  {
    file: 'power9-talos2.lspci-vvxxx.txt',
    verdict: 'healthy',
    why: 'workstation of another architecture: one drive at a full link; the slow port belongs to a gigabit network chip',
  },
  {
    file: 'qemu-q35-gpu-vm.lspci-nnDvvvxxxx.txt',
    verdict: 'healthy',
    why: 'guest with one card passed through: nobody to pair it with; that its tree is drawn is worth a note',
  },
  {
    file: 'quad-monitor-p2x.lspci-vvv.txt',
    verdict: 'healthy',
    why: 'desktop: one graphics card, idle, with all lanes',
  },
  {
    file: 'rk3399-rockpro64-switch.lspci-vvvxxx.txt',
    verdict: 'healthy',
    why: 'single-board computer with an old graphics card below a switch of one lane: it has no peer. That its BARs found no place is the text’s word against a size that nobody tells',
  },
  {
    file: 'sandybridge-ep-renesas-switch-nonroot.lspci-vv.txt',
    verdict: 'healthy',
    why: 'server without drive or card that could be a peer, taken without privileges',
  },
  { file: 'small-intel-2rp.lspci-vvv.txt', verdict: 'healthy', why: 'small board with two root ports and a radio' },
  {
    file: 'supermicro-4028gr-tr.lspci-d10b5-vxxx.txt',
    verdict: 'fragment',
    why: 'the ports of two switches of a GPU server, without what is above and below them',
  },
  {
    file: 'supermicro-4028gr-tr.lspci-d10de-vxxx.txt',
    verdict: 'fragment',
    why: 'the GPUs of the same server, without the tree above them: whether they can is not to be told',
  },
  {
    file: 'supermicro-4028gr-tr.lspci-nn.txt',
    verdict: 'fragment',
    why: 'the same server as a list of one line a function',
  },
  {
    file: 'ws-x299-sage-plx.lspci-nnDvvvxxxx.txt',
    verdict: 'healthy',
    why: 'workstation with switches that are parts of one chip: the two cards of one switch reach each other, the third goes through a listed host bridge; cards idle, BARs of 256 MiB as they come',
  },
  {
    file: 'x570-aorus-master.lspci-nnDvvvxxxx.txt',
    verdict: 'healthy',
    why: 'desktop: the chipset is wired with four of its eight lanes, as on every such board; the graphics card idles',
  },
];

function fragments(why: string, files: readonly string[]): Judged[] {
  return files.map((file) => ({ file, verdict: 'fragment', why }));
}

/**
 * The machines of real kernels (tests/truth), all of which publish memory, so that a refusal matters: the errors on them, and why each was
 * judged right. On all others no error is right: some road leads from each published memory to somebody.
 */
export const JUDGED_TRUTH: Readonly<Record<string, { readonly errors: readonly string[]; readonly why: string }>> = {
  'acs-cfg-rrcr-mf-intel': {
    errors: ['HB-NOT-LISTED'],
    why: 'the kernel answered "not supported" for every pair: the command line sends all of it to a host bridge that it does not trust',
  },
  'acs-sw4-one': {
    errors: ['ACS-REDIR-SWITCH', 'HB-NOT-LISTED'],
    why: 'one port of a switch redirects, and the published memory behind it reaches nobody below the same switch, nor above; the card outside the switch has no peer either',
  },
  'plain-conv': {
    errors: ['HB-NOT-LISTED'],
    why: 'the memory outside of the conventional bridge is published and has no peer: the host bridge is not trusted',
  },
  'plain-two-level': {
    errors: ['HB-NOT-LISTED'],
    why: 'the memory below a root port of its own is published and has no peer; all below the switches have',
  },
  'syn-four-off-pos': {
    errors: ['HB-NOT-LISTED'],
    why: 'the memory on the first root bus is published and has no peer; the second root bus is of a trusted kind, the first is not',
  },
  'wl-pxb-mixed': {
    errors: ['HB-SPLIT'],
    why: 'one card stands alone below the first host bridge, and the second allows pairs below itself only',
  },
};
