import { expect, test } from 'vitest';
import { openCase } from '../../src/case/open-case.ts';
import { checkCase } from '../../src/doctor/check-case.ts';
import { policyForKernel } from '../../src/p2p/policy.ts';

async function check(content: string) {
  return checkCase(await openCase([{ name: 'paste.txt', content }]), policyForKernel(null));
}
type Result = Awaited<ReturnType<typeof check>>;
const said = (result: Result) => result.statements.map(({ text }) => text).join('\n');
const ids = (result: Result) => result.findings.map(({ id, severity, sure }) => `${id} ${severity} ${sure}`);

const amd = (address: string, driver = 'nvidia 0000:07:00.0: ') =>
  `[  100.0] ${driver}AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0003 address=${address} flags=0x0020]\n`;
const dmar = (address: string, code: string, reason: string) =>
  `DMAR: [DMA Write] Request device [99:00.0] fault addr ${address} [fault reason ${code}] ${reason}\n`;

test.each([
  ['of a GPU at a raw address', amd('0x2bee0314000'), ['IOMMU-TRANSLATED warning likely']],
  ['above 4 GiB of another device', amd('0x1838c00000', ''), ['IOMMU-TRANSLATED warning likely']],
  ['where IOVAs are handed out', amd('0xfffc8000', ''), []],
  ['at address 0', dmar('0', '05', 'PTE Write access is not set'), ['WRONG-MEMORY warning likely']],
  ['of the tables themselves', dmar('1a45aa9000', '12', 'non-zero reserved fields in PTE'), []],
])('an IOMMU fault %s', async (_what, text, wanted) => {
  const result = await check(text);
  expect(ids(result)).toEqual(wanted);
  expect(said(result)).toMatch(/^The IOMMU \((AMD-Vi|DMAR)\) is on and translates/);
});

test('the kernel’s words on a redirect give the pair, the ports and the option', async () => {
  const result = await check(
    'amdgpu 0000:34:00.0: ACS redirect is set between the client and provider (0000:31:00.0)\n' +
      'amdgpu 0000:34:00.0: to disable ACS redirect for this path, add the kernel parameter: pci=disable_acs_redir=0000:30:00.0;0000:33:00.0\n',
  );
  expect(ids(result)).toEqual(['ACS-REDIR-SWITCH warning certain']);
  const [finding] = result.findings;
  expect(finding?.functions).toEqual(['0000:31:00.0', '0000:34:00.0']);
  expect(finding?.fixes[0]?.settings?.[0]?.line).toContain('pci=disable_acs_redir=0000:30:00.0;0000:33:00.0');
});

test('the kernel’s refusal names the pair', async () => {
  const result = await check(
    'xe 0000:04:00.0: cannot be used for peer-to-peer DMA as the client and provider (0000:08:00.0) do not share an upstream bridge or whitelisted host bridge\n',
  );
  expect(ids(result)).toEqual(['HB-NOT-LISTED warning certain']);
});

const aer = (severity: string, bit: string, header: string) =>
  `pcieport 0000:00:1c.4: PCIe Bus Error: severity=${severity}, type=Transaction Layer, (Receiver ID)\n` +
  `pcieport 0000:00:1c.4:   device [8086:a114] error status/mask=00040000/00000000\n` +
  `pcieport 0000:00:1c.4:    [18] ${bit}          (First)\n` +
  `pcieport 0000:00:1c.4:   TLP Header: ${header}\n`;

test.each([
  ['Uncorrected (Fatal)', 'error'],
  ['Uncorrected (Non-Fatal)', 'warning'],
])('an error that is %s is an %s, with the packet', async (severity, wanted) => {
  const result = await check(aer(severity, 'MalfTLP', '60000002 06000000 00000001 b76e6008'));
  expect(ids(result)).toEqual([`PCIE-ERRORS ${wanted} certain`]);
  expect(result.findings[0]?.title).toMatch(/a memory write from 06:00\.0 to 0x1b76e6008/);
});

test('a malformed packet that is an AtomicOp names AtomicOps as the cause', async () => {
  const result = await check(aer('Uncorrected (Fatal)', 'Malformed TLP', '6c000002 06000000 00000001 b76e6008'));
  expect(ids(result)).toEqual(['PCIE-ERRORS error certain', 'ATOMICS warning certain']);
});

test('"PCI rejects atomics" is certain', async () => {
  expect(ids(await check('kfd kfd: skipped device 1002:67ef, PCI rejects atomics\n'))).toEqual([
    'ATOMICS warning certain',
  ]);
});

test.each([
  [
    'a large BAR',
    "nvidia 0000:84:00.0: BAR 1 [mem size 0x800000000 64bit pref]: can't assign; no space",
    ['BAR-SMALL warning certain'],
  ],
  [
    'a window',
    'pcieport 0000:00:1d.4: BAR 15: no space for [mem size 0xc00000000 64bit pref]',
    ['BAR-SMALL warning certain'],
  ],
  ['I/O ports', 'pci 0000:84:00.0: BAR 5: no space for [io  size 0x1000]', []],
  ['a register BAR', 'pci 0000:84:00.0: BAR 0: no space for [mem size 0x4000]', []],
  [
    'a BAR that was placed later',
    'pci 0000:84:00.0: BAR 1: no space for [mem size 0x800000000 64bit pref]\npci 0000:84:00.0: BAR 1: assigned [mem 0x1000000000-0x17ffffffff 64bit pref]',
    [],
  ],
])('no room for %s', async (_what, text, wanted) => {
  expect(ids(await check(`${text.replaceAll('\n', '\n[    1.0] ')}\n`))).toEqual(wanted);
});

test('NVIDIA’s words on a peer mapping are a refusal of the driver', async () => {
  const text =
    'NVRM: _kbusCreateStaticBar1IOMMUMapping: The peer DMA address 0x1800400000 is not aligned at 0x20000000\n' +
    'NVRM: _kbusCreateStaticBar1IOMMUMappingForGpuPair: IOMMU mapping failed from GPU1 to GPU0\n';
  expect(ids(await check(text))).toEqual(['DRIVER-REFUSES warning certain']);
});

test('a fault of a GPU’s own tables is not laid to the IOMMU', async () => {
  const result = await check(
    'amdgpu 0000:03:00.0: amdgpu: [gfxhub] page fault (src_id:0 ring:40 vmid:9 pasid:32775)\n' +
      'amdgpu 0000:03:00.0: amdgpu:   in page starting at address 0x0000000000000000 from client 10\n',
  );
  expect(result.findings).toEqual([]);
  expect(said(result)).toMatch(/page tables of the GPU 0000:03:00.0 itself .*\n.*address 0/);
});

test('a conflict of memory types is in the way of GPUDirect Storage', async () => {
  const text =
    'x86/PAT: gdsio:3544 conflicting memory types 387fe0000000-387ff0000000 write-combining<->uncached-minus\n';
  expect(ids(await check(text))).toEqual(['GDS-COMPAT warning likely']);
});

test.each([
  [
    'qemu-system-x86_64: vfio_container_dma_map(0x55d0, 0x380022000000, 0x108000, 0x7d91) = -22 (Invalid argument)',
    'likely',
  ],
  ['qemu-system-x86_64: -device vfio-pci: aw-bits 48 > host aw-bits 39', 'certain'],
])('%s', async (line, sure) => {
  expect(ids(await check(`${line}\n`))).toEqual([`MAPPING-REFUSED error ${sure}`]);
});

test('gdscheck without a way to NVMe is GDS-COMPAT; with one it is not', async () => {
  const report = (nvme: string) =>
    ` GDS release version: 1.15.1.6\n =====================\n DRIVER CONFIGURATION:\n =====================\n NVMe P2PDMA        : ${nvme}\n NVMe               : Unsupported\n`;
  expect(ids(await check(report('Unsupported')))).toEqual(['GDS-COMPAT warning certain']);
  expect(ids(await check(report('Supported')))).toEqual([]);
});

test('groups of which all are translated are said to be so, and passthrough is not', async () => {
  const types = (type: string) => [1, 2].map((group) => `/sys/kernel/iommu_groups/${group}/type:${type}\n`).join('');
  expect(ids(await check(types('DMA-FQ')))).toEqual(['IOMMU-TRANSLATED warning likely']);
  expect(ids(await check(types('identity')))).toEqual([]);
});

test('a log of a guest says that it is one', async () => {
  expect(ids(await check('[    0.000000] Hypervisor detected: KVM\n'))).toEqual(['VM-TOPOLOGY note certain']);
});
