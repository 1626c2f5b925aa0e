import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SmtpEvent } from '../../src/index.js';
import { draft, type Mail } from '../../src/message/mail.js';
import { InParts, mayComeInParts } from '../../src/pool/in-parts.js';
import { SmtpReplyError } from '../../src/protocol/error.js';
import { makeReply } from '../../src/protocol/reply.js';

const OK = makeReply(250, ['2.0.0 Ok']);
const NO = makeReply(550, ['5.1.1 No such user']);

const mailTo = (to: readonly string[], raw: unknown = 'Subject: x\r\n\r\n'): Mail => draft({ envelope: { from: null, to }, raw } as Parameters<typeof draft>[0]) as Mail;

/** What one server says to one recipient, each time that it is asked. The last word is a verdict. */
type Manner = readonly ('later' | 'yes' | 'no')[];
const manner: fc.Arbitrary<Manner> = fc.tuple(fc.array(fc.constant('later' as const), { maxLength: 4 }), fc.constantFrom('yes' as const, 'no' as const)).map(([later, last]) => [...later, last]);

/** Plays the transactions of one mail, as the session tells them. */
const play = (mail: Mail, manners: readonly Manner[], most: number): { readonly events: readonly SmtpEvent[]; readonly error: unknown; readonly completed: number; readonly rounds: number } => {
  const events: SmtpEvent[] = [];
  let failure: unknown;
  let completed = 0;
  const parts = new InParts(mail, { next: (event) => { events.push(event); }, error: (error: unknown) => { failure = error; }, complete: () => { completed += 1; } });
  const asked = new Map<string, number>();
  for (let rounds = 1; ; rounds += 1) {
    parts.named = parts.due.slice(0, Math.min(most, parts.most));
    parts.next({ type: 'sender-accepted', reply: OK });
    const accepted: string[] = [];
    const refused: { recipient: string; reply: typeof NO }[] = [];
    for (const { given } of parts.named) {
      const times = asked.get(given) ?? 0;
      asked.set(given, times + 1);
      const says = manners[mail.envelope.to.findIndex((recipient) => recipient.given === given)]?.[times] ?? 'yes';
      if (says === 'later' && accepted.length > 0) continue;
      if (says === 'yes') {
        accepted.push(given);
        parts.next({ type: 'recipient-accepted', recipient: given, reply: OK });
      } else {
        refused.push({ recipient: given, reply: NO });
        parts.next({ type: 'recipient-refused', recipient: given, reply: NO });
      }
    }
    const error = accepted.length > 0 ? undefined : new SmtpReplyError({ phase: 'rcpt', reply: NO, command: 'RCPT', message: 'no' });
    if (error === undefined) {
      parts.next({ type: 'progress', bytesSent: 3, bytesTotal: 3 });
      const timings = { connect: 1, envelope: 1, content: 1, acceptance: 1, total: 4 * rounds };
      parts.next({ type: 'accepted', receipt: { messageId: undefined, envelope: mail.envelope.envelope, reply: OK, accepted, refused, bytes: 3, queueId: `Q${String(rounds)}`, timings } });
    }
    if (parts.goesOn(error)) continue;
    if (error === undefined) parts.complete(); else parts.error(error);
    return { events, error: failure, completed, rounds };
  }
};

describe('a mail in parts', () => {
  it('is one send, whatever a server says to whom and how many it takes', () => {
    fc.assert(fc.property(fc.array(manner, { minLength: 2, maxLength: 30 }), fc.integer({ min: 1, max: 8 }), (manners, most) => {
      const mail = mailTo(manners.map((_, index) => `user${String(index)}@example.org`));
      const to = mail.envelope.to.map(({ given }) => given);
      const { events, error, completed, rounds } = play(mail, manners, most);
      expect(rounds).toBeLessThanOrEqual(to.length);
      const told = (type: SmtpEvent['type']): string[] => events.flatMap((event) => (event.type === type && 'recipient' in event ? [event.recipient] : []));
      const [accepted, refused] = [told('recipient-accepted'), told('recipient-refused')];
      expect([...accepted, ...refused].sort()).toEqual([...to].sort());
      expect(events.filter(({ type }) => type === 'sender-accepted')).toHaveLength(1);
      const last = events.at(-1);
      if (accepted.length === 0) {
        expect(error).toBeInstanceOf(SmtpReplyError);
        expect(completed).toBe(0);
        return;
      }
      expect(completed).toBe(1);
      expect(events.filter(({ type }) => type === 'progress')).toHaveLength(1);
      expect(events.filter(({ type }) => type === 'accepted')).toHaveLength(1);
      if (last?.type !== 'accepted') throw new Error('The last event is no receipt.');
      // In the order of the envelope, both.
      expect(last.receipt.accepted).toEqual(to.filter((address) => accepted.includes(address)));
      expect(last.receipt.refused.map(({ recipient }) => recipient)).toEqual(to.filter((address) => refused.includes(address)));
      if (last.receipt.parts !== undefined) {
        expect(last.receipt.parts.length).toBeGreaterThan(1);
        expect(last.receipt.parts.flatMap((part) => part.accepted).sort()).toEqual([...last.receipt.accepted].sort());
        expect(last.receipt.queueId).toBe(last.receipt.parts.at(-1)?.queueId);
      }
    }));
  });

  it('names an address that is in the list twice', () => {
    const { events, completed } = play(mailTo(['a@example.org', 'a@example.org', 'b@example.org']), [], 1);
    expect(completed).toBe(1);
    expect(events.at(-1)).toMatchObject({ receipt: { accepted: ['a@example.org', 'b@example.org'] } });
  });

  it('needs several recipients, and content that can be opened again', () => {
    const two = ['a@example.org', 'b@example.org'];
    expect(mayComeInParts(mailTo(two))).toBe(true);
    expect(mayComeInParts(mailTo(two, () => 'x'))).toBe(true);
    expect(mayComeInParts(mailTo(['a@example.org']))).toBe(false);
    expect(mayComeInParts(mailTo(two, (async function* () { await Promise.resolve(); yield 'x'; })()))).toBe(false);
  });
});
