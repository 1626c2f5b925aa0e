#!/usr/bin/env node
import { fromEvent, take } from 'rxjs';
import { run } from './run.js';

const { stdin, stdout, stderr, env } = process;
// Once: whoever presses Ctrl-C again means it.
const interrupted$ = fromEvent(process, 'SIGINT').pipe(take(1));

process.exitCode = await run(process.argv.slice(2), { stdin, stdout, stderr, env, interrupted$ });
