import fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { parseXml, type XmlElement } from '../../src/config/xml.js';
import { SmtpUsageError } from '../../src/protocol/error.js';

type Tree = [name: string, attributes: Readonly<Record<string, string>>, ...children: Tree[]];

const treeOf = ({ name, attributes, children }: XmlElement): Tree => [name, Object.fromEntries(attributes), ...children.map(treeOf)];

/** What a parser of renown reads; undefined for what is not well-formed. */
const byOracle = (text: string): Tree | undefined => {
  const parser = new SaxesParser();
  const path: Tree[] = [['', {}]];
  const faults: unknown[] = [];
  parser.on('error', (fault) => { faults.push(fault); });
  parser.on('doctype', (fault) => { faults.push(fault); });
  parser.on('xmldecl', ({ version, encoding = 'utf-8' }) => { if (version !== '1.0' || !/^utf-(?:8|16)$/i.test(encoding)) faults.push(version); });
  parser.on('opentag', ({ name, attributes }) => {
    const opened: Tree = [name, { ...attributes }];
    path.at(-1)?.push(opened);
    path.push(opened);
  });
  parser.on('closetag', () => { path.pop(); });
  parser.write(text).close();
  return faults.length === 0 ? path[0]?.[2] : undefined;
};

const byOurs = (text: string): Tree | undefined => {
  try {
    return treeOf(parseXml(text));
  } catch (error) {
    expect(error).toBeInstanceOf(SmtpUsageError);
    return undefined;
  }
};

const oneOf = (...texts: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...texts);
const sequence = (...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> => fc.tuple(...parts).map((each) => each.join(''));
const some = (part: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<string> => fc.array(part, { maxLength }).map((each) => each.join(''));

const NAME = fc.oneof(oneOf('a', 'b', 'smtp', 'system.net', 'x:y', '_', ':', 'é', '\u{10000}'), sequence(oneOf('a', 'é', '_'), some(oneOf('-', '.', '7', '\u00b7', 'b', '\u0301'), 3)));
const SPACE = some(oneOf(' ', '\t', '\n', '\r\n', '\r'), 2);
const REFERENCE = oneOf('&amp;', '&lt;', '&gt;', '&quot;', '&apos;', '&#65;', '&#x41;', '&#10;', '&#xD;', '&#x1F600;', '&#0000065;');
const CHARACTERS = fc.oneof(oneOf('p@ss', ' ', '\t', '\n', '\r', '>', '/', '=', '?', ']]', '-', 'ü', '\u{1F600}', '\u0085', '\u2028', '${A}'), REFERENCE);
const ATTRIBUTE = sequence(oneOf(' ', '\n', '\t '), NAME, SPACE, fc.constant('='), SPACE, fc.oneof(
  some(fc.oneof(CHARACTERS, oneOf('\'')), 4).map((value) => `"${value}"`), some(fc.oneof(CHARACTERS, oneOf('"')), 4).map((value) => `'${value}'`),
));
const MISC = fc.oneof(oneOf('<!-- a - b -->', '<!---->', '<!--<a>&-->', '<?go?>', '<?go a="1"?>', '<?go ?? >?>'), SPACE);

const ELEMENT = fc.letrec<{ element: string; content: string }>((tie) => ({
  element: fc.oneof({ depthSize: 'small' },
    sequence(fc.constant('<'), NAME, some(ATTRIBUTE, 3), SPACE, fc.constant('/>')),
    fc.tuple(NAME, some(ATTRIBUTE, 3), SPACE, tie('content'), SPACE).map(([name, attributes, before, content, after]) => `<${name}${attributes}${before}>${content}</${name}${after}>`)),
  content: fc.oneof({ depthSize: 'small' }, some(fc.oneof(CHARACTERS, MISC, oneOf('<![CDATA[<a>&]]>', '<![CDATA[]]>')), 3), some(tie('element'), 3)),
})).element;

const DOCUMENT = sequence(
  oneOf('', '', '\uFEFF', '<?xml version="1.0"?>', '<?xml version=\'1.0\' encoding="utf-8" ?>', '<?xml version="1.0" encoding="UTF-16" standalone="yes"?>'), some(MISC, 2), ELEMENT, some(MISC, 2),
);

// Pieces that make a document wrong, or that make another one of it.
const PIECE = oneOf('<', '>', '/', '&', ';', '"', '\'', '=', '-', '--', '?>', ']]>', '<!--', '-->', '<![CDATA[', '<!DOCTYPE a>', '<!DOCTYPE a SYSTEM "b">', '<!a>', '<?xml version="1.0"?>', '<?XML?>', '&#0;', '&#xFFFE;', '&#x110000;', '&#99999999999999999999;', '&nbsp;', '&#X41;', '&#;', '</a>', '<a>', '<a/>', ' a="1"', '\0', '\u0001', '\uFFFE', '\uFEFF', '\u00a0', ' ', '1', 'a');

const DAMAGED = fc.tuple(DOCUMENT, fc.array(fc.tuple(fc.nat(), fc.nat(3), PIECE), { minLength: 1, maxLength: 2 })).map(([text, changes]) =>
  changes.reduce((changed, [at, length, piece]) => {
    const start = at % (changed.length + 1);
    return changed.slice(0, start) + piece + changed.slice(start + length);
  }, text));

// Saxes lets a question mark end the name of an instruction, and leaves half a surrogate pair to whoever decodes.
const LENIENT = /<\?[^ \t\r\n?>]+\?(?!>)|[\uD800-\uDFFF]/u;
const agree = (text: string): void => {
  fc.pre(!LENIENT.test(text));
  expect(byOurs(text)).toEqual(byOracle(text));
};

const RUNS = 3000;

describe('the reader agrees with saxes', () => {
  it('on documents', () => {
    fc.assert(fc.property(DOCUMENT, agree), { numRuns: RUNS });
  });

  it('on damaged documents', () => {
    fc.assert(fc.property(DAMAGED, agree), { numRuns: RUNS });
  });

  it.each([['documents', DOCUMENT], ['damaged documents', DAMAGED]])('on %s of which many are well-formed and many are not', (_, texts) => {
    const share = fc.sample(texts, 500).filter((text) => byOurs(text) !== undefined).length / 500;
    expect(share).toBeGreaterThan(0.01);
    expect(share).toBeLessThan(0.99);
  });
});

describe('attributes', () => {
  it.each([
    ['references', '<a b="&lt;&#60;&#x3C;&amp;amp;&quot;&apos;"/>', '<<<&amp;"\''],
    ['a password with everything in it', '<a b="p&lt;w\'d&quot;&amp;&#39;&#x27;>]]>"/>', 'p<w\'d"&\'\'>]]>'],
    ['line ends as blanks', '<a b="1\r\n2\n3\r4\t5"/>', '1 2 3 4 5'],
    ['line ends that a reference names', '<a b="1&#10;2&#xD;3&#9;4"/>', '1\n2\r3\t4'],
    ['what is not in ASCII', '<a b="pässwörd \u{1F511}"/>', 'pässwörd \u{1F511}'],
    ['what looks like a name of JavaScript', '<a __proto__="x" b="y"/>', 'y'],
  ])('%s', (_, text, expected) => { expect(parseXml(text).attributes.get('b')).toBe(expected); });
});

describe('refused', () => {
  const NESTED = (depth: number): string => '<a>'.repeat(depth) + '</a>'.repeat(depth);
  const LAUGHS = '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><lolz>&lol2;</lolz>';

  it.each([
    ['a document type', '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', 'holds a DOCTYPE'],
    ['an entity that grows', LAUGHS, 'holds a DOCTYPE'],
    ['a parameter entity', '<a><!ENTITY % x SYSTEM "http://h/"> %x;</a>', 'holds a DOCTYPE'],
    ['an entity of one\'s own', '<a b="&secret;"/>', '&amp; &lt; &gt; &quot; &apos;'],
    ['a bare ampersand', '<a b="p&w"/>', '&amp; &lt; &gt; &quot; &apos;'],
    ['a million references', `<a b="${'&#65;'.repeat(1_000_000)}"/>`, 'longer than 256 KiB'],
    ['a reference to NUL', '<a b="&#0;"/>', 'refers to a character'],
    ['NUL', '<a b="\0"/>', 'does not allow'],
    ['half a character', '<a b="\uD83D"/>', 'does not allow'],
    ['an encoding that could have been misread', '<?xml version="1.0" encoding="iso-8859-1"?><a/>', 'UTF-8'],
    ['UTF-7', '<?xml version="1.0" encoding="utf-7"?>+ADw-a/+AD4-', 'UTF-8'],
    ['a version to come', '<?xml version="1.1"?><a/>', 'version 1.0'],
    ['a late declaration', '\n<?xml version="1.0"?><a/>', 'at its start, or is not of version 1.0, in line 2'],
    ['an attribute twice', '<a b="1" b="2"/>', 'twice'],
    ['elements that cross', '<a>\n<b>\n</a></b>', 'closes another element than the one that is open in line 3'],
    ['a second root', '<a/><b/>', 'second root'],
    ['nothing', '', 'too early'],
    ['half of it', '<a><b/>', 'too early'],
    ['33 levels', NESTED(33), 'more than 32 deep'],
    ['10,001 parts', `<a>${'<!---->'.repeat(9_999)}</a>`, 'more than 10000 parts'],
    ['65 attributes', `<a${Array.from({ length: 65 }, (__, index) => ` a${index}=""`).join('')}/>`, 'more than 64 attributes'],
    ['a tag that does not end', `<a ${'b '.repeat(100_000)}`, 'not well-formed in line 1'],
    ['a comment that does not end', `<!--${'-'.repeat(200_000)}`, 'not well-formed in line 1'],
    ['blanks that do not end', `<a${' '.repeat(200_000)}`, 'not well-formed in line 1'],
  ])('%s', (_, text, reason) => {
    expect(() => parseXml(text)).toThrow(SmtpUsageError);
    expect(() => parseXml(text)).toThrow(reason);
  });

  it.each([
    ['32 levels', NESTED(32)], ['10,000 parts', `<a>${'<!---->'.repeat(9_998)}</a>`],
    ['64 attributes', `<a${Array.from({ length: 64 }, (__, index) => ` a${index}=""`).join('')}/>`],
    ['256 KiB', `<a b="${'x'.repeat(256 * 1024 - 9)}"/>`],
  ])('but not %s', (_, text) => { expect(parseXml(text).name).toBe('a'); });
});
