import { describe, expect, it } from 'vitest';
import { KnownReplies } from '../../src/protocol/known-replies.js';
import { Redactor } from '../../src/protocol/redactor.js';
import { makeReply, type Reply } from '../../src/protocol/reply.js';
import { ReplyParser } from '../../src/protocol/reply-parser.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('what the server said before', () => {
  const EHLO = '250-mail.example\r\n250-SIZE 100\r\n250 8BITMIME\r\n';

  it.each(['250 2.1.0 Ok\r\n', '250\r\n', EHLO])('is the same reply again, on whatever connection: %j', (text) => {
    const known = new KnownReplies();
    const replies = [new ReplyParser(new Redactor(), known), new ReplyParser(new Redactor(), known)].map((parser) => {
      parser.push(bytes(`${text.repeat(4)}250 other\r\n`));
      return Array.from({ length: 5 }, () => parser.read());
    });
    const [first] = replies[0]!;
    for (const [again, ...others] of replies) {
      expect(again).toBe(first);
      expect(others.slice(0, 3).every((reply) => reply === first)).toBe(true);
      expect(others[3]?.lines).toEqual(['other']);
    }
  });

  it.each([
    ['another last line', '250-mail.example\r\n250-SIZE 100\r\n250 DSN\r\n', ['mail.example', 'SIZE 100', 'DSN']],
    ['one line more', '250-mail.example\r\n250-SIZE 100\r\n250-8BITMIME\r\n250 DSN\r\n', ['mail.example', 'SIZE 100', '8BITMIME', 'DSN']],
    ['only its last line', '250 8BITMIME\r\n', ['8BITMIME']],
  ])('is not taken for %s', (_, text, lines) => {
    const parser = new ReplyParser();
    parser.push(bytes(EHLO + EHLO + text));
    expect(parser.read()).toBe(parser.read());
    expect(parser.read()?.lines).toEqual(lines);
  });

  it('is not taken for the half that has come', () => {
    const parser = new ReplyParser();
    parser.push(bytes('250 a\r\n250 a\r\n250 a'));
    expect(parser.read()).toBe(parser.read());
    expect(parser.read()).toBeUndefined();
    parser.push(bytes('b\r\n'));
    expect(parser.read()?.lines).toEqual(['ab']);
  });

  it('is not taken for the end of a longer one, nor that end for a reply of its own', () => {
    const parser = new ReplyParser();
    const said = ['250 a\r\n', '250-b\r\n', '250 a\r\n', '250-b\r\n', '250 c\r\n', '250 c\r\n'].map((text) => {
      parser.push(bytes(text));
      return parser.read()?.lines.join(' ');
    });
    expect(said).toEqual(['a', undefined, 'b a', undefined, 'b c', 'c']);
  });

  it('is read anew in a sign-in', () => {
    const parser = new ReplyParser();
    parser.push(bytes('334 a\r\n'.repeat(3)));
    const reply = parser.read();
    expect(parser.read()).toBe(reply);
    parser.isInSignIn = true;
    expect(parser.read()).not.toBe(reply);
  });

  it('is known as long as it is said often, whatever is said once, before it and in between', () => {
    const parser = new ReplyParser();
    let mails = 0;
    const mail = (): Reply | undefined => {
      parser.push(bytes(`250 Ok: queued as ${String(mails += 1)}\r\n250 reset\r\n`));
      parser.read();
      return parser.read();
    };
    for (let count = 0; count < 100; count += 1) {
      parser.push(bytes(`220 ${String(count)}\r\n`));
      parser.read();
    }
    const first = mail();
    for (let count = 0; count < 100; count += 1) expect(mail()).toBe(first);
  });

  it('is forgotten when others are said instead, and never kept where it is long', () => {
    const known = new KnownReplies();
    const [long, short] = [`250 ${'x'.repeat(1024)}\r\n`, '250 short\r\n'];
    const reply = makeReply(250, ['x']);
    known.remember(long, reply);
    known.remember(short, reply);
    expect(known.find(long, 0)).toBeUndefined();
    expect(known.find(short, 0)?.reply).toBe(reply);
    for (let count = 0; count < 32; count += 1) known.remember(`250 ${String(count)}\r\n`, reply);
    expect(known.find('250 8\r\n', 0)).toBeUndefined();
  });
});
