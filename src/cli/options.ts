/** The options of every command that takes a machine. */

import { alike } from '../core/text.ts';
import type { Cpu } from '../machine/machine.ts';
import { POLICY_NAMES, POLICY_RELEASES, type Policy, policyForKernel, policyNamed } from '../p2p/policy.ts';
import { didYouMean, UsageError } from './errors.ts';

/** `--policy`: `linux-X.Y[.Z]` or `directional`, else the one for the machine's kernel. Throws `UsageError` for any other name. */
export function policyOption(name: string | undefined, kernel: string | null): Policy {
  if (name === undefined) return policyForKernel(kernel);
  const policy = policyNamed(name);
  if (policy !== null) return policy;
  throw new UsageError({
    code: 'USAGE_OPTION_VALUE',
    path: '--policy',
    message: `there is no policy '${name}'`,
    hint: didYouMean(
      alike(name, POLICY_NAMES, 1),
      `policies: directional, and linux-X.Y from ${POLICY_RELEASES.oldest} to ${POLICY_RELEASES.newest}`,
    ),
  });
}

/** `--cpu VENDOR:FAMILY`, the family decimal or 0x. Throws `UsageError` for anything else. */
export function cpuOption(text: string): Cpu {
  const match = /^([\x21-\x39\x3b-\x7e]+):(0[xX][0-9a-fA-F]{1,4}|\d{1,5})$/.exec(text);
  if (match) return { vendor: match[1] as string, family: Number(match[2]) };
  throw new UsageError({
    code: 'USAGE_OPTION_VALUE',
    path: '--cpu',
    message: `'${text}' is not VENDOR:FAMILY`,
    hint: 'for example --cpu AuthenticAMD:23, --cpu AuthenticAMD:0x17 or --cpu GenuineIntel:6: "vendor_id" and "cpu family" of /proc/cpuinfo',
  });
}
