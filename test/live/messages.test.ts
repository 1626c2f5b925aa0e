import { X509Certificate } from 'node:crypto';
import { Readable } from 'node:stream';
import { firstValueFrom, from, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { receipts, retryWhenSafe, SmtpClient, SmtpSourceError, SmtpUsageError, type ComposedMessage, type Message, type SmtpOptions } from '../../src/index.js';
import { localhostCertificate, startServer, testAuthority, type TestServer } from '../../src/testing/index.js';
import { collect, eventOf } from '../support/collect.js';

const RAW = { envelope: { from: 'ann@example.com', to: ['bob@example.org'] }, raw: 'Message-ID: <1@example.com>\r\nSubject: hello\r\n\r\n.Hi\r\n' };

const clientOf = (server: TestServer, options: Partial<SmtpOptions> = {}): SmtpClient =>
  new SmtpClient({ host: 'localhost', port: server.port, tls: { ca: server.ca }, ...options });

describe('messages', () => {
  it('go out from any kind of content, byte for byte', async () => {
    await using server = await startServer();
    await using client = clientOf(server, { security: ['none'] });
    const text = `Subject: any\r\n\r\n${'.dots\r\n..\r\n'.repeat(5000)}`;
    const bytes = Buffer.from(text);
    const { Readable } = await import('node:stream');
    async function* pieces() { for (let at = 0; at < bytes.length; at += 999) { await Promise.resolve(); yield bytes.subarray(at, at + 999); } }
    const contents = [text, bytes, Readable.from(pieces()), pieces(), from([bytes.subarray(0, 5), bytes.subarray(5)]), () => pieces()];
    for (const raw of contents) {
      const told = await collect(client.send({ ...RAW, raw }));
      expect(told.error).toBeUndefined();
      expect(server.messages.at(-1)?.content.equals(bytes)).toBe(true);
      const positions = told.events.flatMap((event) => (event.type === 'progress' ? [event.bytesSent] : []));
      expect(positions).toEqual([...positions].sort((a, b) => a - b));
      expect(positions.at(-1)).toBe(bytes.length);
    }
  });

  for (const [way, without] of [['BDAT', []], ['DATA', ['CHUNKING']]] as const) {
    it(`are large and come in memory that is used again, over ${way}`, async () => {
      await using server = await startServer({ without, size: 0 });
      await using client = clientOf(server, { security: ['none'] });
      const memory = Buffer.alloc(50_000);
      async function* pieces() { for (const letter of 'abcdefghijklmnopqrstuvwxyz') { await Promise.resolve(); yield memory.fill(`.${letter}\n`); } }
      const told = await collect(client.send({ ...RAW, raw: pieces() }));
      const expected = Array.from('abcdefghijklmnopqrstuvwxyz', (letter) => Buffer.alloc(50_000, `.${letter}\n`).toString()).join('').replace(/\n/g, '\r\n');
      expect(told.error).toBeUndefined();
      expect(server.messages[0]?.content.toString()).toBe(expected.endsWith('\n') ? expected : `${expected}\r\n`);
      expect(told.events.findLast((event) => event.type === 'progress')).toMatchObject({ bytesSent: server.messages[0]?.content.length });
    });

    it(`tell how far they are while their source waits, over ${way}`, async () => {
      await using server = await startServer({ without });
      await using client = clientOf(server, { security: ['none'] });
      let tell: () => void = () => undefined;
      const isTold = new Promise<void>((resolve) => { tell = resolve; });
      async function* slow() { yield 'Subject: slow\r\n\r\n'; await isTold; yield 'end\r\n'; }
      const told = await collect(client.send({ ...RAW, raw: slow() }).pipe(tap((event) => { if (event.type === 'progress') tell(); })));
      expect(told.events.flatMap((event) => (event.type === 'progress' ? [event.bytesSent] : []))).toEqual([17, 22]);
      expect(server.messages[0]?.content.toString()).toBe('Subject: slow\r\n\r\nend\r\n');
    });
  }

  it.each([[6_000, /takes at most 10000 bytes, and the message has 1\d{4}\. /], [100_000, /takes at most 10000 bytes, and the message has at least 200000\. /]])('that are composed of more than the server takes are not begun: twice %s', async (bytes, text) => {
    await using server = await startServer({ size: 10_000 });
    await using client = clientOf(server, { security: ['none'] });
    const { error } = await collect(client.send({ from: 'ann@example.com', to: 'bob@example.org', text: 'x'.repeat(bytes), attachments: [{ content: Buffer.alloc(bytes) }] }));
    expect(error).toBeInstanceOf(SmtpUsageError);
    expect(error?.message).toMatch(text);
    expect(server.sessions[0]?.lines.some((line) => line.startsWith('C: MAIL'))).toBe(false);
  });

  it('that are binary go out untouched, or not at all', async () => {
    const bytes = Buffer.from('Content-Transfer-Encoding: binary\r\n\r\n\0\r\xff\n.\n\r\n.\r\n\r', 'latin1');
    const large = Buffer.concat(Array.from({ length: 10_000 }, () => bytes));
    async function* pieces() { for (let at = 0; at < large.length; at += 99_999) { await Promise.resolve(); yield large.subarray(at, at + 99_999); } }
    await using server = await startServer({ offers: ['BINARYMIME'] });
    await using client = clientOf(server, { security: ['none'] });
    for (const [raw, expected] of [[bytes, bytes], [bytes, bytes], [large, large], [pieces, large]] as const) {
      const told = await collect(client.send({ ...RAW, raw, binary: true }));
      expect(eventOf(told, 'accepted').receipt.bytes).toBe(expected.length);
      expect(told.events.findLast((event) => event.type === 'progress')).toMatchObject({ bytesSent: expected.length });
      expect(server.messages.at(-1)?.content.equals(expected)).toBe(true);
      expect(server.messages.at(-1)?.parameters.mail).toContain('BODY=BINARYMIME');
    }
    for (const without of [{}, { offers: ['BINARYMIME'], without: ['CHUNKING'] }]) {
      await using other = await startServer(without);
      await using refused = clientOf(other, { security: ['none'] });
      const { error } = await collect(refused.send({ ...RAW, raw: bytes, binary: true }));
      expect(error).toBeInstanceOf(SmtpUsageError);
      expect(error).toMatchObject({ phase: 'mail', outcome: 'not-sent', retryable: false });
      expect(other.sessions[0]?.lines.filter((line) => line.startsWith('C: '))).toEqual([expect.stringMatching(/^C: EHLO/)]);
    }
  });

  it('that are binary go out in chunks that wait for each other, where nothing may be sent ahead', async () => {
    const raw = Buffer.alloc(9_000_000, 'Subject: a\n\0');
    await using server = await startServer({ offers: ['BINARYMIME'], without: ['PIPELINING'], size: 0 });
    await using client = clientOf(server, { security: ['none'] });
    expect((await collect(client.send({ ...RAW, raw, binary: true }))).error).toBeUndefined();
    expect(server.messages[0]?.content.equals(raw)).toBe(true);
    const said = server.sessions[0]!.lines.filter((line) => /^C: BDAT|^S: 250 2/.test(line)).slice(2);
    expect(said.length).toBeGreaterThan(4);
    for (const [index, line] of said.entries()) expect(line.startsWith(index % 2 === 0 ? 'C: BDAT' : 'S: 250')).toBe(true);
  });

  it.each([[[]], [['CHUNKING']]])('that end before or after they have the size that was told are sent with a warning (without %j)', async (without) => {
    await using server = await startServer({ without });
    await using client = clientOf(server, { security: ['none'] });
    for (const to of [['bob@example.org'], ['bob@example.org', 'cid@example.org']]) {
      for (const [size, why] of [[5_000, 'says 5000: it may be cut off.'], [14, 'says 14: it may hold more than it should.']] as const) {
        const told = await collect(client.send({ envelope: { ...RAW.envelope, to }, raw: () => Readable.from(['Subject: cut\r\n\n']), size }));
        expect(told.types.slice(-3)).toEqual(['progress', 'warning', 'accepted']);
        expect(eventOf(told, 'warning')).toMatchObject({ code: 'W_SIZE', message: expect.stringContaining(`16 bytes, where "size" ${why}`) as string });
      }
    }
    for (const size of [16, 15]) expect((await collect(client.send({ ...RAW, raw: Readable.from(['Subject: cut\r\n\n']), size }))).types).not.toContain('warning');
  });

  async function* broken() { await Promise.resolve(); yield 'Subject: half\r\n\r\nhalf'; throw new Error('disk gone'); }
  for (const without of [[], ['CHUNKING']]) {
    it(`whose source fails never leave: no end, no mail${without.length === 0 ? ', over BDAT' : ''}`, async () => {
      await using server = await startServer({ without });
      await using client = clientOf(server, { security: ['none'] });
      const { error } = await collect(client.send({ ...RAW, raw: broken() }));
      expect(error).toBeInstanceOf(SmtpSourceError);
      expect(error).toMatchObject({ outcome: 'not-sent', phase: 'body', retryable: false });
      expect((await collect(client.send(RAW))).types.at(-1)).toBe('accepted');
      await client.close();
      await server.idle();
      expect(server.messages.map(({ content }) => content.toString())).toEqual([RAW.raw]);
      expect(server.sessions).toHaveLength(without.length === 0 ? 1 : 2);
    });
  }

  it.each<[string, (raw: () => AsyncIterable<string>) => Message]>([
    ['finished', (raw) => ({ ...RAW, raw })],
    ['composed', (content) => ({ from: 'ann@example.com', to: 'bob@example.org', attachments: [{ content }] })],
  ])('whose source fails once are sent by another try: %s', async (_, messageOf) => {
    await using server = await startServer();
    await using client = clientOf(server, { security: ['none'] });
    let tries = 0;
    async function* busyAtFirst() { await Promise.resolve(); yield 'Subject: late\r\n\r\n'; if ((tries += 1) === 1) throw new TypeError('503 Slow down'); }
    expect((await collect(client.send(messageOf(busyAtFirst)).pipe(retryWhenSafe({ count: 1, delay: 0 })))).types.at(-1)).toBe('accepted');
    expect(tries).toBe(2);
  });

  it.each<[string, () => Iterable<unknown>]>([
    ['bytes above 127', () => ['Grüße']],
    ['chunks that are none', () => [42]],
  ])('whose source gives %s are the same another time', async (_, chunks) => {
    await using server = await startServer({ without: ['8BITMIME', 'SMTPUTF8'] });
    await using client = clientOf(server, { security: ['none'] });
    expect((await collect(client.send({ ...RAW, raw: () => Readable.from(chunks()) }))).error).toMatchObject({ code: 'E_SOURCE', outcome: 'not-sent', retryable: false });
  });

  it('are refused before a socket opens where they cannot work', async () => {
    await using server = await startServer();
    await using client = clientOf(server, { security: ['none'] });
    for (const to of ['bob@example.org>\r\nRCPT TO:<eve@example.org', 'a b@example.org', '', 'bob@example.org\0'])
      expect((await collect(client.send({ ...RAW, envelope: { from: 'ann@example.com', to: [to] } }))).error).toBeInstanceOf(SmtpUsageError);
    expect(server.sessions).toHaveLength(0);
  });

  it('that are too large are not begun', async () => {
    await using server = await startServer({ size: 20 });
    await using client = clientOf(server, { security: ['none'] });
    expect((await collect(client.send(RAW))).error).toMatchObject({ phase: 'mail', outcome: 'not-sent', retryable: false });
    expect(server.sessions[0]?.lines.some((line) => line.startsWith('C: MAIL'))).toBe(false);
  });

  it.each([['BDAT', [], 1], ['DATA', ['CHUNKING'], 3]] as const)('that turn out to be too large are given up on the way, over %s', async (_, without, sessions) => {
    await using server = await startServer({ size: 100_000, without });
    await using client = clientOf(server, { security: ['none'] });
    let isClosed = false;
    async function* endless() { try { for (;;) { await Promise.resolve(); yield 'x'.repeat(98) + '\r\n'; } } finally { isClosed = true; } }
    for (const size of [undefined, 50_000]) {
      const { error } = await collect(client.send({ ...RAW, raw: endless, ...(size === undefined ? {} : { size }) }));
      expect(error).toMatchObject({ code: 'E_USAGE', phase: 'body', outcome: 'not-sent', retryable: false, message: expect.stringMatching(/takes at most 100000 bytes, and the message has at least \d+\. Send less, or a link\.$/) as string });
      expect(isClosed).toBe(true);
    }
    expect((await collect(client.send(RAW))).error).toBeUndefined();
    expect(server.messages).toHaveLength(1);
    expect(server.sessions).toHaveLength(sessions);
  });

  it.each([[[]], [['CHUNKING']]])('are measured as the server has them: a doubled dot is none, a mended line end is two (without %j)', async (without) => {
    await using server = await startServer({ size: 30, without });
    await using client = clientOf(server, { security: ['none'] });
    const send = (text: string) => collect(client.send({ ...RAW, raw: () => Readable.from([text]) }));
    expect((await send('.\n'.repeat(10))).error).toBeUndefined();
    expect((await send('.\n'.repeat(9) + 'ab')).error?.message).toContain('takes at most 30 bytes, and the message has 31.');
  });

  it('are composed, with Bcc kept out of the header', async () => {
    await using server = await startServer();
    await using client = clientOf(server, { security: ['none'] });
    const receipt = await firstValueFrom(client.send({ from: 'Ann <ann@example.com>', to: 'bob@example.org', bcc: 'eve@example.org', subject: 'Hello', text: 'Hi', html: '<p>Hi</p>', attachments: [{ filename: 'a.bin', content: Buffer.from([1, 2, 3]) }] }).pipe(receipts()));
    expect(receipt.accepted).toEqual(['bob@example.org', 'eve@example.org']);
    const content = server.messages[0]?.content.toString() ?? '';
    expect(content).toContain(`Message-ID: ${String(receipt.messageId)}`);
    expect(content).not.toMatch(/eve@/);
  });
});

it.each<[string, Partial<ComposedMessage>, string]>([
  ['encoded', { text: 'é', attachments: [{ filename: 'é.bin', content: Buffer.from([255]) }] }, ''],
  ['in a header', { replyTo: 'josé@example.com', text: 'é' }, 'BODY=8BITMIME SMTPUTF8'],
  ['in an attached message', { attachments: [{ filename: 'a.eml', content: 'Subject: é' }] }, 'BODY=8BITMIME'],
])('8 bits are announced where a composed message has some: %s', async (_, parts, announced) => {
  await using server = await startServer();
  await using client = clientOf(server);
  expect((await collect(client.send({ from: 'ann@example.com', to: 'bob@example.org', ...parts }))).error).toBeUndefined();
  expect(server.messages[0]?.parameters.mail.join(' ')).toMatch(new RegExp(`^SIZE=\\d+ ?${announced}$`));
});

describe.each<[string, string, Message]>([
  ['a sender outside of ASCII', 'the sender\'s address needs', { ...RAW, envelope: { ...RAW.envelope, from: 'josé@example.com' } }],
  ['an address outside of ASCII in the header of a composed message', 'an address in "from", "sender", "to", "cc" or "replyTo" needs', { from: 'ann@example.com', to: 'bob@example.org', replyTo: 'josé@example.com', text: 'Hi' }],
  ['a header outside of ASCII that a finished message tells of', '"smtpUtf8" asks for', { ...RAW, raw: 'Reply-To: josé@example.com\r\n\r\nHi\r\n', smtpUtf8: true }],
])('%s', (_, why, message) => {
  // A server with SMTPUTF8 has 8BITMIME as well, whether it says so or not (RFC 6531 section 3.1).
  it.each([[[]], [['8BITMIME']]])('is announced, without %j', async (without) => {
    await using server = await startServer({ without });
    await using client = clientOf(server);
    expect((await collect(client.send(message))).error).toBeUndefined();
    expect(server.messages[0]?.parameters.mail).toContain('SMTPUTF8');
  });

  it('is not sent to a server that does not take it', async () => {
    await using server = await startServer({ without: ['SMTPUTF8'] });
    await using client = clientOf(server);
    expect((await collect(client.send(message))).error).toMatchObject({ code: 'E_USAGE', outcome: 'not-sent', message: expect.stringContaining(`does not offer SMTPUTF8, which ${why}`) as string });
    expect(server.messages).toHaveLength(0);
  });
});

it('a mail that needs SMTPUTF8 needs it in each of its transactions', async () => {
  for (const to of [['josé@example.org', 'bob@example.org'], ['bob@example.org', 'josé@example.org']]) {
    await using server = await startServer({ without: ['8BITMIME'], limits: { recipients: 1 } });
    await using client = clientOf(server);
    expect((await collect(client.send({ ...RAW, envelope: { from: 'ann@example.com', to }, raw: 'Subject: é\r\n\r\n' }))).error).toBeUndefined();
    expect(server.messages.map((message) => message.to)).toEqual(to.map((one) => [one]));
  }
});

it('recipients of whom none can be told to a server are refused in its stead, and the error says so', async () => {
  await using server = await startServer({ without: ['SMTPUTF8'] });
  await using client = clientOf(server);
  const { error } = await collect(client.send({ ...RAW, envelope: { from: 'ann@example.com', to: ['josé@example.org', '用户@example.org'] } }));
  expect(error).toMatchObject({ code: 'E_REPLY', phase: 'rcpt', outcome: 'refused', retryable: false, reply: { enhanced: [5, 6, 7] }, recipient: 'josé@example.org', refused: [{ recipient: 'josé@example.org' }, { recipient: '用户@example.org' }] });
  expect(error?.message).toMatch(/cannot be told RCPT TO:<josé@example\.org> and 1 more: 5\.6\.7 .*SMTPUTF8.* Use an ASCII address\.$/);
  expect(server.sessions[0]?.lines.filter((line) => line.startsWith('C: RCPT'))).toEqual([]);
});

describe('a mail with "requireTls"', () => {
  const fingerprints = [new X509Certificate(localhostCertificate.cert).fingerprint256];

  it.each<[string, NonNullable<SmtpOptions['tls']>]>([['its authority', { ca: testAuthority }], ['its fingerprint', { rejectUnauthorized: false, fingerprints }]])('goes to a server that is known by %s', async (_, tls) => {
    await using server = await startServer({ offers: ['REQUIRETLS'] });
    await using client = clientOf(server, { tls });
    expect((await collect(client.send({ ...RAW, requireTls: true }))).error).toBeUndefined();
    expect(server.messages[0]?.parameters.mail).toContain('REQUIRETLS');
  });

  it.each<[string, Partial<SmtpOptions>, string]>([
    ['was not verified', { tls: { rejectUnauthorized: false } }, '"tls.ca"'],
    ['is spoken to in clear text', { security: 'none' }, 'Leave "requireTls" out'],
  ])('is not begun where the server %s', async (_, options, remedy) => {
    await using server = await startServer({ offers: ['REQUIRETLS'] });
    await using client = clientOf(server, options);
    expect((await collect(client.send({ ...RAW, requireTls: true }))).error).toMatchObject({ code: 'E_USAGE', phase: 'mail', outcome: 'not-sent', retryable: false, message: expect.stringContaining(remedy) as string });
    expect(server.sessions[0]?.lines.filter((line) => line.startsWith('C: MAIL'))).toEqual([]);
  });
});
