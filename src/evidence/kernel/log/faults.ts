/** Faults of IOMMUs, from the reader of their lines. */

import { FaultReader } from './fault-line.ts';
import type { LogMessage, LogSubject } from './log-reader.ts';

export const faultSubject: LogSubject = {
  words: [
    'DMAR:[',
    'DMAR: [',
    'fault addr',
    'INTR-REMAP',
    'Event logged [',
    'IO_PAGE_FAULT',
    'INVALID_DEVICE_REQUEST',
    'ILLEGAL_DEV_TABLE_ENTRY',
    'TAB_HARDWARE_ERROR',
    'INVALID_PPR_REQUEST',
    'arm-smmu',
    'Request device [',
  ],
  start() {
    const reader = new FaultReader();
    const messages = new Map<number, LogMessage>();
    return {
      take(message) {
        const before = reader.faults.length;
        const taken = reader.take(message.text, message.line);
        // A raw event is known as a fault some lines below the one that it is named by.
        if (taken && (reader.faults.length > before || message.text.includes('received'))) {
          messages.set(message.line, message);
        }
        return taken;
      },
      finish: () =>
        reader.faults.flatMap(({ fault, line }) => {
          const message = messages.get(line);
          return message === undefined ? [] : [{ says: { what: 'fault', fault }, message }];
        }),
    };
  },
};
