/**
 * The release of a Linux kernel: one reading of the string that `uname -r` prints, and one table of what came with which release.
 *
 *   6.12.57            kernel.org: the third number counts stable updates
 *   6.14.0-rc3         a candidate: what 6.14 brings is in it
 *   6.8.0-52-generic   Ubuntu: the third number is always 0, the next one counts Ubuntu's own updates
 *   4.18.0-553.el8_10  Red Hat: as Ubuntu, and whole features of newer releases are carried back
 *   6.8.12-4-pve       Proxmox: Ubuntu's kernel with stable updates
 */

/** Whose build a kernel is, where its release says so. */
export type Distribution =
  | 'debian'
  | 'ubuntu'
  | 'redHat'
  | 'oracle'
  | 'fedora'
  | 'suse'
  | 'proxmox'
  | 'amazon'
  | 'azureLinux'
  | 'openEuler'
  | 'arch';

/** What a distribution carries back from newer releases: nothing that its number does not say, single repairs, or whole features. */
export type Backports = 'none' | 'fixes' | 'features';

export interface KernelRelease {
  /** As it was given, `6.8.12-4-pve`. */
  readonly text: string;
  readonly major: number;
  readonly minor: number;
  /** Third number, the stable update; null where the release does not say it (no third number, or one that is always 0). */
  readonly patch: number | null;
  /** N of `-rcN`; null for a release. */
  readonly candidate: number | null;
  readonly distribution: Distribution | null;
  readonly backports: Backports;
}

interface Build {
  readonly distribution: Distribution;
  /** Tried on the whole string. */
  readonly mark: RegExp;
  /** Whether the third number counts stable updates of kernel.org. */
  readonly countsStable: boolean;
  readonly backports: Backports;
}

const DEBIAN_FLAVOURS = '(?:cloud-|rt-)?(?:amd64|arm64|armmp|686|686-pae|i386|ppc64el|powerpc64le|riscv64|s390x)';
const UBUNTU_FLAVOURS =
  'generic|lowlatency|realtime|aws|azure|gcp|gke|gkeop|ibm|oracle|kvm|oem|raspi|nvidia|intel|bluefield|fips|virtual';

/** The first that matches decides. */
const BUILDS: readonly Build[] = [
  build('proxmox', /-pve\b/, true, 'fixes'),
  build('oracle', /\.el\d+uek\b/, false, 'features'),
  build('redHat', /\.el\d/, false, 'features'),
  build('fedora', /\.fc\d/, true, 'none'),
  build('amazon', /\.amzn\d/, true, 'fixes'),
  build('azureLinux', /\.(?:azl|cm)\d/, true, 'fixes'),
  build('openEuler', /\.oe\d/, false, 'features'),
  build('arch', /-arch\d/, true, 'none'),
  // SUSE Linux Enterprise keeps a release for years and numbers its own builds 150600.23.25; Tumbleweed follows kernel.org.
  build('suse', /-\d{6}(?:\.\d+)+-[a-z]/, false, 'features'),
  build('suse', /^\d+\.\d+\.\d+-\d+-default\b/, true, 'none'),
  // Ubuntu's builds of kernel.org's own releases have six digits: 6.8.9-060809-generic.
  build('ubuntu', new RegExp(`-0\\d{5}-(?:${UBUNTU_FLAVOURS})\\b`), true, 'none'),
  build('ubuntu', new RegExp(`^\\d+\\.\\d+\\.0-\\d+(?:\\.\\d+)?-(?:${UBUNTU_FLAVOURS})\\b`), false, 'fixes'),
  build('debian', new RegExp(`^\\d+\\.\\d+\\.0-\\d[\\w.~]*-${DEBIAN_FLAVOURS}$`), false, 'fixes'),
  build('debian', new RegExp(`^\\d+\\.\\d+\\.\\d+(?:\\+(?:deb|bpo)\\d*\\S*)?-${DEBIAN_FLAVOURS}$`), true, 'fixes'),
];

function build(distribution: Distribution, mark: RegExp, countsStable: boolean, backports: Backports): Build {
  return { distribution, mark, countsStable, backports };
}

/** A release is short: what is longer is something else. */
const LENGTH_MAX = 128;

/** Reads a release; null where `text` is none, or is not known. */
export function parseRelease(text: string | null): KernelRelease | null {
  if (text === null || text.length > LENGTH_MAX) return null;
  const match = /^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,4}))?(?!\d)/.exec(text);
  if (match === null) return null;
  const own = BUILDS.find(({ mark }) => mark.test(text));
  const candidate = /-(?:0\.)?rc(\d{1,3})/.exec(text)?.[1];
  return {
    text,
    major: Number(match[1]),
    minor: Number(match[2]),
    patch: match[3] === undefined || own?.countsStable === false ? null : Number(match[3]),
    candidate: candidate === undefined ? null : Number(candidate),
    distribution: own?.distribution ?? null,
    backports: own?.backports ?? 'none',
  };
}

/** `[6, 12]` or `[6, 12, 23]`. */
export type Numbers = readonly [major: number, minor: number, patch?: number];

/** Whether a release is `wanted` or newer, by its first two numbers. */
export function isAtLeast({ major, minor }: Pick<KernelRelease, 'major' | 'minor'>, wanted: Numbers): boolean {
  return major > wanted[0] || (major === wanted[0] && minor >= wanted[1]);
}

export type KernelFeature =
  | 'peerToPeer'
  | 'hostBridgeList'
  | 'userMapping'
  | 'disableAcsRedir'
  | 'configAcs'
  | 'resizeFile'
  | 'shortRedirectList'
  | 'amdPeersAlways'
  | 'rdmaDmaBuf';

/** What came with which release. A decision that depends on the kernel asks here. */
const SINCE: Readonly<Record<KernelFeature, Numbers>> = {
  /** Peer-to-peer DMA at all: drivers/pci/p2pdma.c. */
  peerToPeer: [4, 20],
  /** A way through the host bridge, for those of a list; about this release. */
  hostBridgeList: [5, 4],
  /** User space may map published memory: p2pmem/allocate. */
  userMapping: [6, 2],
  /** pci=disable_acs_redir=. */
  disableAcsRedir: [4, 19],
  /** pci=config_acs=; from here on a function that an ACS option names starts from the firmware's word. Seen on 6.12, not on 6.1. */
  configAcs: [6, 11],
  /** resourceN_resize of sysfs. Documentation/ABI/testing/sysfs-bus-pci. */
  resizeFile: [6, 1],
  /** The names of a pair's redirecting functions go into 128 bytes: 6.12 was seen to overrun them, 6.1 not. */
  shortRedirectList: [6, 12],
  /** Code that no longer asks for DMABUF_MOVE_NOTIFY and HSA_AMD_P2P: they may be missing from its configuration. */
  amdPeersAlways: [7, 0],
  /** RDMA registers a dma-buf: ibv_reg_dmabuf_mr(). */
  rdmaDmaBuf: [5, 12],
};

/** The first release that has it, `6.12`. */
export function sinceRelease(feature: KernelFeature): string {
  return SINCE[feature].join('.');
}

/**
 * Whether a kernel has what came with a release. null where that is not known: no release, or an older one of a distribution that
 * carries features back.
 */
export function kernelKnows(kernel: string | null, feature: KernelFeature): boolean | null {
  const release = parseRelease(kernel);
  if (release === null) return null;
  if (isAtLeast(release, SINCE[feature])) return true;
  return release.backports === 'features' ? null : false;
}

interface KernelFaultSpan {
  readonly since: Numbers;
  /** The first good release of each stable series, and the first of all later ones, ascending. */
  readonly fixed: readonly (readonly [major: number, minor: number, patch: number])[];
}

export type KernelFault = 'acsOptionsMisread';

/** What was wrong in which releases. */
const FAULTS: Readonly<Record<KernelFault, KernelFaultSpan>> = {
  /** Both ACS options are misread, as reported: "PCI/ACS: Fix 'pci=config_acs=' parameter", 2025. */
  acsOptionsMisread: {
    since: [6, 11],
    fixed: [
      [6, 12, 23],
      [6, 13, 11],
      [6, 14, 2],
      [6, 15, 0],
    ],
  },
};

/** The first good releases, `6.12.23`, without the one that begins a new series. */
export function repairedIn(fault: KernelFault): string[] {
  return FAULTS[fault].fixed.filter(([, , patch]) => patch > 0).map((numbers) => numbers.join('.'));
}

/**
 * Whether a kernel has a fault. null where its release does not decide it: not known, or a distribution's, which may have repaired
 * it without a number that says so.
 */
export function kernelHasFault(kernel: string | null, fault: KernelFault): boolean | null {
  const release = parseRelease(kernel);
  if (release === null) return null;
  const { since, fixed } = FAULTS[fault];
  const later = fixed.at(-1) as Numbers;
  if (!isAtLeast(release, since) || isAtLeast(release, later)) return false;
  const series = fixed.find(([major, minor]) => major === release.major && minor === release.minor);
  const patch = release.patch ?? (release.distribution === null ? 0 : null);
  if (series !== undefined && patch !== null && patch >= series[2]) return false;
  return release.backports === 'none' ? true : null;
}
