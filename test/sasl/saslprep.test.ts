import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SmtpUsageError } from '../../src/protocol/error.js';
import { preparationOf, saslPrep } from '../../src/sasl/saslprep.js';

const prepared = (text: string): string => saslPrep(text, 'auth.pass');

describe('saslPrep', () => {
  it.each([
    // RFC 4013 section 3.
    ['I\u00adX', 'IX'], ['user', 'user'], ['USER', 'USER'], ['\u00aa', 'a'], ['\u2168', 'IX'],
    ['pässwörd €', 'pässwörd €'], ['a\u0308', 'ä'], ['a\u00a0b\u3000c', 'a b c'], ['a\u200bb\ufe0f', 'a b'], ['a\u200db\ufe0f', 'ab'], ['\u0627\u0628', '\u0627\u0628'], ['\u06271\u0628', '\u06271\u0628'], ['🔑', '🔑'],
  ])('makes %j %j', (text, result) => {
    expect(prepared(text)).toBe(result);
  });

  it.each(['\u0007', 'a\u007f', 'a\u0085', '\u06271', '1\u0627', 'a\u0627', '\u0627a\u0628', '\ue000', '\ufdd0', 'a\u200eb', '\u2066', '\ufffd', '\u{e0001}', '\u00ad', ''])('refuses %j, and does not repeat it', (text) => {
    expect(() => prepared(text)).toThrow(SmtpUsageError);
    expect(() => prepared(`hunter2${text}\u0007`)).toThrow(/^auth\.pass holds/);
    expect(() => prepared(`hunter2${text}\u0007`)).not.toThrow('hunter2');
  });

  it('leaves printable ASCII alone', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme-ascii', minLength: 1 }), (text) => { expect(prepared(text)).toBe(text); }));
  });

  it('changes nothing the second time', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
      let once: string;
      try { once = prepared(text); } catch { return; }
      expect(prepared(once)).toBe(once);
    }));
  });
});

describe('preparationOf', () => {
  it.each([
    ['keeps', 'ann', 'open sesame!'], ['keeps', 'jürgen', 'pässwörd €'], ['changes', 'ann', 'geheim\u00b2'], ['changes', '\u00b5-chip', 'open sesame'], ['changes', 'ann', 'a\u00a0b'], ['changes', 'ann', 'a\u0308'],
    ['refuses', 'ann', 'tab\there'], ['refuses', 'ann', '\u05e9\u05dc\u05d5\u05dd1'], ['refuses', 'a\u0308', 'tab\there'],
  ])('%s %j with %j', (preparation, ...texts) => {
    expect(preparationOf(...texts)).toBe(preparation);
  });
});
