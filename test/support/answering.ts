import { Subject } from 'rxjs';
import type { TestScheduler } from 'rxjs/testing';
import { FakeStream } from './fake-stream.js';

const REPLIES: Readonly<Record<string, string>> = { DATA: '354 go\r\n', QUIT: '221 bye\r\n' };

/** A server that answers each command, and each content, after a while; or nothing any more. */
export class Answering extends FakeStream {
  isThere = true;
  slowness: number;
  readonly hangUp = (): void => { this.#replies.complete(); };
  readonly #replies: Subject<Buffer>;
  readonly #scheduler: TestScheduler;

  constructor(scheduler: TestScheduler, slowness: number, replies = new Subject<Buffer>()) {
    super(replies);
    this.#replies = replies;
    this.#scheduler = scheduler;
    this.slowness = slowness;
  }

  override write(chunk: string | Uint8Array): void {
    super.write(chunk);
    const text = this.written.at(-1) ?? '';
    const answers = [...text.matchAll(/^(?:RSET|MAIL|RCPT|DATA|BDAT|QUIT|\.\r\n)/gm)].map(([verb]) => REPLIES[verb] ?? '250 Ok\r\n').join('');
    if (answers !== '' && this.isThere) this.#scheduler.schedule(() => { this.#replies.next(Buffer.from(answers)); }, this.slowness);
  }
}
