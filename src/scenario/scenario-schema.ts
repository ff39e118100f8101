/** The schema of scenario files. Every complaint names the field; document.ts adds the line. */

import { z } from 'zod';
import { BVEC_MAP_BUS_ADDR, BVEC_MAP_RESOURCE } from '../block/bio-vec.ts';
import { CLASSIFY_MODES } from '../dma/classifier-for.ts';
import { cpuSchema } from './cpu-schema.ts';
import { MISSING } from './document.ts';
import { MOVER_NAMES } from './movers.ts';
import type { AcsSetting, DeviceNode, PortNode, ScenarioFile } from './scenario-types.ts';
import { signedSizeSchema, sizeSchema } from './size.ts';

const ACS_BITS = ['SV', 'TB', 'RR', 'CR', 'UF', 'EC', 'DT'] as const;
const SPEEDS = [2.5, 5, 8, 16, 32, 64];
const WIDTHS = [1, 2, 4, 8, 12, 16, 32];
const ROOT_COMPLEX = ['forward', 'sameHostBridgeOnly', 'unsupportedRequest', 'drop', 'corrupt', 'writesOnly'] as const;
const SAME_PORT = ['unsupportedRequest', 'drop', 'reflect', 'upstream'] as const;
const POLICIES = ['linux-6.1', 'linux-6.12', 'linux-7.0', 'directional'] as const;
const FLAGS = ['BVEC_MAP_BUS_ADDR', 'MAP_BUS_ADDR', 'BVEC_MAP_RESOURCE', 'MAP_RESOURCE'] as const;

/** One of a few words, with the list in the complaint. */
const oneOf = <const T extends readonly string[]>(words: T): z.ZodType<T[number]> =>
  z.enum(words as unknown as [string, ...string[]], {
    error: ({ input }) => (input === undefined ? MISSING : `is none of ${words.join(', ')}`),
  }) as unknown as z.ZodType<T[number]>;

const acs: z.ZodType<AcsSetting> = z.union([z.literal('absent'), z.literal('clear'), z.array(oneOf(ACS_BITS))], {
  error: `is absent, clear, or a list of ${ACS_BITS.join(', ')}`,
});

const name = z.string().regex(/^[A-Za-z][\w-]*$/, 'is no name: a letter, then letters, digits, - and _');

const link = z.strictObject({
  speedGts: z.number().refine((speed) => SPEEDS.includes(speed), `is no PCIe speed: ${SPEEDS.join(', ')} GT/s`),
  width: z.number().refine((width) => WIDTHS.includes(width), `is no link width: ${WIDTHS.join(', ')} lanes`),
});

const powerOfTwo = sizeSchema.refine(
  (size) => size >= 4096 && Number.isInteger(Math.log2(size)),
  'is no power of two of at least 4KiB',
);

/** CMBMSC.CBA has no bits below 12; above 52 there are no addresses here. */
const cmbBase = sizeSchema.refine(
  (base) => base % 4096 === 0 && base < 2 ** 52,
  'is no CMB base address: a multiple of 4KiB below 2^52',
);

/** The three kinds of device have one name each, and fields of their own. */
const KIND_FIELDS: Readonly<Record<string, readonly string[]>> = {
  nvme: ['nvme', 'cmb', 'cba', 'reserveCba', 'cdpmls', 'relativeSgl', 'acs'],
  device: ['device', 'memory', 'acs'],
  switch: ['switch', 'ports'],
};

const device: z.ZodType<DeviceNode> = z.lazy(() =>
  z
    .strictObject({
      nvme: name.optional(),
      device: name.optional(),
      switch: name.optional(),
      cmb: powerOfTwo.optional(),
      cba: cmbBase.optional(),
      reserveCba: z.boolean().optional(),
      cdpmls: z.boolean().optional(),
      relativeSgl: z.boolean().optional(),
      memory: powerOfTwo.optional(),
      acs: acs.optional(),
      ports: z.array(port).optional(),
    })
    .superRefine((node, context) => {
      const kinds = Object.keys(KIND_FIELDS).filter((kind) => kind in node);
      if (kinds.length !== 1) {
        context.addIssue({ code: 'custom', message: 'is one of nvme: NAME, device: NAME, switch: NAME' });
        return;
      }
      const allowed = KIND_FIELDS[kinds[0] as string] as readonly string[];
      for (const field of Object.keys(node)) {
        if (allowed.includes(field)) continue;
        context.addIssue({
          code: 'custom',
          path: [field],
          message: `is no field of a ${kinds[0]}: ${allowed.join(', ')}`,
        });
      }
      for (const [field, needed] of [
        ['cba', 'cmb'],
        ['reserveCba', 'cba'],
      ] as const) {
        if (node[field] === undefined || node[needed] !== undefined) continue;
        context.addIssue({ code: 'custom', path: [field], message: `says nothing without ${needed}` });
      }
    }),
);

const port: z.ZodType<PortNode> = z.lazy(() =>
  z.strictObject({
    port: name.optional(),
    acs: acs.optional(),
    link: link.optional(),
    below: z.array(device).max(1, 'has more than one device: a link has one').optional(),
  }),
);

const ram = z.array(z.strictObject({ start: sizeSchema, size: sizeSchema }));

const machine = z.strictObject({
  cpu: cpuSchema.optional(),
  kernel: z.string().optional(),
  ram: ram.optional(),
  hostBridges: z
    .array(
      z.strictObject({
        id: z
          .string()
          .regex(/^[0-9a-fA-F]{4}:[0-9a-fA-F]{4}$/, 'is no "VENDOR:DEVICE" of four hex digits each')
          .nullable()
          .optional(),
        busOffset: signedSizeSchema.optional(),
        rootPorts: z.array(port),
      }),
    )
    .min(1, 'has no host bridge'),
});

/** YAML reads a bare `on` and `off` as text, JSON writers may give true and false. */
const iommu = z.preprocess(
  (value) => (value === true ? 'on' : value === false ? 'off' : value),
  oneOf(['on', 'off', 'passthrough'] as const),
);

const flags = z
  .array(oneOf(FLAGS))
  .transform((names) =>
    names.reduce((bits, flag) => bits | (flag.endsWith('BUS_ADDR') ? BVEC_MAP_BUS_ADDR : BVEC_MAP_RESOURCE), 0),
  );

const fault = z.strictObject({
  at: oneOf(['afterSubmit', 'afterMap'] as const),
  unplug: z.string().optional(),
  acs: z.strictObject({ port: z.string(), set: acs }).optional(),
  unmap: z.literal(true).optional(),
  busMasterOff: z.string().optional(),
  memorySpaceOff: z.string().optional(),
});

const vector = z
  .strictObject({
    memory: z.string({ error: 'is ram, self, find, or a device' }),
    length: sizeSchema.refine((length) => length > 0 && length < 2 ** 32, 'is no length from 1 to 4 GiB - 1'),
    offset: sizeSchema.optional(),
    flags: flags.optional(),
  })
  .superRefine((one, context) => {
    if (one.memory !== 'ram' || one.offset === undefined) return;
    // An offset into which of its ranges, and what if the queues lie there? RAM has no pool with a first byte.
    const message = 'is for the memory of a device: where RAM lies, machine.ram (of a captured machine: ram) says';
    context.addIssue({ code: 'custom', path: ['offset'], message });
  });

const transfer = z
  .strictObject({
    name: z.string({ error: 'has no name' }),
    device: z.string({ error: 'names no mapping device' }),
    askedFor: z.string().optional(),
    direction: oneOf(['toDevice', 'fromDevice'] as const),
    engine: oneOf(MOVER_NAMES).optional(),
    classify: oneOf(CLASSIFY_MODES).optional(),
    trust: z.boolean().optional(),
    merge: z.boolean().optional(),
    mayContainP2p: z.boolean().optional(),
    queue: z.strictObject({ p2p: z.boolean().optional() }).optional(),
    relativeSgl: z.boolean().optional(),
    clients: z.array(z.string()).optional(),
    vectors: z.array(vector).min(1, 'has no vector').optional(),
    continues: z.string().optional(),
    faults: z.array(fault).optional(),
    expect: oneOf(['equal', 'damaged', 'refused'] as const).optional(),
    repeatAfterUnmap: oneOf(['stopped', 'moved'] as const).optional(),
  })
  .superRefine((one, context) => {
    const has = [one.vectors !== undefined, one.continues !== undefined];
    if (has.filter(Boolean).length === 1) return;
    context.addIssue({
      code: 'custom',
      message: 'has either vectors, or continues with the name of an earlier transfer',
    });
  })
  .superRefine((one, context) => {
    if (one.repeatAfterUnmap === undefined) return;
    const issue = (message: string): void => context.addIssue({ code: 'custom', path: ['repeatAfterUnmap'], message });
    if (one.direction === 'toDevice')
      issue('needs direction fromDevice: only bytes in memory show whether it was stopped');
    if (one.expect === 'refused') issue('cannot be, where the mapping is expected to be refused');
    if (one.faults?.some((fault) => fault.unmap === true)) issue('cannot be, where a fault unmaps before the transfer');
  });

/** A scenario file. */
export const scenarioSchema: z.ZodType<ScenarioFile> = z
  .strictObject({
    about: z.string().optional(),
    machine: z.union([z.string(), machine], {
      error: 'is the name of a machine (example:NAME or a file), or its description',
    }),
    ram: ram.optional(),
    policy: oneOf(POLICIES).optional(),
    iommu: iommu.optional(),
    lazy: z.boolean().optional(),
    prepare: z.boolean().optional(),
    rootComplex: oneOf(ROOT_COMPLEX).optional(),
    internalPeerRoute: z.boolean().optional(),
    samePort: oneOf(SAME_PORT).optional(),
    reserveWindows: z.boolean().optional(),
    transfers: z.array(transfer).min(1, 'has no transfer'),
  })
  .superRefine((scenario, context) => {
    if (scenario.ram === undefined || typeof scenario.machine === 'string') return;
    context.addIssue({ code: 'custom', path: ['ram'], message: 'is for captured machines: write it as machine.ram' });
  }) as unknown as z.ZodType<ScenarioFile>;
