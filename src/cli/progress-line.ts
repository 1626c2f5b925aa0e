import type { Output } from './io.js';
import { style } from './style.js';

const MEGABYTE = 1_000_000;
const WIDTH = 30;

export const size = (bytes: number): string => (bytes < MEGABYTE ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / MEGABYTE).toFixed(1)} MB`);

/** Progress that a person can watch: a bar that is drawn over itself, or, where there is no terminal, a line now and then. */
export class ProgressLine {
  readonly #out: Output;
  readonly #now: () => number;
  #startedAt: number | undefined;
  #step = 0;
  #isDrawn = false;

  constructor(out: Output, now: () => number = () => performance.now()) {
    this.#out = out;
    this.#now = now;
  }

  /** @param total an estimate may be too low: then the bar waits just before its end. */
  update(bytes: number, total: number | undefined): void {
    this.#startedAt ??= this.#now();
    const share = total === undefined || total === 0 ? undefined : Math.min(1, bytes / total);
    const text = [share === undefined ? '' : `${String(Math.floor(share * 100)).padStart(3)} %`, size(bytes), this.#rate(bytes)].filter((part) => part !== '').join('  ');
    if (this.#out.isTTY === true) {
      this.#out.write(`\r\u001b[2K  ${share === undefined ? '' : `${this.#bar(share)} `}${text}`);
      this.#isDrawn = true;
    } else if (this.#isDue(bytes, share)) this.#out.write(`  ${text}\n`);
  }

  /** Leaves the line to somebody else. */
  clear(): void {
    if (this.#isDrawn) this.#out.write('\r\u001b[2K');
    this.#isDrawn = false;
  }

  #bar(share: number): string {
    const done = Math.floor(share * WIDTH);
    return style(this.#out, 'green', '█'.repeat(done)) + style(this.#out, 'gray', '░'.repeat(WIDTH - done));
  }

  #rate(bytes: number): string {
    const seconds = (this.#now() - (this.#startedAt ?? 0)) / 1_000;
    return seconds < 0.2 ? '' : `${size(bytes / seconds)}/s`;
  }

  // A line per 10 %, or per 10 MB where nobody knows the whole.
  #isDue(bytes: number, share: number | undefined): boolean {
    const step = share === undefined ? Math.floor(bytes / (10 * MEGABYTE)) : Math.floor(share * 10);
    if (step <= this.#step) return false;
    this.#step = step;
    return true;
  }
}
