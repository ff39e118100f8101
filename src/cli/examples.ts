/** `p2pdma examples`: the machines and scenarios that ship with the package. */

import { wrap } from '../report/words/style.ts';
import type { Invocation } from './context.ts';
import { type Example, examples, scenarioNames, scenarioPath } from './examples-folder.ts';
import { EXIT_DONE, type ExitCode } from './exit-codes.ts';
import { readText } from './read-text.ts';

/** Runs the command. */
export async function run({ context }: Invocation): Promise<ExitCode> {
  const machines = examples();
  const scenarios = await scenarioExamples();
  if (context.json) {
    await context.out.json({ schemaVersion: 1, command: 'examples', examples: machines, scenarios });
    return EXIT_DONE;
  }
  const lines = [
    'Machines that ship with p2pdma:',
    ...listed(machines, context.columns),
    '',
    `Use one as MACHINE: p2pdma matrix example:${machines[0]?.name ?? ''}`,
    '',
    'Scenarios:',
    ...listed(scenarios, context.columns),
    '',
    'Run one: p2pdma run example:the-mail',
  ];
  await context.out.write(lines.map((line) => `${line}\n`).join(''));
  return EXIT_DONE;
}

/** The scenarios with what each says of itself. */
async function scenarioExamples(): Promise<Example[]> {
  const { readScenario } = await import('../scenario/run-scenario.ts');
  return scenarioNames().map((name) => {
    const path = scenarioPath(name);
    return { name, about: readScenario(readText(path), path).scenario.about ?? '' };
  });
}

function listed(all: readonly Example[], columns: number): string[] {
  const width = Math.max(...all.map(({ name }) => name.length));
  return all.flatMap(({ name, about }) => wrap(`  ${name.padEnd(width)}  ${about}`, columns, ' '.repeat(width + 4)));
}
