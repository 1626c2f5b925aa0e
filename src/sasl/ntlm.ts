import { crypto } from '../protocol/crypto.js';
import type { Secret } from '../protocol/secret.js';
import { md4 } from './md4.js';
import { refuseNul, saidAll, SaslError, type Exchange, type SaslMechanism } from './mechanism.js';

const SIGNATURE = Buffer.from('NTLMSSP\0', 'latin1');
// MS-NLMP section 2.2.2.5: Unicode, request target, NTLM, always sign, extended session security, target info, 128 bit.
const FLAGS = 0x2088_8205;
const TARGET_INFO = 0x0080_0000;
const HEADER = 64;
const MOST_TARGET_INFO = 2048;

// Milliseconds from 1601, where Windows begins to count, to 1970.
const EPOCH = 11_644_473_600_000;

/** Fixed in tests only. */
interface NtlmOptions {
  readonly nonce?: Uint8Array;
  /** Milliseconds since 1970. */
  readonly time?: number;
}

/** As Windows does it: each UTF-16 unit becomes one, so that a sharp s stays as it is. */
const upperCase = (text: string): string => text.replace(/[^]/g, (unit) => (unit.toUpperCase().length === 1 ? unit.toUpperCase() : unit));

/** NTLMv2 (MS-NLMP section 3.3.2) over SMTP (MS-SMTPNTLM). Used only where it is allowed by name; a user may be `DOMAIN\user`. */
export const ntlm = (login: string, pass: Secret, { nonce, time }: NtlmOptions = {}): SaslMechanism => {
  refuseNul(login, pass);
  const [, domain = '', user = login] = /^([^\\]*)\\(.*)$/s.exec(login) ?? [];
  let started = false;

  const authenticate = (challenge: Buffer): Uint8Array => {
    const { nonce: theirs, targetInfo } = checkChallenge(challenge);
    const ours = nonce ?? crypto().randomBytes(8);
    const key = hmac(md4(utf16(pass.reveal())), utf16(upperCase(user) + domain));
    const theirTime = timestampOf(targetInfo);
    const temp = Buffer.concat([Buffer.from([1, 1, 0, 0, 0, 0, 0, 0]), theirTime ?? fileTime(time ?? performance.timeOrigin + performance.now()), ours, Buffer.alloc(4), targetInfo, Buffer.alloc(4)]);
    const ntResponse = Buffer.concat([hmac(key, Buffer.concat([theirs, temp])), temp]);
    // MS-NLMP section 3.1.5.1.2: where the server named a time, the LM response is empty.
    const lmResponse = theirTime === undefined ? Buffer.concat([hmac(key, Buffer.concat([theirs, ours])), ours]) : Buffer.alloc(24);
    const parts = [lmResponse, ntResponse, utf16(domain), utf16(user), Buffer.alloc(0), Buffer.alloc(0)];
    const header = Buffer.alloc(HEADER);
    header.set(SIGNATURE);
    header.writeUInt32LE(3, 8);
    parts.reduce((offset, part, index) => {
      const at = 12 + 8 * index;
      header.writeUInt16LE(part.length, at);
      header.writeUInt16LE(part.length, at + 2);
      header.writeUInt32LE(offset, at + 4);
      return offset + part.length;
    }, HEADER);
    header.writeUInt32LE(FLAGS, 60);
    return Buffer.concat([header, ...parts]);
  };

  const exchange: Exchange = {
    name: 'NTLM',
    clearTextSafe: true,
    maxRounds: 2,
    done: false,
    start: () => {
      exchange.done = false;
      started = true;
      const negotiate = Buffer.alloc(32);
      negotiate.set(SIGNATURE);
      negotiate.writeUInt32LE(1, 8);
      negotiate.writeUInt32LE(FLAGS, 12);
      return negotiate;
    },
    next: (challenge) => {
      if (exchange.done || !started) return saidAll();
      const response = authenticate(Buffer.from(challenge));
      exchange.done = true;
      return response;
    },
  };
  return exchange;
};

/** MS-NLMP section 2.2.1.2, CHALLENGE_MESSAGE. */
const checkChallenge = (challenge: Buffer): { readonly nonce: Buffer; readonly targetInfo: Buffer } => {
  const broken = (): never => { throw new SaslError('its challenge is no CHALLENGE_MESSAGE of NTLM'); };
  if (challenge.length < 32 || !challenge.subarray(0, 8).equals(SIGNATURE) || challenge.readUInt32LE(8) !== 2) broken();
  const nonce = challenge.subarray(24, 32);
  if ((challenge.readUInt32LE(20) & TARGET_INFO) === 0 || challenge.length < 48) return { nonce, targetInfo: Buffer.alloc(4) };
  const length = challenge.readUInt16LE(40);
  const offset = challenge.readUInt32LE(44);
  if (length > MOST_TARGET_INFO || offset + length > challenge.length) broken();
  return { nonce, targetInfo: challenge.subarray(offset, offset + length) };
};

/** The server's own time (MS-NLMP section 2.2.2.1, MsvAvTimestamp), where it names one. */
const timestampOf = (targetInfo: Buffer): Buffer | undefined => {
  for (let at = 0; at + 4 <= targetInfo.length;) {
    const id = targetInfo.readUInt16LE(at);
    const length = targetInfo.readUInt16LE(at + 2);
    if (id === 0) return undefined;
    if (id === 7 && length === 8 && at + 12 <= targetInfo.length) return targetInfo.subarray(at + 4, at + 12);
    at += 4 + length;
  }
  return undefined;
};

/** Tenths of a microsecond (MS-DTYP section 2.3.3). */
const fileTime = (milliseconds: number): Buffer => {
  const time = Buffer.alloc(8);
  time.writeBigUInt64LE(BigInt(Math.trunc(milliseconds) + EPOCH) * 10_000n);
  return time;
};

const hmac = (key: Uint8Array, data: Uint8Array): Buffer => crypto().createHmac('md5', key).update(data).digest();

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le');
