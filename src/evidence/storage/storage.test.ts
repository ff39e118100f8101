import { describe, expect, test } from 'vitest';
import { recognise } from '../recognise.ts';

const blocks = (text: string) => recognise(text, 'f').blocks;
const items = (text: string) => blocks(text).flatMap(({ items }) => items);

describe('gdsio', () => {
  const run = (type: string, way: string): string =>
    `IoType: ${type} XferType: ${way} Threads: 8 DataSetSize: 14325760/10485760(KiB) IOSize: 1024(KiB) Throughput: 2.000000 GiB/sec, Avg_Latency: 170.5 usecs ops: 55960 total_time 9.562250 secs`;
  const COMMAND = '$ sudo gdsio -f /mnt/raid/file -d 3 -x 0 -I 1\n';

  test.each([
    ['READ', 'GPUD', 'write', 'drive', 'gpu', null],
    ['WRITE', 'GPUD', 'read', 'gpu', 'drive', null],
    ['RANDREAD', 'GPU_BATCH', 'write', 'drive', 'gpu', null],
    ['READ', 'CPUONLY', 'write', 'drive', 'cpu', null],
    ['WRITE', 'CPU_GPU', 'copy', 'gpu', 'drive', false],
    ['READ', 'CPU_ASYNC_GPU', 'copy', 'drive', 'gpu', false],
  ])('%s by %s: the drive issues a %s from %s to %s', (type, way, operation, from, to, peerEnabled) => {
    const read = items(COMMAND + run(type, way));
    expect(read).toMatchObject([
      {
        quantity: 'bandwidth',
        operation,
        from: { sort: from },
        to: { sort: to },
        peerEnabled,
        size: 1024 * 1024,
        raw: '2.000000 GiB/sec',
      },
      { quantity: 'latency', value: 170.5, unit: 'us' },
    ]);
    expect('value' in (read[0] ?? {}) && read[0]).toHaveProperty('value', 2.147483648);
  });

  test('the file and the GPU are those of the command', () => {
    const ends = (text: string) => items(text)[0];
    expect(ends(COMMAND + run('READ', 'GPUD'))).toMatchObject({
      from: { label: '/mnt/raid/file' },
      to: { index: 3, numbering: 'cuda' },
    });
    expect(ends(run('READ', 'GPUD'))).toMatchObject({ from: { label: 'storage' }, to: { index: null } });
  });

  test('a run is read however a terminal broke it', () => {
    const text = run('READ', 'GPUD');
    for (let at = 40; at < text.length - 5; at += 7) {
      const cut = text.lastIndexOf(' ', at);
      expect(items(`${text.slice(0, cut)}\n${text.slice(cut + 1)}\n\nThanks`).length, String(at)).toBe(2);
    }
    expect(items(text.replace(/ (?=\w+:|ops|total)/g, '\n')).length).toBe(2);
  });

  test('a range of sizes has none, and both ways at once are a sum', () => {
    expect(items(run('MIXED', 'GPUD').replace('1024(KiB)', '4-1024-4(KiB)'))[0]).toMatchObject({
      size: null,
      direction: 'bi',
      counts: 'both',
      operation: 'copy',
    });
  });

  test('runs one after the other are apart, and what it cannot do is said', () => {
    expect(items(`${run('READ', 'GPUD')}\n${run('WRITE', 'GPUD')}`).length).toBe(4);
    expect(items('file register error: GPUDirect Storage not supported on current file filename:/a')).toMatchObject([
      { what: 'statement', says: 'not-run' },
    ]);
  });
});

describe('p2pmem-test', () => {
  const run = (
    skipRead: string,
    skipWrite: string,
    buffer: string,
  ): string => `Running p2pmem-test: reading /dev/nvme0n1 (1.6TB): writing /dev/nvme1n1 (1.6TB): p2pmem buffer /sys/bus/pci/devices/0000:03:00.0/p2pmem/allocate.
\tchunk size = 4096 : number of chunks =  1: total = 4.096kB : thread(s) = 1 : overlap = OFF.
\tskip-read = ${skipRead} : skip-write =  ${skipWrite} : duration = INF sec.
\tbuffer = 0x7f6a3d6c2000 (${buffer})
\tPAGE_SIZE = 4096B
MATCH on data check, 0x66334873 = 0x66334873.
Transfer:
4.10kB in 2.1 ms   1.96MB/s
`;

  test.each([
    ['OFF', 'OFF', 'copy', '/dev/nvme0n1', '/dev/nvme1n1'],
    ['OFF', 'ON', 'write', '/dev/nvme0n1', '0000:03:00.0'],
    ['ON', 'OFF', 'read', '0000:03:00.0', '/dev/nvme1n1'],
  ])('skip-read %s, skip-write %s: a %s from %s to %s', (skipRead, skipWrite, operation, from, to) => {
    const [buffer, check, rate] = items(run(skipRead, skipWrite, 'p2pmem'));
    expect(buffer).toMatchObject({ what: 'setting', value: 'p2pmem' });
    expect(check).toMatchObject({ says: 'data-right' });
    expect(rate).toMatchObject({ operation, value: 0.00196, size: 4096, peerEnabled: true, raw: '1.96 MB/s' });
    const named = (label: unknown): unknown => JSON.stringify(label);
    if (rate !== undefined && 'from' in rate) {
      expect(named(rate.from)).toContain(from);
      expect(named(rate.to)).toContain(to);
    }
  });

  test('a buffer in memory is no peer, data that differ are said, and a run that was cut too', () => {
    expect(items(run('OFF', 'OFF', 'system memory')).at(-1)).toMatchObject({
      peerEnabled: false,
      test: 'through system memory',
    });
    expect(items(run('OFF', 'OFF', 'p2pmem').replace('MATCH', 'MISMATCH'))[1]).toMatchObject({ says: 'data-wrong' });
    expect(blocks(run('OFF', 'OFF', 'p2pmem').slice(0, 300))[0]).toMatchObject({ isComplete: false });
  });
});

describe('fio', () => {
  const TEXT = `job1: (g=0): rw=read, bs=(R) 1024KiB-1024KiB, (W) 1024KiB-1024KiB, (T) 1024KiB-1024KiB, ioengine=libaio, iodepth=32
fio-3.28
Starting 1 process

job1: (groupid=0, jobs=1): err= 0: pid=1: Mon Jan  1 00:00:00 2025
  read: IOPS=5000, BW=5120MiB/s (5369MB/s)(300GiB/60001msec)
    lat (usec): min=100, max=900, avg=250.00, stdev= 5.00
  cpu          : usr=1.00%, sys=5.00%

Run status group 0 (all jobs):
   READ: bw=5120MiB/s (5369MB/s), 5120MiB/s-5120MiB/s (5369MB/s-5369MB/s), io=300GiB (322GB), run=60001-60001msec

Disk stats (read/write):
  nvme0n1: ios=100/0, merge=0/0, ticks=100/0, in_queue=100, util=99.00%
`;

  test('the sum of a group: a read is the drive writing memory', () => {
    expect(items(TEXT)).toMatchObject([
      { name: 'fio version', value: '3.28' },
      {
        value: 5.36870912,
        raw: '5120MiB/s',
        operation: 'write',
        from: { name: 'nvme0n1' },
        size: 1024 * 1024,
        test: 'job1 read',
      },
    ]);
    expect(items(TEXT.replaceAll('READ:', 'WRITE:')).at(-1)).toMatchObject({
      operation: 'read',
      to: { name: 'nvme0n1' },
    });
  });

  test('which memory stands in the job or its command', () => {
    expect(items(`[global]\niomem=mmap:/sys/bus/pci/devices/0000:03:00.0/p2pmem/allocate\nrw=read\n\n${TEXT}`)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          what: 'setting',
          name: 'iomem',
          value: 'mmap:/sys/bus/pci/devices/0000:03:00.0/p2pmem/allocate',
        }),
      ]),
    );
    expect(items(`$ fio --mem=mmapshared:/dev/p2pmem0 --filename=/dev/nvme0n1\n${TEXT}`)).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'mem', value: 'mmapshared:/dev/p2pmem0' })]),
    );
  });

  test('old releases mean KiB by KB', () => {
    expect(items('  READ: io=100MB, aggrb=1048576KB/s, minb=1KB/s\n')[0]).toMatchObject({ value: 1.073741824 });
  });

  test('JSON', () => {
    const value = {
      'fio version': 'fio-3.28',
      'global options': { bs: '4k', iomem: 'mmap:/x' },
      jobs: [
        {
          jobname: 'j',
          'job options': { filename: '/dev/nvme2n1' },
          read: { bw_bytes: 2_000_000_000 },
          write: { bw_bytes: 0 },
        },
      ],
    };
    expect(items(JSON.stringify(value, null, 2))).toMatchObject([
      { name: 'fio version', value: '3.28' },
      { name: 'iomem' },
      { name: 'filename' },
      { value: 2, from: { name: 'nvme2n1' }, size: 4096, operation: 'write' },
    ]);
  });
});
