/** What the results of a test run come to: how many passed and failed, and which tests were skipped without leave. */

export interface TestResult {
  readonly title: string;
  /** With the titles of the groups around it. */
  readonly fullName: string;
  readonly status: string;
}

/** A file of tests; without results it could not be loaded. */
export interface FileResult {
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly TestResult[];
}

export interface Summary {
  readonly passed: number;
  readonly failed: number;
  /** Lines to print. */
  readonly lines: readonly string[];
}

/**
 * Sums up. `tolerated`: first words of titles whose tests may be skipped, since they need files that are not in the repository; any
 * other skip is a failure. Null where every skip may be.
 */
export function summarise(files: readonly FileResult[], tolerated: readonly string[] | null): Summary {
  const tests = files.flatMap((file) => file.assertionResults);
  // A file that could not be loaded has no tests, and is a failure all the same.
  const broken = files.filter((file) => file.status === 'failed' && file.assertionResults.length === 0);
  const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed');
  const forbidden = tolerated === null ? [] : skipped.filter((test) => !isTolerated(test, tolerated));
  return {
    passed: tests.filter(({ status }) => status === 'passed').length,
    failed: tests.filter(({ status }) => status === 'failed').length + broken.length + forbidden.length,
    lines: [
      ...broken.map(({ name, message }) => `could not be run: ${name}: ${message}`),
      ...skipped.map(({ fullName }) => `skipped: ${fullName}`),
      ...forbidden.map(({ fullName }) => `must not be skipped here: ${fullName}`),
    ],
  };
}

function isTolerated({ title, fullName }: TestResult, tolerated: readonly string[]): boolean {
  return [title, fullName].some((name) => tolerated.includes(/^\w+/.exec(name)?.[0]?.toLowerCase() ?? ''));
}
