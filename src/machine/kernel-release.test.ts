import { expect, test } from 'vitest';
import {
  type Distribution,
  isAtLeast,
  type KernelFeature,
  kernelHasFault,
  kernelKnows,
  parseRelease,
  repairedIn,
  sinceRelease,
} from './kernel-release.ts';

/** `text` -> distribution, X.Y and Z, what is carried back. */
test.each<[text: string, distribution: Distribution | null, series: string, patch: number | null, backports: string]>([
  ['6.12', null, '6.12', null, 'none'],
  ['6.12.0', null, '6.12', 0, 'none'],
  ['6.12.117', null, '6.12', 117, 'none'],
  ['7.1.5+', null, '7.1', 5, 'none'],
  ['6.12.22-cloud', null, '6.12', 22, 'none'],
  ['6.14.0-rc3', null, '6.14', 0, 'none'],
  ['5.15.153.1-microsoft-standard-WSL2', null, '5.15', 153, 'none'],
  ['6.1.0-18-amd64', 'debian', '6.1', null, 'fixes'],
  ['6.1.0-0.deb11.5-cloud-amd64', 'debian', '6.1', null, 'fixes'],
  ['6.12.57+deb13-amd64', 'debian', '6.12', 57, 'fixes'],
  ['6.12.9+bpo-amd64', 'debian', '6.12', 9, 'fixes'],
  ['6.16.8-arm64', 'debian', '6.16', 8, 'fixes'],
  ['5.15.0-91-generic', 'ubuntu', '5.15', null, 'fixes'],
  ['6.8.0-1015-aws', 'ubuntu', '6.8', null, 'fixes'],
  ['6.8.0-1012-nvidia-64k', 'ubuntu', '6.8', null, 'fixes'],
  ['6.8.9-060809-generic', 'ubuntu', '6.8', 9, 'none'],
  ['3.10.0-1160.el7.x86_64', 'redHat', '3.10', null, 'features'],
  ['4.18.0-553.el8_10.x86_64', 'redHat', '4.18', null, 'features'],
  ['5.14.0-427.13.1.el9_4.aarch64', 'redHat', '5.14', null, 'features'],
  ['5.15.0-200.131.27.el8uek.x86_64', 'oracle', '5.15', null, 'features'],
  ['6.11.4-301.fc41.x86_64', 'fedora', '6.11', 4, 'none'],
  ['6.12.0-0.rc3.20241018git.fc42.x86_64', 'fedora', '6.12', 0, 'none'],
  ['6.1.79-99.164.amzn2023.x86_64', 'amazon', '6.1', 79, 'fixes'],
  ['6.6.57.1-7.azl3', 'azureLinux', '6.6', 57, 'fixes'],
  ['5.10.0-136.12.0.86.oe2203sp1.x86_64', 'openEuler', '5.10', null, 'features'],
  ['6.4.0-150600.23.25-default', 'suse', '6.4', null, 'features'],
  ['6.9.7-1-default', 'suse', '6.9', 7, 'none'],
  ['6.9.7-arch1-1', 'arch', '6.9', 7, 'none'],
  ['6.8.12-4-pve', 'proxmox', '6.8', 12, 'fixes'],
])('a release says whose build it is and which: %s', (text, distribution, series, patch, backports) => {
  const release = parseRelease(text);
  expect(release).toMatchObject({ text, distribution, patch, backports });
  expect(`${release?.major}.${release?.minor}`).toBe(series);
});

test('a candidate is one, by its number', () => {
  expect(parseRelease('6.14.0-rc3')?.candidate).toBe(3);
  expect(parseRelease('6.12.0-0.rc12.20241018git.fc42.x86_64')?.candidate).toBe(12);
  expect(parseRelease('6.14.0-archrc')?.candidate).toBeNull();
});

test('what does not begin with two numbers, or is longer than a release, is none', () => {
  for (const text of [null, '', 'next', '6', '6.', 'v6.12', '6.12345', `6.12${'-x'.repeat(80)}`]) {
    expect(parseRelease(text), String(text)).toBeNull();
  }
});

test('releases are compared as numbers, not as text', () => {
  const at = (text: string): NonNullable<ReturnType<typeof parseRelease>> =>
    parseRelease(text) as NonNullable<ReturnType<typeof parseRelease>>;
  expect(isAtLeast(at('6.9.1'), [6, 12])).toBe(false);
  expect(isAtLeast(at('6.12'), [6, 12])).toBe(true);
  expect(isAtLeast(at('7.0.1'), [6, 12])).toBe(true);
  expect(isAtLeast(at('5.99'), [6, 0])).toBe(false);
});

test('each feature: known from its first release on, candidates of it included, and not the release before', () => {
  const features: KernelFeature[] = [
    'peerToPeer',
    'hostBridgeList',
    'userMapping',
    'disableAcsRedir',
    'configAcs',
    'resizeFile',
    'shortRedirectList',
    'amdPeersAlways',
    'rdmaDmaBuf',
  ];
  for (const feature of features) {
    const [major, minor] = sinceRelease(feature).split('.').map(Number) as [number, number];
    const before = minor > 0 ? `${major}.${minor - 1}.99` : `${major - 1}.99.1`;
    expect(kernelKnows(`${major}.${minor}.0-rc1`, feature), feature).toBe(true);
    expect(kernelKnows(`${major + 1}.0.0`, feature), feature).toBe(true);
    expect(kernelKnows(before, feature), feature).toBe(false);
    expect(kernelKnows(`${before}-1.el9.x86_64`, feature), feature).toBeNull();
    expect(kernelKnows(null, feature), feature).toBeNull();
  }
});

test('a fault lasts from its first release until each series is repaired', () => {
  const has = (kernel: string | null): boolean | null => kernelHasFault(kernel, 'acsOptionsMisread');
  for (const kernel of ['6.11', '6.11.9', '6.12', '6.12.22', '6.13.10', '6.14.0-rc3', '6.14.1']) {
    expect(has(kernel), kernel).toBe(true);
  }
  for (const kernel of [
    '6.10.14',
    '6.12.23',
    '6.13.11',
    '6.14.2',
    '6.15.0',
    '6.15.0-rc1',
    '7.0.1',
    '5.15.0-91-generic',
  ]) {
    expect(has(kernel), kernel).toBe(false);
  }
  // Whether a distribution has repaired it, its number does not say.
  for (const kernel of [null, '6.11.0-19-generic', '6.12.0-55.el10.x86_64', '6.12.10+deb13-amd64', '6.14.0-2-pve']) {
    expect(has(kernel), String(kernel)).toBeNull();
  }
  expect(has('6.12.48+deb13-amd64')).toBe(false);
  expect(repairedIn('acsOptionsMisread')).toEqual(['6.12.23', '6.13.11', '6.14.2']);
});
