import { describe, expect, test } from 'vitest';
import { CleanLine, LINE_MAX, plainText } from './clean-line.ts';
import { utf8Bytes } from './line-ends.ts';

function clean(text: string): CleanLine {
  const bytes = utf8Bytes(text);
  return new CleanLine(bytes, 0, bytes.length, 1);
}

const MESSAGE = 'nvme 0000:03:00.0: added peer-to-peer DMA memory 0x1000-0x1fff';

test.each<[prefix: string, stamp: string | null, program: string | null]>([
  ['', null, null],
  ['[   12.345678] ', '12.345678', 'kernel'],
  ['[  100.0] ', '100.0', 'kernel'],
  ['[  +0.000844] ', '+0.000844', 'kernel'],
  ['[   12.345678 <    0.000012>] ', '12.345678', 'kernel'],
  ['[Sun Nov 22 18:40:38 2026] ', 'Sun Nov 22 18:40:38 2026', 'kernel'],
  ['<6>[   12.345678] ', '12.345678', 'kernel'],
  ['kern  :warn  : [   12.345678] ', '12.345678', 'kernel'],
  ['[   12.345678][    T1] ', '12.345678', 'kernel'],
  ['[    2.078028] kernel: ', '2.078028', 'kernel'],
  ['kernel: ', null, 'kernel'],
  ['Sep 21 09:59:59 host kernel: ', 'Sep 21 09:59:59', 'kernel'],
  ['Sep  1 09:59:59 host-1.lan kernel: [   12.345678] ', '12.345678', 'kernel'],
  ['Sep 21 09:59:59 host systemd[1]: ', 'Sep 21 09:59:59', 'systemd'],
  ['2026-11-22T18:00:00.123456+00:00 host kernel: ', '2026-11-22T18:00:00.123456+00:00', 'kernel'],
  ['2026-11-22T18:00:00,123456+00:00 ', '2026-11-22T18:00:00,123456+00:00', null],
  ['2026-11-22T18:00:00.1234567Z ', '2026-11-22T18:00:00.1234567Z', null],
  ['[2026-11-22 18:00:00] ', '2026-11-22 18:00:00', null],
  ['2025-02-24 02:57:24 [4,832ms] [Warning] [gpu.foundation.plugin] ', '2025-02-24 02:57:24', null],
  ['[1,0]<stdout>:', null, null],
  ['[1,12]<stderr>: ', null, null],
  ['(RayWorkerWrapper pid=3124) ', null, null],
  ['(EngineCore_0 pid=305, ip=10.0.0.2) ', null, null],
  ['INFO 07-20 12:00:00 [parallel_state.py:1004] ', null, null],
  ['trainer-1  | ', null, null],
])('the prefix %j is taken off, and its time and program are kept', (prefix, stamp, program) => {
  const line = clean(prefix + MESSAGE);
  expect(line.text).toBe(MESSAGE);
  expect([line.stamp, line.program]).toEqual([stamp, program]);
});

test('the head of NCCL is taken off and read', () => {
  const line = clean('[1,0]<stdout>:node-7:402:411 [3] NCCL INFO Channel 00/0 : 0[0] -> 1[1] via SHM');
  expect(line.text).toBe('Channel 00/0 : 0[0] -> 1[1] via SHM');
  expect(line.nccl).toEqual({ host: 'node-7', pid: 402, device: 3, level: 'INFO', place: null });
  expect(clean('h:1:2 [0] /src/init.cc:179 NCCL WARN x').nccl).toMatchObject({
    level: 'WARN',
    place: '/src/init.cc:179',
  });
});

test.each([
  ['03:00.0 VGA compatible controller: x'],
  ['0000:03:00.0 x'],
  ['[0000:00]-+-00.0'],
  ['nvidia 0000:02:00.0: AMD-Vi: Event logged'],
  ['GPU0\t X \tPIX'],
  ['[    26.123] (II) NVIDIA(0): Initialized GPU GLX'],
  ['Device: 0, NVIDIA A100, pciBusID: 4f'],
  ['  Region 0: Memory at cc000000 (32-bit, non-prefetchable)'],
])('%j has no prefix', (text) => {
  expect(clean(text).text).toBe(text);
});

describe('what pasting leaves', () => {
  test.each<[why: string, pasted: string, text: string]>([
    ['return of CRLF', 'GPU0\tPIX\r', 'GPU0\tPIX'],
    ['colours', '\u001b[4mGPU0\u001b[0m\tPIX', 'GPU0\tPIX'],
    ['colours without their escape character', '^[[33mDMAR: x^[[0m', 'DMAR: x'],
    ['title of a terminal', '\u001b]0;root@host: ~\u0007DMAR', 'DMAR'],
    ['a line drawn over', '10%\r20%\rdone', 'done'],
    ['marks of a quote', '> > \tControl: I/O+', '\tControl: I/O+'],
    ['marks of a quote side by side', '>> DMAR', 'DMAR'],
    ['a mark before a tab', '>\tControl: I/O+', '\tControl: I/O+'],
    ['a sign of the text itself', '\t>TAbort- <TAbort-', '\t>TAbort- <TAbort-'],
    ['hard blanks', 'ACSCtl:\u00a0SrcValid+', 'ACSCtl: SrcValid+'],
    ['entities', 'a -&gt; b &amp;&amp; c', 'a -> b && c'],
    ['blanks without width', 'GPU0\u200b PIX', 'GPU0 PIX'],
    ['letters of other scripts stay', 'Gerät ├─ 7', 'Gerät ├─ 7'],
  ])('%s', (_why, pasted, text) => {
    expect(plainText(pasted)).toBe(text);
  });

  test('bytes that are no UTF-8 are taken as latin-1', () => {
    const bytes = Uint8Array.from([0x44, 0xff, 0xc3, 0xa4, 0xe2, 0xe9]);
    expect(new CleanLine(bytes, 0, bytes.length, 1).text).toBe('D\u00ffä\u00e2\u00e9');
  });
});

test('indentation counts in columns, a tab to the next multiple of eight', () => {
  expect(['x', '  x', '\tx', '  \tx', '\t  x'].map((text) => clean(text).indent)).toEqual([0, 2, 8, 8, 10]);
});

test.each<[text: string, mark: string | null]>([
  ['```', 'fence'],
  ['```console', 'fence'],
  ['~~~', 'fence'],
  ['> ```', 'fence'],
  ['<details>', 'fence'],
  ['<details><summary>dmesg</summary>', 'fence'],
  ['</pre>', 'fence'],
  ['...', 'cut'],
  ['[...]', 'cut'],
  ['\u2026', 'cut'],
  ['<SNIP>', 'cut'],
  ['--- snip ---', 'cut'],
  ['(output truncated)', 'cut'],
  ['<TAbort- <MAbort-', null],
  ['GPU0', null],
  ['....- x', null],
])('%j is a %s', (text, mark) => {
  expect(clean(text).mark).toBe(mark);
});

test('a line longer than the bound is cut, says so, and is whole where it is asked for', () => {
  const text = `{"a": "${'x'.repeat(LINE_MAX)}"}`;
  const line = clean(text);
  expect(line.cut).toBe(true);
  expect(line.text.length).toBe(LINE_MAX);
  expect(line.whole()).toBe(text);
});

test('lines made to be slow are cleaned as soon as others', () => {
  const start = performance.now();
  for (const part of [
    '\r',
    ' ',
    '> ',
    '[',
    '[1,0]<stdout>:',
    'a.b-',
    '\u001b[',
    '&lt',
    '<br>',
    'x: ',
    '(a pid=',
    '\u00a0',
  ]) {
    for (let round = 0; round < 20; round++) void clean(part.repeat(LINE_MAX)).mark;
  }
  expect(performance.now() - start).toBeLessThan(2000);
});
