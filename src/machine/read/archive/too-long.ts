/** A decoder's output grew beyond the limit that its caller set. */
export class TooLongError extends Error {
  override readonly name: string = 'TooLongError';
}
