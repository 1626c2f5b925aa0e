import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/protocol/secret.js';
import { md4 } from '../../src/sasl/md4.js';
import { SaslError } from '../../src/sasl/mechanism.js';
import { ntlm } from '../../src/sasl/ntlm.js';

describe('md4', () => {
  // RFC 1320 appendix A.5.
  it.each([
    ['', '31d6cfe0d16ae931b73c59d7e0c089c0'], ['a', 'bde52cb31de33e46245e05fbdbd6fb24'], ['abc', 'a448017aaf21d8525fc10ae87aa6729d'], ['message digest', 'd9130a8164549fe818874806e1c7014b'],
    ['abcdefghijklmnopqrstuvwxyz', 'd79e1c308aa5bbcdeea8ed63df412da9'], ['ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789', '043f8582f241db351ce627e153e7f0e4'],
    ['12345678901234567890123456789012345678901234567890123456789012345678901234567890', 'e33b4ddc9c38f2199c3e7b164fcc0536'],
  ])('of %j', (message, digest) => {
    expect(md4(Buffer.from(message)).toString('hex')).toBe(digest);
  });
});

// MS-NLMP section 4.2.4: NTLMv2, with all that is random or a clock fixed.
const NONCE = Buffer.alloc(8, 0xaa);
const TIME = -11_644_473_600_000;
const TARGET_INFO = 0x0080_0000;
const CHALLENGE = Buffer.from('4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef00000000000000002400240044000000060070170000000f53006500720076006500720002000c0044006f006d00610069006e0001000c005300650072007600650072000000000'.concat('0'), 'hex');

const mechanism = (user = 'Domain\\User') => ntlm(user, new Secret('Password'), { nonce: NONCE, time: TIME });
const part = (message: Buffer, index: number): Buffer => {
  const at = 12 + 8 * index;
  const offset = message.readUInt32LE(at + 4);
  return message.subarray(offset, offset + message.readUInt16LE(at));
};

describe('NTLM', () => {
  it('answers as MS-NLMP section 4.2.4 does', () => {
    const exchange = mechanism();
    expect(Buffer.from(exchange.start()!).toString('latin1')).toMatch(/^NTLMSSP\0\x01\0\0\0/);
    expect(exchange.done).toBe(false);
    const response = exchange.next(CHALLENGE) as Buffer;
    expect(exchange.done).toBe(true);
    expect(response.subarray(0, 12).toString('latin1')).toBe('NTLMSSP\0\x03\0\0\0');
    expect(part(response, 0).toString('hex')).toBe('86c35097ac9cec102554764a57cccc19aaaaaaaaaaaaaaaa');
    expect(part(response, 1).subarray(0, 16).toString('hex')).toBe('68cd0ab851e51c96aabc927bebef6a1c');
    expect(part(response, 2).toString('utf16le')).toBe('Domain');
    expect(part(response, 3).toString('utf16le')).toBe('User');
    expect(() => exchange.next(CHALLENGE)).toThrow(SaslError);
  });

  it.each([['ann', 'ANN', true], ['jürgen', 'JÜRGEN', true], ['groß', 'GROß', true], ['groß', 'GROSS', false], ['ﬁnn', 'ﬁNN', true]])('%s signs in as %s: %s', (user, other, isSame) => {
    const [one, two] = [user, other].map((login) => {
      const exchange = mechanism(login);
      exchange.start();
      return part(exchange.next(CHALLENGE) as Buffer, 1).toString('hex');
    });
    expect(one === two).toBe(isSame);
  });

  it('needs no domain', () => {
    const exchange = mechanism('ann@example.com');
    exchange.start();
    const response = exchange.next(CHALLENGE) as Buffer;
    expect([part(response, 2).length, part(response, 3).toString('utf16le')]).toEqual([0, 'ann@example.com']);
  });

  it('tells its flags, and where each of its parts is', () => {
    const exchange = mechanism();
    const negotiate = Buffer.from(exchange.start()!);
    expect([negotiate.length, negotiate.readUInt32LE(12)]).toEqual([32, 0x2088_8205]);
    const response = exchange.next(CHALLENGE) as Buffer;
    expect(response.readUInt32LE(60)).toBe(0x2088_8205);
    for (let at = 12; at < 60; at += 8) expect(response.readUInt16LE(at + 2)).toBe(response.readUInt16LE(at));
    expect(Buffer.concat([response.subarray(0, 64), ...[0, 1, 2, 3].map((index) => part(response, index))])).toEqual(response);
  });

  it('has another nonce each time, and the time of its own clock', () => {
    const [one, two] = [1, 2].map(() => {
      const exchange = ntlm('ann', new Secret('Password'));
      exchange.start();
      return part(exchange.next(CHALLENGE) as Buffer, 1);
    });
    expect(one!.subarray(32, 40)).not.toEqual(two!.subarray(32, 40));
    expect(Math.abs(Number(one!.readBigUInt64LE(24) / 10_000n) + TIME - Date.now())).toBeLessThan(60_000);
  });

  const about = (targetInfo: string): Buffer => {
    const challenge = Buffer.concat([CHALLENGE.subarray(0, 68), Buffer.from(targetInfo, 'hex')]);
    challenge.writeUInt16LE(challenge.length - 68, 40);
    const exchange = mechanism();
    exchange.start();
    return exchange.next(challenge) as Buffer;
  };

  it.each([
    ['alone', '07000800111111111111111100000000', true], ['without an end', '070008001111111111111111', true], ['behind a name', '010002004100070008001111111111111111', true],
    ['behind the end', '00000000070008001111111111111111', false], ['too short', '0700040011111111', false], ['cut off', '0700080011111111111111', false], ['that is something else', '060008001111111111111111', false],
  ])('takes the server\'s time where it has one: %s', (_, targetInfo, isTaken) => {
    const response = about(targetInfo);
    expect(part(response, 0).equals(Buffer.alloc(24))).toBe(isTaken);
    expect(part(response, 1).subarray(24, 32)).toEqual(Buffer.alloc(8, isTaken ? 0x11 : 0));
  });

  it('repeats what the server tells of itself, up to 2048 bytes, and nothing where it tells nothing', () => {
    const most = '0100fc07'.padEnd(4096, '0');
    expect(part(about(most), 1).subarray(44, -4).toString('hex')).toBe(most);
    expect(() => about(`${most}00`)).toThrow(SaslError);
    for (const silent of [CHALLENGE.subarray(0, 47), Buffer.concat([CHALLENGE.subarray(0, 20), Buffer.alloc(4), CHALLENGE.subarray(24)])]) {
      const exchange = mechanism();
      exchange.start();
      expect(part(exchange.next(silent) as Buffer, 1).subarray(44)).toEqual(Buffer.alloc(8));
    }
  });

  it('must be started, and takes no NUL', () => {
    expect(() => mechanism().next(CHALLENGE)).toThrow(SaslError);
    expect(() => mechanism('an\0n')).toThrow();
  });

  it.each([
    Buffer.alloc(0), Buffer.from('garbage'), CHALLENGE.subarray(0, 31), Buffer.concat([CHALLENGE.subarray(0, 8), Buffer.from([3]), CHALLENGE.subarray(9)]),
    Buffer.concat([CHALLENGE.subarray(0, 40), Buffer.from('ffffffff', 'hex'), CHALLENGE.subarray(44)]), Buffer.concat([CHALLENGE.subarray(0, 44), Buffer.from('ffffffff', 'hex'), CHALLENGE.subarray(48)]),
  ])('refuses %j', (challenge) => {
    const exchange = mechanism();
    exchange.start();
    expect(() => exchange.next(challenge)).toThrow(SaslError);
    expect(exchange.done).toBe(false);
  });

  it('refuses whatever comes, or repeats what it tells of its server', () => {
    // Of lengths and places around the right ones.
    const header = fc.tuple(fc.constantFrom(0, TARGET_INFO, 0xffff_ffff), fc.oneof({ weight: 5, arbitrary: fc.nat(12) }, fc.nat(0xffff)), fc.oneof({ weight: 5, arbitrary: fc.nat(70) }, fc.nat()));
    let answered = 0;
    fc.assert(fc.property(header, fc.uint8Array({ maxLength: 24 }), ([flags, length, offset], targetInfo) => {
      const challenge = Buffer.concat([CHALLENGE.subarray(0, 56), targetInfo]);
      challenge.writeUInt32LE(flags, 20);
      challenge.writeUInt16LE(length, 40);
      challenge.writeUInt32LE(offset, 44);
      const exchange = mechanism();
      exchange.start();
      const isBroken = flags !== 0 && offset + length > challenge.length;
      if (isBroken) expect(() => exchange.next(challenge)).toThrow(SaslError);
      else expect(part(exchange.next(challenge) as Buffer, 1).subarray(44, -4)).toEqual(flags === 0 ? Buffer.alloc(4) : challenge.subarray(offset, offset + length));
      if (!isBroken && flags !== 0) answered += 1;
    }));
    expect(answered).toBeGreaterThan(0);
  });
});
