import { expect, test } from 'vitest';
import type { BackingFile } from './backing-file.ts';
import type { FoundFunction } from './enumerate.ts';
import { observeEnvelope } from './envelope-check.ts';
import { CAP_HIGH_CMBS, CSTS_READY, NVME } from './nvme-registers.ts';
import type { QtestLink } from './qtest.ts';
import type { Placement } from './resources.ts';

const REGISTERS = 0xc000_0000;
const PLACEMENT = {
  bars: [
    { fn: 0, index: 0, address: REGISTERS },
    { fn: 0, index: 2, address: 0x10_0000_0000 },
  ],
} as unknown as Placement;
const CONTROLLER = { classCode: 0x010802, vendorId: 0x1b36 } as FoundFunction;
const RAM = { write: () => undefined } as unknown as BackingFile;

/** A link to a controller whose CSTS reads `csts`, and that completes nothing. */
function linkTo(csts: number): QtestLink {
  const answers = new Map([
    [REGISTERS + NVME.CAP_HIGH, CAP_HIGH_CMBS],
    [REGISTERS + NVME.CSTS, csts],
  ]);
  return {
    read: async (address: number) => answers.get(address) ?? 0,
    write: async () => undefined,
    writeBlock: async () => undefined,
  } as unknown as QtestLink;
}

test.each([
  ['does not become ready', 0, 'a controller did not become ready in two seconds'],
  ['completes nothing', CSTS_READY, 'an Identify was not completed in two seconds'],
])(
  'a controller that %s in time breaks no rule of the envelope: the computer may be busy',
  async (_what, csts, words) => {
    await expect(observeEnvelope(linkTo(csts), RAM, [CONTROLLER], PLACEMENT)).rejects.toMatchObject({
      code: 'QEMU_TIMEOUT',
      message: expect.stringContaining(words),
      hint: expect.stringContaining('try again'),
    });
  },
);
