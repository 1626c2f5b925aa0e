import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { bdat, DATA, mailFrom, rcptTo, RSET, type Command } from '../../src/protocol/command.js';
import { deadline, monotonic } from '../../src/transport/clock.js';
import { converse, exchange } from '../../src/wire/exchange.js';
import { FakeStream } from '../support/fake-stream.js';
import { wireOn } from '../support/fake-wire.js';

const ENVELOPE = [mailFrom('ann@example.com'), rcptTo('bob@example.org')];

describe('a verdict on content', () => {
  const content = Buffer.from('Hi\r\n');
  const replies = (text: string): Buffer => Buffer.from(text.split(' ').map((word) => `${{ ok: '250 Ok', taken: '250 queued as 4ABCdef1234', go: '354 Go', no: '550 No', bye: '221 Bye', end: '421 Closing', reset: '250 Flushed', stored: '250 Stored' }[word] ?? ''}\r\n`).join(''));
  const CHUNKED = [RSET, ...ENVELOPE, bdat(content.length, true)];
  const begin = () => {
    const server = new Subject<Buffer>();
    const wire = wireOn(new FakeStream(server));
    const told: string[] = [];
    const ask = (name: string, commands: readonly Command[], bytes?: Buffer): void => {
      converse(wire, commands, deadline(monotonic, 'operation', Infinity), { next: () => undefined, error: ({ code, outcome }) => { told.push(`${name} ${code} ${outcome}`); }, complete: () => { told.push(name); } }, bytes);
    };
    return { told, ask, hear: (text: string): void => { server.next(replies(text)); } };
  };
  const play = (isChunked: boolean, ...chunks: readonly string[]): readonly string[] => {
    const { told, ask, hear } = begin();
    if (isChunked) for (const name of ['1', '2', '3']) ask(name, CHUNKED, content);
    else for (const [name, commands] of [['1', [...ENVELOPE, DATA]], ['1 taken', [bdat(0, true)]], ['2', [RSET, ...ENVELOPE, DATA]], ['2 taken', [bdat(0, true)]]] as const) ask(name, commands);
    chunks.forEach(hear);
    return told;
  };

  it.each([
    ['is told at once where nothing came with it', true, ['ok ok ok ok', 'ok ok ok ok ok ok ok ok'], ['1', '2', '3']],
    ['is told behind what came with it', true, ['ok ok ok ok ok ok ok ok ok ok ok no'], ['1', '2', '3']],
    ['is told ahead of what was refused behind it, which may mean that there was too much of it', true, ['ok ok ok ok ok no no no ok ok ok ok'], ['1', '2', '3']],
    ['is in doubt where what came with it is out of step: a missing reply', true, ['ok ok ok ok ok ok taken ok ok'], ['1 E_PROTOCOL unknown', '2 E_PROTOCOL unknown', '3 E_PROTOCOL unknown']],
    ['is in doubt where what came with it is out of step: a reply too many', true, ['ok ok ok ok no ok ok'], ['1 E_PROTOCOL unknown', '2 E_PROTOCOL unknown', '3 E_PROTOCOL unknown']],
    ['is in doubt where what came with it is out of step: a missing reply, and words that were not heard before', true, ['ok ok ok reset ok ok taken'], ['1 E_PROTOCOL unknown', '2 E_PROTOCOL unknown', '3 E_PROTOCOL unknown']],
    ['is in doubt where what came with it is out of step, also where it is a refusal', true, ['ok ok ok no taken'], ['1 E_PROTOCOL unknown', '2 E_PROTOCOL unknown', '3 E_PROTOCOL unknown']],
    ['is a refusal where nobody was there to take it, whatever came with it', true, ['ok ok no no taken'], ['1', '2 E_PROTOCOL unknown', '3 E_PROTOCOL unknown']],
    ['is in its place where the next content has words of its own', true, ['ok ok ok ok ok ok ok taken ok taken'], ['1', '2']],
    ['is in doubt in words that were heard in its place only while others were due, where what came with it is out of step', true, ['ok ok ok stored ok ok ok stored taken'], ['1 E_PROTOCOL unknown', '2 E_PROTOCOL unknown', '3 E_PROTOCOL unknown']],
    ['is in doubt in words that an envelope was heard in too, where what came with it is out of step', true, ['ok ok ok ok', 'ok ok ok ok taken'], ['1', '2 E_PROTOCOL unknown', '3 E_PROTOCOL unknown']],
    ['is in its place where the server hangs up behind all that was asked', true, ['ok ok ok ok ok ok ok ok ok ok ok ok bye'], ['1', '2', '3']],
    ['is in its place where the server refuses what is left behind a 421', true, ['ok ok ok ok end no no no'], ['1', '2 E_PROTOCOL unknown', '3 E_PROTOCOL unknown']],
    ['is in doubt where it is a 421 itself, and the server refuses what is left', true, ['ok ok ok end no no no no'], ['1 E_PROTOCOL unknown', '2 E_PROTOCOL unknown', '3 E_PROTOCOL unknown']],
    ['is in doubt where the server takes something behind a 421', true, ['ok ok ok ok end ok'], ['1 E_PROTOCOL unknown', '2 E_PROTOCOL unknown', '3 E_PROTOCOL unknown']],
    ['is taken where a goodbye came with it', false, ['ok ok go', 'ok bye'], ['1', '1 taken', '2 E_PROTOCOL not-sent', '2 taken E_PROTOCOL unknown']],
    ['is in its place where the next 354 is', false, ['ok ok go', 'ok ok ok ok go'], ['1', '1 taken', '2']],
    ['is in doubt where the next 354 is not', false, ['ok ok go', 'ok ok ok go'], ['1', '1 taken E_PROTOCOL unknown', '2 E_PROTOCOL not-sent', '2 taken E_PROTOCOL unknown']],
  ])('%s', (_, isChunked, chunks, expected) => {
    expect(play(isChunked, ...chunks)).toEqual(expected);
  });

  it('is sure in words that content was answered in when nothing else was due, whatever came with it', () => {
    const { told, ask, hear } = begin();
    ask('1', CHUNKED, content);
    hear('ok ok ok stored');
    for (const name of ['2', '3', '4']) ask(name, CHUNKED, content);
    hear('ok ok ok stored ok ok ok stored taken');
    expect(told).toEqual(['1', '2', '3', '4 E_PROTOCOL unknown']);
  });

  it.each([
    ['the next mail was refused', 'ok ok stored ok no no stored ok ok'],
    ['the next mail was taken, and the one behind it refused', 'ok ok stored ok ok stored stored ok no no stored'],
  ])('is not sure in such words as long as RSET may be answered in the same: a missing verdict, where %s', (_, shifted) => {
    const { told, ask, hear } = begin();
    const [, ...withoutReset] = CHUNKED;
    ask('1', withoutReset, content);
    hear('ok ok stored');
    ask('2', withoutReset, content);
    for (const name of ['3', '4', '5']) ask(name, CHUNKED, content);
    hear(shifted);
    expect(told).toEqual(['1', ...['2', '3', '4', '5'].map((name) => `${name} E_PROTOCOL unknown`)]);
  });
});

it('nothing but content follows a 354, also where its mail is cancelled as the one before it is taken', () => {
  const server = new Subject<Buffer>();
  const wire = wireOn(new FakeStream(server));
  const operation = deadline(monotonic, 'operation', Infinity);
  exchange(wire, [...ENVELOPE, DATA], operation).subscribe();
  server.next(Buffer.from('250 Ok\r\n250 Ok\r\n354 Go\r\n'));
  exchange(wire, [bdat(0, true)], operation).subscribe(() => { second.unsubscribe(); });
  const second = exchange(wire, [...ENVELOPE, DATA], operation).subscribe();
  // In the words for an envelope, it is told only when the 354 has shown that they are in their place.
  server.next(Buffer.from('250 Ok\r\n250 Ok\r\n250 Ok\r\n354 Go\r\n'));
  expect([wire.failed, wire.free]).toEqual([false, false]);
});
