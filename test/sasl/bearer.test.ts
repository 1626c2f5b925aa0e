import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/protocol/secret.js';
import { oauthBearer, xoauth2 } from '../../src/sasl/bearer.js';
import { SaslError } from '../../src/sasl/mechanism.js';

const TOKEN = new Secret('vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==');
const SERVICE = { host: 'server.example.com', port: 587 };
const base64 = (bytes: Uint8Array | Promise<Uint8Array> | undefined): string => Buffer.from(bytes as Uint8Array).toString('base64');

describe('OAUTHBEARER', () => {
  // RFC 7628 section 4.4.
  it('speaks as RFC 7628 does', () => {
    expect(base64(oauthBearer('user@example.com', TOKEN, SERVICE).start())).toBe(
      'bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9NTg3AWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB',
    );
  });

  it('escapes what a list separates', () => {
    expect(Buffer.from(oauthBearer('a,b=c', TOKEN, SERVICE).start()!).toString()).toMatch(/^n,a=a=2Cb=3Dc,\x01host=/);
  });
});

describe('XOAUTH2', () => {
  it('speaks as its documentation does', () => {
    expect(base64(xoauth2('someuser@example.com', new Secret('ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg')).start())).toBe(
      'dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==',
    );
  });
});

describe.each([
  ['OAUTHBEARER', () => oauthBearer('ann', TOKEN, SERVICE), 'AQ=='],
  ['XOAUTH2', () => xoauth2('ann', TOKEN), ''],
])('%s', (name, mechanism, acknowledgement) => {
  it('is done by what it says first, and not after a refusal', () => {
    const exchange = mechanism();
    expect(exchange).toMatchObject({ name, done: false, maxRounds: 1, refusal: undefined });
    expect(exchange.clearTextSafe).toBeUndefined();
    exchange.start();
    expect(exchange.done).toBe(true);
    expect(base64(exchange.next(Buffer.from('{"status":"401","schemes":"bearer","scope":"mail","code":7}')))).toBe(acknowledgement);
    expect(exchange.done).toBe(false);
    expect(exchange.refusal).toEqual({ status: '401', schemes: 'bearer', scope: 'mail', code: '7' });
    expect(() => exchange.next(Buffer.from('{}'))).toThrow(SaslError);
    exchange.start();
    expect([exchange.done, exchange.refusal]).toEqual([true, undefined]);
  });

  it.each([
    ['', {}], ['garbage', {}], ['[1,2]', {}], ['"a"', {}], ['null', {}], ['{"status":{"deep":1}}', {}], ['{"__proto__":"x","a":"b"}', { a: 'b' }], ['{"__proto__":{"polluted":"x"}}', {}],
    ['{"status":"invalid_token","openid-configuration":"https://127.0.0.1/x"}', { 'status': 'invalid_token', 'openid-configuration': 'https://127.0.0.1/x' }],
  ])('takes %j for data', (challenge, told) => {
    const exchange = mechanism();
    exchange.start();
    expect(base64(exchange.next(Buffer.from(challenge)))).toBe(acknowledgement);
    expect(exchange.refusal).toEqual(told);
    expect(Object.keys(exchange.refusal ?? {})).not.toContain('__proto__');
    expect(({} as { polluted?: string }).polluted).toBeUndefined();
  });

  it('does not show its token', () => {
    expect(JSON.stringify(mechanism())).not.toContain(TOKEN.reveal());
  });
});
