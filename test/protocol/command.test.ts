import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { auth, AUTH_CANCEL, authResponse, Command, DATA, ehlo, helo, mailFrom, QUIT, rcptTo, RSET, STARTTLS } from '../../src/protocol/command.js';
import { SmtpUsageError } from '../../src/protocol/error.js';

const SECRET = 'tanstaaftanstaaf';
const secret = Buffer.from(`\0tim\0${SECRET}`);
const encoded = secret.toString('base64');

describe('Command', () => {
  it.each([
    [ehlo('client.example.com'), 'hello', 'EHLO client.example.com'],
    [helo('[192.0.2.1]'), 'hello', 'HELO [192.0.2.1]'],
    [STARTTLS, 'starttls', 'STARTTLS'],
    [mailFrom('ann@example.com'), 'mail', 'MAIL FROM:<ann@example.com>'],
    [mailFrom('', ' SIZE=5 BODY=8BITMIME'), 'mail', 'MAIL FROM:<> SIZE=5 BODY=8BITMIME'],
    [rcptTo('josé@example.com', ' NOTIFY=NEVER'), 'rcpt', 'RCPT TO:<josé@example.com> NOTIFY=NEVER'],
    [DATA, 'data', 'DATA'],
    [RSET, 'reset', 'RSET'],
    [QUIT, 'quit', 'QUIT'],
    [auth('LOGIN'), 'auth', 'AUTH LOGIN'],
    [AUTH_CANCEL, 'auth', '*'],
  ])('prints its line: %s', (command, phase, line) => {
    expect(command.line).toBe(line);
    expect(command.toString()).toBe(line);
    expect(command.phase).toBe(phase);
  });

  it.each([
    [auth('PLAIN', secret), `AUTH PLAIN ${encoded}`, 'AUTH PLAIN ***'],
    [auth('EXTERNAL', new Uint8Array()), 'AUTH EXTERNAL =', 'AUTH EXTERNAL ***'],
    [authResponse(secret), encoded, '***'],
    [authResponse(new Uint8Array()), '', '***'],
  ])('never shows a secret: %s', (command, line, shown) => {
    expect(command.line).toBe(line);
    for (const text of [command.toString(), inspect(command), inspect({ deep: { command } }), JSON.stringify(command), JSON.stringify({ command })]) {
      expect(text).toContain(shown);
      expect(text).not.toContain(encoded);
      expect(text).not.toContain(SECRET);
    }
    expect(Object.values(command)).toEqual(['auth']);
  });

  it.each(['\r\n', '\r', '\n', '\0', '\u001b', '\u007f', '\u0085', '\u2028', '\u2029', '\ud800', '\udc00'])('refuses %j, and does not repeat it', (character) => {
    for (const make of [() => ehlo(`a${character}b`), () => mailFrom(`a${character}b`), () => rcptTo('a', ` X=${character}`), () => auth(`X${character}`)]) {
      expect(make).toThrow(SmtpUsageError);
      expect(make).not.toThrow(character);
    }
  });

  it('keeps characters that end in the byte of a line break', () => {
    expect(Command.of('mail', 'MAIL \u560d\u560a\u010a').line).toBe('MAIL \u560d\u560a\u010a');
  });
});
