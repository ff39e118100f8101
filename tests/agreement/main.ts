/** `npm run agree`: see command.ts. */

import { agree } from './command.ts';

process.exitCode = agree(process.argv.slice(2), (line) => console.log(line));
