import { describe, expect, it } from 'vitest';
import { SmtpUsageError } from '../../src/protocol/error.js';
import { Secret } from '../../src/protocol/secret.js';
import type { ChannelBinding } from '../../src/sasl/channel-binding.js';
import { SaslError } from '../../src/sasl/mechanism.js';
import { scram, type ScramOptions } from '../../src/sasl/scram.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');
const text = async (response: Uint8Array | undefined | Promise<Uint8Array>): Promise<string | undefined> => {
  const given = await response;
  return given === undefined ? undefined : Buffer.from(given).toString('utf8');
};
const mechanism = (options: Partial<ScramOptions> = {}, user = 'user', pass = 'pencil') => scram(user, new Secret(pass), { hash: 'SHA-256', channel: 'none', ...options });

const EXPORTER: ChannelBinding = { type: 'tls-exporter', data: Uint8Array.from({ length: 32 }, (_, index) => index) };
const NONCE = 'clientNONCE';
const FIRST = `r=${NONCE}server,s=AAECAwQFBgcICQoLDA0ODw==,i=4096`;

interface Vector {
  readonly options: ScramOptions;
  readonly user?: string;
  readonly pass?: string;
  /** Client, server, client, server. */
  readonly messages: readonly [string, string, string, string];
}

const VECTORS: readonly (readonly [source: string, vector: Vector])[] = [
  ['RFC 5802 section 5', {
    options: { hash: 'SHA-1', channel: 'none', nonce: 'fyko+d2lbbFgONRv9qkxdawL' },
    messages: [
      'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL', 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
      'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=', 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
    ],
  }],
  ['RFC 7677 section 3', {
    options: { hash: 'SHA-256', channel: 'none', nonce: 'rOprNGfwEbeRWgbNEkqO' },
    messages: [
      'n,,n=user,r=rOprNGfwEbeRWgbNEkqO', 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    ],
  }],
  // The others were computed with Python's hashlib.
  ['SHA-512', {
    options: { hash: 'SHA-512', channel: 'none', nonce: NONCE },
    messages: [
      `n,,n=user,r=${NONCE}`, FIRST,
      'c=biws,r=clientNONCEserver,p=ccSXH5sNoxrId8xC+sgew4xSmy6V2b0azE8i9nn3K0yJLHE2EARsUGCjnuXmcHnfxDRDklYwEA2ZQY16ncwmJQ==', 'v=RcxazZGcOG4xJn3uc4mt6VGyk44jclypsWEQHzG9ERRLMwLjKTA1jvZbiy5KL7MyO8mhephKg+xQSpH/cbvFOg==',
    ],
  }],
  ['SHA-1-PLUS, with names and words that need escapes', {
    options: { hash: 'SHA-1', channel: EXPORTER, nonce: NONCE }, user: 'b=c,d', pass: 'pässwörd €',
    messages: [
      `p=tls-exporter,,n=b=3Dc=2Cd,r=${NONCE}`, FIRST,
      'c=cD10bHMtZXhwb3J0ZXIsLAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f,r=clientNONCEserver,p=bCLExj2WyJsILJqrUZ5xw0rvM4k=', 'v=5xS4PP4ehjUIBFcHEY1Eta65NB4=',
    ],
  }],
  ['SHA-256-PLUS', {
    options: { hash: 'SHA-256', channel: EXPORTER, nonce: NONCE }, user: 'b=c,d', pass: 'pässwörd €',
    messages: [
      `p=tls-exporter,,n=b=3Dc=2Cd,r=${NONCE}`, FIRST,
      'c=cD10bHMtZXhwb3J0ZXIsLAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f,r=clientNONCEserver,p=hsiZNZmDz8W2ePDEX4fDb1gWKOsuLmgkrjtDQ3c69nE=', 'v=pgFdg9zEuZMf5AsILf6N71AZ9phE9S0gcUestxoRgCk=',
    ],
  }],
  ['SHA-512-PLUS', {
    options: { hash: 'SHA-512', channel: EXPORTER, nonce: NONCE }, user: 'b=c,d', pass: 'pässwörd €',
    messages: [
      `p=tls-exporter,,n=b=3Dc=2Cd,r=${NONCE}`, FIRST,
      'c=cD10bHMtZXhwb3J0ZXIsLAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f,r=clientNONCEserver,p=JoNUqOoI13SWPTnJWUzZxuYNm69O0MjJDBY2VxmFWxQ3ceQGRyzPtk3RIx5c5yElQRNS6oGflJNt8gNBHNx/zw==', 'v=AMAHbeGjGvPbvyV9+75QW+RlwHWsP4uKA1kp9e6IJCjCAz5OEEF7zjKe9+mGSANk7OdELogOxKWrVReXBncZNQ==',
    ],
  }],
];

describe('SCRAM', () => {
  it.each(VECTORS)('speaks as %s', async (_, { options, user, pass, messages: [clientFirst, serverFirst, clientFinal, serverFinal] }) => {
    const exchange = mechanism(options, user, pass);
    expect(exchange).toMatchObject({ name: `SCRAM-${options.hash}${options.channel === 'none' ? '' : '-PLUS'}`, clearTextSafe: true, maxRounds: 2 });
    expect(await text(exchange.start())).toBe(clientFirst);
    expect(await text(exchange.next(bytes(serverFirst)))).toBe(clientFinal);
    expect(exchange.done).toBe(false);
    expect(await text(exchange.next(bytes(serverFinal)))).toBe('');
    expect(exchange.done).toBe(true);
    expect(() => exchange.next(bytes(serverFinal))).toThrow(SaslError);
    // It can begin anew.
    expect(await text(exchange.start())).toBe(clientFirst);
    expect(exchange.done).toBe(false);
    expect(await text(exchange.next(bytes(serverFirst)))).toBe(clientFinal);
  });

  it('has another nonce each time', async () => {
    const one = mechanism();
    expect(await text(one.start())).not.toBe(await text(one.start()));
  });

  // RFC 5802 sections 5.1, 7 and 9, RFC 7677 section 4.
  it.each([
    ['is not ours', 'r=serverNONCE,s=AAEC,i=4096'], ['adds nothing', `r=${NONCE},s=AAEC,i=4096`], ['is not at the front', `r=server${NONCE},s=AAEC,i=4096`],
    ['a mandatory extension', `m=x,${FIRST}`], ['another order', `s=AAEC,r=${NONCE}s,i=4096`], ['another order', `r=${NONCE}s,i=4096,s=AAEC`], ['something twice', `r=${NONCE}s,s=AAEC,i=4096,i=9999`],
    ['no salt', `r=${NONCE}s,s=,i=4096`], ['salt that is no base64', `r=${NONCE}s,s=A,i=4096`], ['nothing', ''], ['a signature at once', 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ='],
    ['garbage', '\0\xff'], ['a line break', `${FIRST}\r\n`], ['a broken extension', `${FIRST},x`],
    ...['2147483647', '1', '0', '4095', '1000001', '4096abc', '+5000', '-1', '4096.0', '1e4', '9007199254740993', '99999999999999999999', '04096', ' 4096', ''].map((count) => ['a wrong count', `r=${NONCE}s,s=AAEC,i=${count}`]),
  ])('refuses a challenge with %s: %j', async (_, challenge) => {
    const exchange = mechanism({ nonce: NONCE });
    exchange.start();
    await expect(async () => exchange.next(bytes(challenge))).rejects.toThrow(SaslError);
    expect(exchange.done).toBe(false);
  });

  it('knows extensions that may be ignored', async () => {
    const exchange = mechanism({ nonce: NONCE });
    exchange.start();
    expect(await text(exchange.next(bytes(`${FIRST},x=y,Z=1`)))).toMatch(/^c=biws,r=clientNONCEserver,p=/);
  });

  it.each(['v=', 'v=AAAA', 'v=zX/1X8jI/UvloBvJBGpR29Pe6Ek=', 'v=lT797oAplzirqUBkzM24yjD7G5XWKCnUwUAcuFxa4d5=', '', 'x=y', 'm=1,v=lT797oAplzirqUBkzM24yjD7G5XWKCnUwUAcuFxa4d4='])('does not believe %j', async (serverFinal) => {
    const exchange = mechanism({ nonce: NONCE });
    exchange.start();
    await exchange.next(bytes(FIRST));
    expect(() => exchange.next(bytes(serverFinal))).toThrow(SaslError);
    expect(exchange.done).toBe(false);
  });

  it.each([['in the end', [FIRST]], ['at once', []]])('hears out a refusal %s, and is not done by it', async (_, before) => {
    const exchange = mechanism({ nonce: NONCE });
    exchange.start();
    for (const challenge of before) await exchange.next(bytes(challenge));
    expect(await text(exchange.next(bytes('e=invalid-proof,x=y')))).toBe('');
    expect(exchange).toMatchObject({ done: false, refusal: { error: 'invalid-proof' } });
    expect(() => exchange.next(bytes(FIRST))).toThrow('after it had refused');
    exchange.start();
    expect(exchange.refusal).toBeUndefined();
  });

  it('prepares user and password as RFC 4013 wants it', async () => {
    const typed = mechanism({ nonce: NONCE }, 'I\u00adX', '\u2168');
    const plain = mechanism({ nonce: NONCE }, 'IX', 'IX');
    expect(await text(typed.start())).toBe(await text(plain.start()));
    expect(await text(typed.next(bytes(FIRST)))).toBe(await text(plain.next(bytes(FIRST))));
    expect(() => mechanism({}, 'user', 'hunter\u00072')).toThrow(SmtpUsageError);
    expect(() => mechanism({}, 'user', 'hunter\u00072')).not.toThrow('hunter');
  });
});
