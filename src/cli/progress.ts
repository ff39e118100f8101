/** How far a long run is: one line on a terminal, written over and gone at the end; nothing where stderr is a file or a pipe. */

/** A stream that may be a terminal. */
export interface ProgressStream {
  readonly isTTY?: boolean | undefined;
  write(text: string): unknown;
}

/** Tells that `done` of `all` are done: `12 of 72 transfers`. */
export type Progress = (done: number, all: number, what: string) => void;

/** Fewer are over before anybody could read the line. */
const WORTH_TELLING = 20;
const TO_LINE_START_AND_CLEAR = '\r\x1b[K';

/** Progress that is drawn on `stream`. */
export function progressOn(stream: ProgressStream): Progress {
  if (stream.isTTY !== true) return () => {};
  return (done, all, what) => {
    if (all <= WORTH_TELLING) return;
    stream.write(TO_LINE_START_AND_CLEAR + (done === all ? '' : `${done} of ${all} ${what}`));
  };
}
