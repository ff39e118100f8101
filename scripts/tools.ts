/**
 * What the tests need beyond npm, and how to get it. A tool that is missing is installed where that is possible (Debian, root), and
 * said before; where it is not, the tests that need it are skipped by name.
 */

import { execFileSync, spawnSync } from 'node:child_process';

export interface Tool {
  readonly command: string;
  /** The Debian package that has it. */
  readonly package: string;
  readonly for: string;
}

const TOOLS: readonly Tool[] = [
  { command: 'lspci', package: 'pciutils', for: 'comparisons with lspci' },
  { command: 'qemu-system-x86_64', package: 'qemu-system-x86', for: 'the QEMU engine' },
  { command: 'zsh', package: 'zsh', for: 'its completion' },
  { command: 'fish', package: 'fish', for: 'its completion' },
  { command: 'mandoc', package: 'mandoc', for: 'the manual page' },
];

/** Whether a command is on the PATH or in the system folders. */
function has(command: string): boolean {
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
  return spawnSync('sh', ['-c', `command -v ${command}`], { env: { ...process.env, PATH: path } }).status === 0;
}

/** Installs what is missing, unless P2PDMA_INSTALL=no. Returns the tools that are missing still. */
export function installTools(): readonly Tool[] {
  const missing = TOOLS.filter((tool) => !has(tool.command));
  if (missing.length === 0) return [];
  const command = (packages: readonly string[]): string =>
    `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  const packages = missing.map((tool) => tool.package);
  const needs = missing.map((tool) => `${tool.package} (${tool.for})`).join(', ');
  if (process.env['P2PDMA_INSTALL'] === 'no' || process.getuid?.() !== 0 || !has('apt-get')) {
    console.log(
      `not installed: ${needs}; the tests that need them are skipped. Install with: sudo ${command(packages)}`,
    );
    return missing;
  }
  console.log(`The tests need packages that are not installed: ${needs}.`);
  console.log(`Running as root: apt-get update && ${command(packages)}   (P2PDMA_INSTALL=no leaves it)`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = (line: string): void => {
    execFileSync('sh', ['-c', line], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  };
  try {
    install(`apt-get update -qq && ${command(packages)}`);
  } catch {
    // One that this Debian does not have must not cost the others.
    for (const name of packages) {
      try {
        install(command([name]));
      } catch {
        console.log(`could not install ${name}; try: ${command([name])}`);
      }
    }
  }
  return missing.filter((tool) => !has(tool.command));
}
