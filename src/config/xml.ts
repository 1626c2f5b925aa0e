import { usage } from '../message/fields.js';

/** An element. Text between elements is checked and dropped: settings are attributes. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
}

/** Settings are small; what is longer is something else. */
export const MOST_BYTES = 256 * 1024;
const DEEPEST = 32;
const MOST_PARTS = 10_000;
const MOST_ATTRIBUTES = 64;

// XML 1.0, productions 2 to 5.
const NO_CHARACTER = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
const S = '[ \\t\\n]';
const NAME_START = ':A-Z_a-z\\xC0-\\xD6\\xD8-\\xF6\\xF8-\\u02FF\\u0370-\\u037D\\u037F-\\u1FFF\\u200C-\\u200D\\u2070-\\u218F\\u2C00-\\u2FEF\\u3001-\\uD7FF\\uF900-\\uFDCF\\uFDF0-\\uFFFD\\u{10000}-\\u{EFFFF}';
const NAME = `[${NAME_START}][\\u0300-\\u036F${NAME_START}\\-.0-9\\xB7\\u203F-\\u2040]*`;
const VALUE = '(?:"[^<"]*"|\'[^<\']*\')';

const DECLARATION = new RegExp(
  `^<\\?xml${S}+version${S}*=${S}*(["'])1\\.0\\1(?:${S}+encoding${S}*=${S}*(["'])(?<encoding>[A-Za-z][A-Za-z0-9._\\-]*)\\2)?(?:${S}+standalone${S}*=${S}*(["'])(?:yes|no)\\4)?${S}*\\?>`, 'u',
);
const TOKEN = new RegExp([
  '(?<text>[^<]+)',
  '<!--(?<comment>[^]*?)-->',
  '(?<cdata><!\\[CDATA\\[[^]*?\\]\\]>)',
  `<\\?(?<instruction>${NAME})(?:${S}[^]*?)?\\?>`,
  `</(?<close>${NAME})${S}*>`,
  `<(?<open>${NAME})(?<attributes>(?:${S}+${NAME}${S}*=${S}*${VALUE})*)${S}*(?<empty>/?)>`,
].join('|'), 'uy');
const ATTRIBUTE = new RegExp(`(?<name>${NAME})${S}*=${S}*(?<value>${VALUE})`, 'ug');
const REFERENCE = /&(?:#(?<decimal>\d+);|#x(?<hex>[\dA-Fa-f]+);|(?<entity>lt|gt|amp|apos|quot);)?/g;
const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', apos: '\'', quot: '"' };

/** An error about the XML, with the line that is being read. */
type Fail = (what: string) => Error;

/**
 * The root of an XML 1.0 document. It takes what is well-formed without a DOCTYPE, and nothing else: no file is read for it,
 * no entity can grow, and the work is linear in the text.
 * @throws SmtpUsageError with the line; it never shows the text.
 */
export const parseXml = (source: unknown): XmlElement => {
  const document = element('');
  const path = [document];
  for (const [token, fail] of tokens(unicode(source))) {
    const parent = path.at(-1) ?? document;
    const isOutside = parent === document;
    if (token.text !== undefined) {
      if (isOutside ? /[^ \t\n]/.test(token.text) : token.text.includes(']]>')) throw fail('is not well-formed');
      resolve(token.text, fail);
    } else if (token.comment !== undefined) {
      if (/--|-$/.test(token.comment)) throw fail('is not well-formed: "--" stands in a comment');
    } else if (token.cdata !== undefined) {
      if (isOutside) throw fail('is not well-formed');
    } else if (token.instruction !== undefined) {
      if (token.instruction.toLowerCase() === 'xml') throw fail('has a declaration that is not at its start, or is not of version 1.0,');
    } else if (token.close !== undefined) {
      if (isOutside || parent.name !== token.close) throw fail('closes another element than the one that is open');
      path.pop();
    } else {
      if (isOutside && document.children.length > 0) throw fail('has a second root element');
      if (path.length > DEEPEST) throw fail(`is nested more than ${DEEPEST} deep`);
      const opened = element(token.open ?? '', attributes(token.attributes ?? '', fail));
      parent.children.push(opened);
      if (token.empty === '') path.push(opened);
    }
  }
  const [root] = document.children;
  if (root === undefined || path.length > 1) throw usage('The XML is not well-formed: it ends too early.');
  return root;
};

const element = (name: string, of: ReadonlyMap<string, string> = new Map()): XmlElement & { readonly children: XmlElement[] } => ({ name, attributes: of, children: [] });

/** The text with line ends of one character (section 2.11). */
const unicode = (source: unknown): string => {
  if (typeof source !== 'string') throw usage('The XML must be a string.');
  if (Buffer.byteLength(source) > MOST_BYTES) throw usage(`The XML is longer than ${MOST_BYTES / 1024} KiB.`);
  if (NO_CHARACTER.test(source)) throw usage('The XML holds a character that XML does not allow, such as NUL. Save the file as UTF-8.');
  return source.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
};

type Token = Readonly<Partial<Record<'text' | 'comment' | 'cdata' | 'instruction' | 'close' | 'open' | 'attributes' | 'empty', string>>>;

/** What stands behind the declaration, piece by piece. */
function* tokens(text: string): Generator<readonly [Token, Fail]> {
  let position = declaration(text);
  for (let parts = 0; position < text.length; position = TOKEN.lastIndex) {
    const fail: Fail = (what) => usage(`The XML ${what} in line ${text.slice(0, position).split('\n').length}.`);
    TOKEN.lastIndex = position;
    const token: Token | undefined = TOKEN.exec(text)?.groups;
    if (token === undefined) throw fail(/^<!(?!--|\[CDATA\[)/.test(text.slice(position, position + 9)) ? 'holds a DOCTYPE or another declaration, which could pull in other files and is refused,' : 'is not well-formed');
    if (token.text === undefined) parts += 1;
    if (parts > MOST_PARTS) throw fail(`has more than ${MOST_PARTS} parts`);
    yield [token, fail];
  }
}

/** Where the text begins behind the XML declaration. Text is Unicode here: a declaration of anything else says that it was misread. */
const declaration = (text: string): number => {
  const declared = DECLARATION.exec(text);
  const encoding = declared?.groups?.encoding;
  if (encoding !== undefined && !/^utf-(?:8|16)$/i.test(encoding)) throw usage('The XML declares an encoding other than UTF-8 and UTF-16. Save the file as UTF-8.');
  return declared?.[0].length ?? 0;
};

const attributes = (text: string, fail: Fail): ReadonlyMap<string, string> => {
  const found = new Map<string, string>();
  for (const { groups: { name = '', value = '' } = {} } of text.matchAll(ATTRIBUTE)) {
    if (found.has(name)) throw fail('gives an attribute twice');
    if (found.size === MOST_ATTRIBUTES) throw fail(`has an element with more than ${MOST_ATTRIBUTES} attributes`);
    // Section 3.3.3: white space as it stands becomes a blank; what a reference names stays as it is.
    found.set(name, resolve(value.slice(1, -1).replace(/[\t\n]/g, ' '), fail));
  }
  return found;
};

const resolve = (text: string, fail: Fail): string =>
  text.replace(REFERENCE, (...match) => {
    const { decimal, hex, entity } = match.at(-1) as Readonly<Partial<Record<'decimal' | 'hex' | 'entity', string>>>;
    if (entity !== undefined) return ENTITIES[entity] ?? '';
    if (decimal === undefined && hex === undefined) throw fail('holds a "&" that begins neither a character reference nor &amp; &lt; &gt; &quot; &apos;');
    const code = hex === undefined ? Number(decimal) : parseInt(hex, 16);
    const character = code > 0x10_FFFF ? '\0' : String.fromCodePoint(code);
    if (NO_CHARACTER.test(character)) throw fail('refers to a character that XML does not allow');
    return character;
  });
