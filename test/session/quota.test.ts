import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckedRecipient } from '../../src/message/envelope.js';
import { checkEnvelope } from '../../src/message/envelope.js';
import { domainOf } from '../../src/protocol/address.js';
import { Quota } from '../../src/session/quota.js';

const people = (addresses: readonly string[]): readonly CheckedRecipient[] => checkEnvelope({ from: null, to: addresses }).to;

const NO_LIMITS = { mails: undefined, recipients: undefined, domains: undefined };

const limit = fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined });
const limits = fc.record({ mails: limit, recipients: limit, domains: limit });
const recipients = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.constantFrom('a.example', 'b.example', 'C.Example', 'd.example')), { minLength: 1, maxLength: 40 })
  .map((drawn) => people(drawn.map(([user, domain], index) => `user${String(user)}-${String(index)}@${domain}`)));

const domainsOf = (chosen: readonly CheckedRecipient[]): readonly string[] => chosen.map(({ mailbox }) => domainOf(mailbox));

describe('a quota', () => {
  it('puts every recipient into exactly one part, and none over a limit', () => {
    fc.assert(fc.property(limits, recipients, (given, all) => {
      let left = all;
      let quota = new Quota(given);
      let mails = 0;
      let domains: string[] = [];
      const parts: CheckedRecipient[][] = [];
      while (left.length > 0) {
        if (quota.isUsedUp) {
          quota = new Quota(given);
          mails = 0;
          domains = [];
        }
        const part = quota.fitting(left);
        quota.spend(part);
        mails += 1;
        domains.push(...domainsOf(part));
        parts.push([...part]);
        left = left.filter((recipient) => !part.includes(recipient));
        expect(part.length).toBeGreaterThan(0);
        expect(part.length).toBeLessThanOrEqual(given.recipients ?? Infinity);
        expect(new Set(domains).size).toBeLessThanOrEqual(given.domains ?? Infinity);
        expect(mails).toBeLessThanOrEqual(given.mails ?? Infinity);
      }
      expect(new Set(parts.flat())).toEqual(new Set(all));
      expect(parts.flat()).toHaveLength(all.length);
    }));
  });

  it('gives back the same list where nothing is too much', () => {
    const all = people(['a@a.example', 'b@b.example']);
    expect(new Quota({ ...NO_LIMITS, recipients: 2 }).fitting(all)).toBe(all);
    expect(new Quota(NO_LIMITS).fitting(all)).toBe(all);
  });

  it('keeps the order, and leaves room for the domains of the session', () => {
    const quota = new Quota({ ...NO_LIMITS, domains: 2 });
    quota.spend(people(['x@c.example']));
    expect(domainsOf(quota.fitting(people(['1@a.example', '2@b.example', '3@c.example', '4@a.example'])))).toEqual(['a.example', 'c.example', 'a.example']);
    expect(quota.isUsedUp).toBe(false);
    quota.spend(people(['x@a.example']));
    expect(quota.isUsedUp).toBe(true);
  });

  it('ends with its mails', () => {
    const quota = new Quota({ ...NO_LIMITS, mails: 2 });
    expect([0, 1, 2].map(() => { const { isUsedUp } = quota; quota.spend([]); return isUsedUp; })).toEqual([false, false, true]);
  });
});
