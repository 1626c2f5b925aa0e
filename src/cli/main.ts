#!/usr/bin/env node
import { inspect } from 'node:util';
import { fromEvent, merge, take } from 'rxjs';
import { EXIT_CODES } from './exit-codes.js';
import { run } from './run.js';

const { stdin, stdout, stderr, env } = process;
// Once: whoever presses Ctrl-C again means it. SIGTERM is what asks in the name of a supervisor.
const interrupted$ = merge(fromEvent(process, 'SIGINT'), fromEvent(process, 'SIGTERM')).pipe(take(1));

// A fault of this program says nothing about the mail.
process.on('uncaughtException', (error) => {
  stderr.write(`${inspect(error)}\n`);
  process.exit(EXIT_CODES.fault);
});

process.exitCode = await run(process.argv.slice(2), { stdin, stdout, stderr, env, interrupted$ });
