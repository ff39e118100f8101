/**
 * QEMU's own view of its machine, beside qtest: the QEMU Machine Protocol, JSON lines. Used for the version, for cross-checks
 * (`query-pci` is a second enumeration, by somebody else) and for unplugging. docs/interop/qmp-spec.
 */

import type { Duplex } from 'node:stream';
import type { QemuVersion } from './binary.ts';
import { QemuError } from './errors.ts';
import type { QemuProcess } from './process.ts';

/** A region of `query-pci`. */
export interface QmpRegion {
  readonly bar: number;
  readonly type: 'io' | 'memory';
  readonly address: number;
  readonly size: number;
  readonly prefetch?: boolean;
  readonly mem_type_64?: boolean;
}

/** A function of `query-pci`, with the bus below it. */
export interface QmpPciDevice {
  readonly bus: number;
  readonly slot: number;
  readonly function: number;
  readonly id: { readonly vendor: number; readonly device: number };
  readonly class_info: { readonly class: number };
  readonly qdev_id: string;
  readonly regions: readonly QmpRegion[];
  readonly pci_bridge?: { readonly bus: object; readonly devices?: readonly QmpPciDevice[] };
}

interface Message {
  readonly QMP?: { readonly version: { readonly qemu: QemuVersion } };
  readonly id?: number;
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
  readonly event?: string;
  readonly data?: { readonly device?: string };
}

interface Waiting {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: QemuError) => void;
}

export class QmpLink {
  readonly #process: QemuProcess;
  readonly #socket: Duplex;
  readonly #waiting = new Map<number, Waiting>();
  readonly #events: { readonly name: string; readonly device: string | undefined }[] = [];
  readonly #greeting: Promise<QemuVersion>;
  #greeted: (version: QemuVersion) => void = () => undefined;
  #isReady: Promise<unknown> | null = null;
  #incoming = '';
  #serial = 0;
  #gone: QemuError | null = null;

  constructor(process: QemuProcess) {
    this.#process = process;
    this.#socket = process.qmp;
    this.#greeting = new Promise((resolve, reject) => {
      this.#greeted = resolve;
      process.onGone((error) => {
        this.#gone = error;
        for (const { reject: refuse } of this.#waiting.values()) refuse(error);
        this.#waiting.clear();
        reject(error);
      });
    });
    // Whoever asks for the version is told; a machine that nobody asks may end in silence.
    this.#greeting.catch(() => undefined);
    (this.#socket as Duplex & { setEncoding(encoding: 'utf8'): void }).setEncoding('utf8');
    this.#socket.on('data', (text: string) => this.#receive(text));
  }

  /** The version that QEMU greets with. */
  version(): Promise<QemuVersion> {
    return this.#greeting;
  }

  /** Executes a command; resolves with what it returns. Rejects with `QEMU_QMP` where QEMU refuses it. */
  async execute(command: string, parameters: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    this.#isReady ??= this.#greeting.then(() => this.#send('qmp_capabilities', {}));
    await this.#isReady;
    return this.#send(command, parameters);
  }

  /** Every function as QEMU knows it, root bus by root bus, those below bridges inside them. */
  async queryPci(): Promise<{ readonly bus: number; readonly devices: readonly QmpPciDevice[] }[]> {
    return (await this.execute('query-pci')) as { bus: number; devices: QmpPciDevice[] }[];
  }

  /** Whether QEMU has told that a device is gone. */
  hasDeleted(id: string): boolean {
    return this.#events.some((event) => event.name === 'DEVICE_DELETED' && event.device === id);
  }

  #send(command: string, parameters: object): Promise<unknown> {
    if (this.#gone !== null) return Promise.reject(this.#gone);
    const id = this.#serial++;
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: parameters, id })}\n`);
    return new Promise((resolve, reject) => this.#waiting.set(id, { command, resolve, reject }));
  }

  #receive(text: string): void {
    const lines = (this.#incoming + text).split('\n');
    this.#incoming = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() !== '') this.#line(line);
    }
  }

  #line(line: string): void {
    let message: Message;
    try {
      message = JSON.parse(line) as Message;
    } catch {
      this.#process.discard(this.#error('QEMU_PROTOCOL', `'${line.slice(0, 80)}' is no JSON`));
      return;
    }
    this.#message(message);
  }

  #error(code: 'QEMU_PROTOCOL' | 'QEMU_QMP', message: string): QemuError {
    return new QemuError({
      code,
      path: `qemu (process ${this.#process.pid})/qmp`,
      message,
      hint: 'check the command against this QEMU’s documentation of QMP',
    });
  }

  #message(message: Message): void {
    if (message.QMP !== undefined) this.#greeted(message.QMP.version.qemu);
    else if (message.event !== undefined) this.#events.push({ name: message.event, device: message.data?.device });
    else if (message.id !== undefined) {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.error === undefined) waiting?.resolve(message.return);
      else waiting?.reject(this.#error('QEMU_QMP', `${waiting.command}: ${message.error.desc}`));
    }
  }
}
