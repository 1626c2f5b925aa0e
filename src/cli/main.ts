#!/usr/bin/env node
import { inspect } from 'node:util';
import { fromEvent, take } from 'rxjs';
import { EXIT_CODES } from './exit-codes.js';
import { run } from './run.js';

const { stdin, stdout, stderr, env } = process;
// Once: whoever presses Ctrl-C again means it.
const interrupted$ = fromEvent(process, 'SIGINT').pipe(take(1));

// A fault of this program says nothing about the mail.
process.on('uncaughtException', (error) => {
  stderr.write(`${inspect(error)}\n`);
  process.exit(EXIT_CODES.fault);
});

process.exitCode = await run(process.argv.slice(2), { stdin, stdout, stderr, env, interrupted$ });
