/**
 * What the tests need beyond npm, and how to get it. A tool that is missing is installed where that is possible (Debian,
 * root); where it is not, the tests that need it are skipped by name.
 */

import { execFileSync, spawnSync } from 'node:child_process';

/** Tool, the Debian package that has it, and what needs it. */
export const TOOLS = [
  { command: 'lspci', package: 'pciutils', for: 'comparisons with lspci' },
  { command: 'qemu-system-x86_64', package: 'qemu-system-x86', for: 'the QEMU engine' },
  { command: 'zsh', package: 'zsh', for: 'its completion' },
  { command: 'fish', package: 'fish', for: 'its completion' },
  { command: 'mandoc', package: 'mandoc', for: 'the manual page' },
];

/** Whether a command is on the PATH or in the system folders. */
function has(command) {
  const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
  return spawnSync('sh', ['-c', `command -v ${command}`], { env: { ...process.env, PATH: path } }).status === 0;
}

/** Installs what is missing. Returns the tools that are missing still. */
export function installTools() {
  const missing = TOOLS.filter((tool) => !has(tool.command));
  if (missing.length === 0) return [];
  const packages = missing.map((tool) => tool.package);
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (process.getuid?.() !== 0 || !has('apt-get')) {
    console.log(`not installed: ${packages.join(', ')}; install with: sudo ${command}`);
    return missing;
  }
  console.log(`installing ${packages.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = (line) => execFileSync('sh', ['-c', line], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    install(`apt-get update -qq && ${command}`);
  } catch {
    // One that this Debian does not have must not cost the others.
    for (const name of packages) {
      const single = `apt-get install -y --no-install-recommends ${name}`;
      try {
        install(single);
      } catch {
        console.log(`could not install ${name}; try: ${single}`);
      }
    }
  }
  return missing.filter((tool) => !has(tool.command));
}
