import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/protocol/secret.js';
import { candidates, supportedMechanisms, type Conditions, type Credentials } from '../../src/sasl/choose.js';
import type { SaslMechanism } from '../../src/sasl/mechanism.js';

const password: Credentials = { kind: 'password', user: 'tim', pass: new Secret('secret') };
const own = (more: Partial<SaslMechanism> = {}): SaslMechanism => ({ name: 'X-Own', done: true, start: () => undefined, next: () => new Uint8Array(), ...more });

const choose = (credentials: Credentials, conditions: Conditions): { usable: string[]; allowed: readonly string[]; withheld: readonly string[] } => {
  const { usable, ...rest } = candidates(credentials, conditions);
  return { usable: usable.map((create) => create().name), ...rest };
};

describe('candidates', () => {
  it.each<[string, Conditions, string[], string[], string[]]>([
    ['the strongest first', { offered: ['LOGIN', 'PLAIN', 'CRAM-MD5', 'GSSAPI'], confidential: true }, ['CRAM-MD5', 'PLAIN', 'LOGIN'], ['CRAM-MD5', 'PLAIN', 'LOGIN'], []],
    ['no password over clear text', { offered: ['LOGIN', 'PLAIN', 'CRAM-MD5'], confidential: false }, ['CRAM-MD5'], ['CRAM-MD5', 'PLAIN', 'LOGIN'], ['PLAIN', 'LOGIN']],
    ['what is offered only', { offered: ['plain'], confidential: true }, ['PLAIN'], ['CRAM-MD5', 'PLAIN', 'LOGIN'], []],
    ['what is allowed only', { offered: ['PLAIN', 'LOGIN'], allowed: ['login', 'XOAUTH2'], confidential: true }, ['LOGIN'], ['LOGIN'], []],
    ['nothing in common', { offered: ['GSSAPI'], allowed: ['PLAIN'], confidential: true }, [], ['PLAIN'], []],
    ['nothing that was not allowed is withheld', { offered: ['PLAIN', 'LOGIN'], allowed: ['PLAIN'], confidential: false }, [], ['PLAIN'], ['PLAIN']],
    ['nothing allowed', { offered: ['PLAIN'], allowed: [], confidential: true }, [], [], []],
    ['nothing offered', { offered: [], allowed: undefined, confidential: true }, [], ['CRAM-MD5', 'PLAIN', 'LOGIN'], []],
  ])('%s', (_, conditions, usable, allowed, withheld) => {
    expect(choose(password, conditions)).toEqual({ usable, allowed, withheld });
  });

  it('gives a fresh mechanism each time', () => {
    const [create] = candidates(password, { offered: ['PLAIN'], confidential: true }).usable;
    expect(create!()).not.toBe(create!());
  });

  it('keeps a mechanism of the caller to confidential connections, unless it says otherwise', () => {
    const conditions = { offered: ['X-OWN', 'PLAIN'], confidential: false };
    const mechanism = own();
    expect(choose({ kind: 'mechanism', mechanism }, conditions)).toEqual({ usable: [], allowed: ['X-Own'], withheld: ['X-Own'] });
    expect(candidates({ kind: 'mechanism', mechanism }, { ...conditions, confidential: true }).usable[0]!()).toBe(mechanism);
    expect(choose({ kind: 'mechanism', mechanism: own({ clearTextSafe: true }) }, conditions).usable).toEqual(['X-Own']);
  });

  it('tells what a password can be used with', () => {
    expect(supportedMechanisms).toEqual(['CRAM-MD5', 'PLAIN', 'LOGIN']);
  });
});
