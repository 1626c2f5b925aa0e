import { Readable } from 'node:stream';
import { filter, firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { receipts, type SmtpError } from '../../src/index.js';
import { startServer, type ServerOptions, type TestServer } from '../../src/testing/index.js';
import { clientOf, MAIL } from '../support/clear-client.js';
import { collect } from '../support/collect.js';
import { WAYS } from '../support/ways.js';

const mailTo = (names: string, raw: string | Readable = MAIL.raw) => ({ envelope: { from: 'ann@example.com', to: names.split(' ').map((name) => `${name}@example.org`) }, raw });

/** Whom an error tells of, each with the server's code. */
const named = ({ refused }: SmtpError): string => refused.map(({ recipient, reply: { code } }) => `${String(code)} ${recipient.split('@')[0] ?? ''}`).join(' ');

for (const [way, without] of Object.entries(WAYS)) {
  describe(`an error tells of all recipients that were refused before, ${way}`, () => {
    const serve = (options: ServerOptions = {}): Promise<TestServer> =>
      startServer({ without, onRecipient: (path) => (path.startsWith('dead') ? '550 5.1.1 No such user' : path.startsWith('grey') ? '450 4.2.0 Greylisted' : undefined), ...options });
    const failureOn = async (server: TestServer, mail: ReturnType<typeof mailTo>): Promise<SmtpError> => {
      await using client = clientOf(server);
      return await firstValueFrom(client.send(mail).pipe(receipts())).then(() => { throw new Error('It was sent.'); }, (error: unknown) => error as SmtpError);
    };

    it.each([
      ['dead', '550 dead', 'RCPT TO:<dead@example.org>: 550'],
      ['dead1 dead2', '550 dead1 550 dead2', 'RCPT TO:<dead1@example.org> and 1 more: 550'],
      ['dead grey dead2', '550 dead 450 grey 550 dead2', 'RCPT TO:<grey@example.org> and 2 more: 450'],
    ])('where nobody is left: %s', async (to, refused, sentence) => {
      await using server = await serve();
      for (const raw of [MAIL.raw, Readable.from(MAIL.raw)]) {
        const error = await failureOn(server, mailTo(to, raw));
        expect(error.message).toContain(`refused ${sentence}`);
        expect(named(error)).toBe(refused);
        expect(JSON.parse(JSON.stringify(error))).toHaveProperty('refused', error.refused);
      }
    });

    it('and names the first who was one too many before those that are dead, where it can be read once', async () => {
      await using server = await serve({ onRecipient: (path) => (path.startsWith('dead') ? '550 5.1.1 No such user' : '552 Too many recipients') });
      expect(await failureOn(server, mailTo('dead bob eve', Readable.from(MAIL.raw)))).toMatchObject({ recipient: 'bob@example.org', reply: { code: 552 } });
    });

    it.each([undefined, 1, 2])('and is the first of them, in however many transactions: %s at a time', async (recipients) => {
      await using server = await serve(recipients === undefined ? {} : { limits: { recipients } });
      const error = await failureOn(server, mailTo('dead1 dead2 dead3'));
      expect(error).toMatchObject({ recipient: 'dead1@example.org', retryable: false });
      expect(named(error)).toBe('550 dead1 550 dead2 550 dead3');
    });

    it.each<[string, ServerOptions, object]>([
      ['the content is refused', { faults: [{ at: 'end-of-data', do: 'reply', reply: '451 4.3.0 Later' }] }, { code: 'E_REPLY', phase: 'end-of-data' }],
      ['the answer to the content is lost', { faults: [{ at: 'end-of-data', do: 'close' }] }, { code: 'E_CLOSED', outcome: 'unknown' }],
      ['the server hangs up on another one', { faults: [{ at: 'rcpt', skip: 1, do: 'close' }] }, { code: 'E_CLOSED' }],
    ])('where %s', async (_, options, expected) => {
      for (const raw of [MAIL.raw, Readable.from(MAIL.raw)]) {
        await using server = await serve(options);
        const error = await failureOn(server, mailTo('dead bob', raw));
        expect(error).toMatchObject(expected);
        expect(error.message).not.toContain('more');
        expect(named(error)).toBe('550 dead');
      }
    });

    it.each(['550 dead', '450 grey'])('where a goodbye is the answer to the last, behind %s', async (before) => {
      await using server = await serve({ faults: [{ at: 'rcpt', skip: 1, do: 'reply', reply: '421 4.7.0 No more' }] });
      const error = await failureOn(server, mailTo(`${before.slice(4)} bob`));
      expect(error.message).toContain('RCPT TO:<bob@example.org> and 1 more: 421');
      expect(named(error)).toBe(`${before} 421 bob`);
    });

    it('where the client is closed before the answer comes', async () => {
      await using server = await serve({ faults: [{ at: 'end-of-data', do: 'silence' }] });
      await using client = clientOf(server, { timeouts: { close: 50, quit: 100 } });
      const failure = new Promise<SmtpError>((resolve) => client.send(mailTo('dead bob', Readable.from(MAIL.raw))).pipe(filter(({ type }) => type === 'recipient-accepted')).subscribe({ next: () => { void client.close(); }, error: resolve }));
      expect(named(await failure)).toBe('550 dead');
    });

    it('where they were told in several transactions', async () => {
      await using server = await serve({ limits: { recipients: 2 } });
      const error = await failureOn(server, mailTo('grey1 dead2 dead3 grey4 dead5'));
      expect(error.message).toContain('RCPT TO:<grey1@example.org> and 4 more: 450');
      expect(named(error)).toBe('450 grey1 550 dead2 550 dead3 450 grey4 550 dead5');
    });

    it('where some have the mail', async () => {
      await using server = await serve({ limits: { recipients: 2 }, faults: [{ at: 'end-of-data', skip: 1, do: 'close' }] });
      const error = await failureOn(server, mailTo('dead1 bob2 bob3 dead4'));
      expect(error).toMatchObject({ code: 'E_PARTIAL', inDoubt: ['bob3@example.org'] });
      expect(named(error)).toBe('550 dead1 550 dead4');
    });
  });
}

describe('an error tells of no refusal that may be a reply to something else', () => {
  const oneTooMany = (skip: number): ServerOptions => ({ faults: [{ at: 'rcpt', skip, do: 'glue', extra: '550 5.1.1 No such user\r\n' }] });

  it('in the only transaction', async () => {
    await using server = await startServer(oneTooMany(1));
    await using client = clientOf(server);
    await collect(client.send(MAIL));
    const { error } = await collect(client.send(mailTo('eve dan')));
    expect(error).toMatchObject({ code: 'E_PROTOCOL', phase: 'end-of-data', outcome: 'unknown', refused: [] });
  });

  it('but of those before, where nothing had left', async () => {
    await using server = await startServer({ without: ['CHUNKING'], onRecipient: (path) => (path.startsWith('dead') ? '550 5.1.1 No such user' : undefined), faults: [{ at: 'data', do: 'reply', reply: '250 what' }] });
    await using client = clientOf(server);
    const { error } = await collect(client.send(mailTo('dead bob')));
    expect(error).toMatchObject({ code: 'E_PROTOCOL', phase: 'data', outcome: 'not-sent', refused: [{ recipient: 'dead@example.org' }] });
  });

  it('in the last of several', async () => {
    await using server = await startServer({ ...oneTooMany(2), limits: { recipients: 2 }, onRecipient: (path) => (path.startsWith('dead') ? '550 5.1.1 No such user' : undefined) });
    await using client = clientOf(server);
    const { error } = await collect(client.send(mailTo('dead bob eve dan ida')));
    expect(error).toMatchObject({ code: 'E_PARTIAL', outcome: 'unknown', inDoubt: ['eve@example.org', 'dan@example.org'], unsent: ['ida@example.org'], refused: [{ recipient: 'dead@example.org' }] });
  });
});

it('an error from before the first recipient tells of none', async () => {
  await using server = await startServer({ faults: [{ at: 'mail', do: 'reply', reply: '550 5.7.1 Not you' }] });
  await using client = clientOf(server);
  await expect(firstValueFrom(client.send(MAIL).pipe(receipts()))).rejects.toMatchObject({ phase: 'mail', refused: [] });
});

it.each([[1, '503 5.5.1 MAIL first'], [20, '503 5.5.1 MAIL first'], [20, '550 5.7.1 Not you']])('what was refused stands in the transcript of its error, with %i recipients behind it that get %s', async (count, also) => {
  await using server = await startServer({ without: ['CHUNKING'], faults: [{ at: 'mail', do: 'reply', reply: '550 5.7.1 Not you' }, { at: 'rcpt', do: 'reply', reply: also, times: Infinity }] });
  await using client = clientOf(server);
  const { error } = await collect(client.send(mailTo(Array.from({ length: count }, (_, index) => `r${String(index)}`).join(' '))));
  const said = error?.transcript.map(({ from, text }) => `${from}: ${text}`) ?? [];
  const at = said.findIndex((line) => line.startsWith('client: MAIL FROM:<ann@example.com>'));
  expect(said.slice(at).find((line) => line.startsWith('server'))).toBe('server: 550 5.7.1 Not you');
  expect(at).toBeGreaterThanOrEqual(0);
});
