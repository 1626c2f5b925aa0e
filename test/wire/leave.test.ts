import { map } from 'rxjs';
import { TestScheduler, type RunHelpers } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { rcptTo } from '../../src/protocol/command.js';
import { deadline } from '../../src/transport/clock.js';
import { exchange } from '../../src/wire/exchange.js';
import { leave } from '../../src/wire/leave.js';
import type { Wire } from '../../src/wire/wire.js';
import { FakeStream } from '../support/fake-stream.js';
import { wireOn } from '../support/fake-wire.js';

const SERVER: Readonly<Record<string, string>> = { a: '250 a\r\n', x: '250 a\r\n250 a\r\n250 a\r\n', g: '250 a\r\n250 a\r\n421 bye\r\n', q: '221 bye\r\n' };
const GROUP = [rcptTo('ann@example.com'), rcptTo('bob@example.com'), rcptTo('cid@example.com')];

const run = (server: string, picture: (wire: Wire, helpers: RunHelpers) => void): FakeStream => {
  const scheduler = new TestScheduler((actual, expected) => { expect(actual).toEqual(expected); });
  return scheduler.run((helpers) => {
    const stream = new FakeStream(helpers.hot(server, SERVER).pipe(map((text) => Buffer.from(text))));
    const wire = wireOn(stream, { scheduler, timeouts: { quit: 5 } });
    exchange(wire, GROUP, deadline(scheduler, 'operation', Infinity)).subscribe().unsubscribe();
    picture(wire, helpers);
    helpers.flush();
    return stream;
  });
};

describe('a wire that is left while three replies are due', () => {
  it.each([
    ['gives each reply no time of its own', '---a---a---a', '-----|', false],
    ['gives QUIT its own time', '----x', '---------|', true],
    ['is closed when QUIT was answered', '----x--q', '-------|', true],
    ['is dropped when the server says goodbye', '----g', '----|', false],
    ['is closed when the server hangs up', '--a-|', '----|', false],
  ])('%s', (_, server, expected, saysQuit) => {
    const { written, destroyed } = run(server, (wire, { expectObservable }) => { expectObservable(leave(wire)).toBe(expected); });
    expect(written.includes('QUIT\r\n')).toBe(saysQuit);
    expect(destroyed).toBe(true);
  });

  it.each([['its replies', '-a'], ['the reply to QUIT', '-x']])('can be dropped at once while it waits for %s', (_, server) => {
    const { destroyed } = run(server, (wire, { cold, expectObservable }) => {
      expectObservable(leave(wire)).toBe('---|');
      cold('---x').subscribe(() => { wire.drop(); });
    });
    expect(destroyed).toBe(true);
  });
});
