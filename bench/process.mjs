// Scripts of this folder in processes of their own, which end with the one that asked for them.
import { fork } from 'node:child_process';
import { on } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NODE = { execArgv: ['--expose-gc'] };

/** Keeps to the first core that this process may use. */
const onOneCore = () => {
  const [, core] = /^Cpus_allowed_list:\s*(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'));
  return { execPath: 'taskset', execArgv: ['-c', core, process.execPath, ...NODE.execArgv] };
};

class Process {
  #child;
  #answers;
  #ended;
  #late;

  constructor(name, argument, limit, options) {
    this.#child = fork(fileURLToPath(new URL(name, import.meta.url)), [JSON.stringify(argument)], options);
    this.#answers = on(this.#child, 'message');
    this.#ended = new Promise((_, reject) => {
      this.#child.once('error', reject);
      this.#child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it answered.`)));
      this.#late = setTimeout(() => reject(new Error(`${name} did not answer within ${limit / 1000} s.`)), limit);
    });
    // Whoever waits for an answer gets the error; nobody has to.
    this.#ended.catch(() => undefined);
  }

  /** What it says next. */
  async answer() {
    const { value } = await Promise.race([this.#answers.next(), this.#ended]);
    return value[0];
  }

  ask(question) {
    this.#child.send(question);
    return this.answer();
  }

  end() {
    clearTimeout(this.#late);
    // A server may have something to clear away.
    this.#child.kill('SIGTERM');
  }
}

/** `start(name, argument, limit)` starts a script that must have done everything within `limit` ms; all end after `work`. With `oneCore` they share a core. */
export async function withProcesses(work, oneCore = false) {
  const options = oneCore ? onOneCore() : NODE;
  const started = [];
  const start = (name, argument, limit = 900_000) => {
    started.push(new Process(name, argument, limit, options));
    return started.at(-1);
  };
  try {
    return await work(start);
  } finally {
    for (const each of started) each.end();
  }
}
