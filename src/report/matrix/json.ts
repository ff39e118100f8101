/** The matrix as JSON, written pair by pair: ten thousand clients by a hundred providers are never held in memory. */

import { judgePair } from '../../p2p/distance.ts';
import type { PolicyName } from '../../p2p/policy.ts';
import { type MailCase, type MapType, mailCase, type Reason } from '../../p2p/verdict.ts';
import { type MachineDocument, machineDocument } from '../words/machine-document.ts';
import { type ReasonDocument, reasonDocument } from '../words/reason-document.ts';
import type { Sink } from '../words/sink.ts';
import type { MatrixQuestion } from './cells.ts';

export interface MatrixPair {
  readonly provider: string;
  readonly client: string;
  readonly type: MapType;
  readonly case: MailCase;
  /** Hops as the kernel counts them; null where not known. */
  readonly distance: number | null;
  readonly reasons: readonly ReasonDocument[];
}

/** The document of the contract: every ordered pair once, provider by provider. */
export interface MatrixDocument {
  readonly schemaVersion: 1;
  readonly command: 'matrix';
  readonly policy: PolicyName;
  readonly machine: MachineDocument;
  readonly pairs: readonly MatrixPair[];
}

/** Writes a `MatrixDocument`, a pair a line. */
export async function writeMatrixJson(out: Sink, { judge, providers, clients }: MatrixQuestion): Promise<void> {
  const { machine, policy } = judge;
  const head = machineDocument(machine);
  out.append(
    `{"schemaVersion":1,"command":"matrix","policy":${JSON.stringify(policy.name)},"machine":${JSON.stringify(head)},"pairs":[`,
  );
  const names = judge.functions.map((fn) => JSON.stringify(fn.name));
  const reasonText = reasonWriter();
  let separator = '\n';
  for (const provider of providers) {
    for (const client of clients) {
      const { type, distance, reasons, likely } = judgePair(judge, provider, client);
      let text = '';
      for (const reason of reasons) text += text === '' ? reasonText(reason) : `,${reasonText(reason)}`;
      const due = out.append(
        `${separator}{"provider":${names[provider]},"client":${names[client]},"type":"${type}","case":"${mailCase(type, provider === client)}","distance":${distance},"reasons":[${text}],"likely":${JSON.stringify(likely)}}`,
      );
      separator = ',\n';
      if (due) await out.flush();
    }
  }
  out.append('\n]}\n');
  await out.flush();
}

/** Writes reasons; one that many pairs share (what a host bridge allows) is turned into text once. */
function reasonWriter(): (reason: Reason) => string {
  const known = new WeakMap<Reason, string>();
  return (reason) => {
    let text = known.get(reason);
    if (text === undefined) {
      text = JSON.stringify(reasonDocument(reason));
      known.set(reason, text);
    }
    return text;
  };
}
