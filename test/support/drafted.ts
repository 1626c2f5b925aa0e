import { isObservable, lastValueFrom, type Observable } from 'rxjs';
import { expect } from 'vitest';
import { draft, type Mail } from '../../src/message/mail.js';
import type { Message } from '../../src/message/message.js';
import { SmtpUsageError } from '../../src/protocol/error.js';

export const only = async (mail: Mail | Observable<Mail>): Promise<Mail> => (isObservable(mail) ? lastValueFrom(mail) : mail);

export const mailOf = async (message: unknown): Promise<Mail> => only(draft(message as Message));

/** All that a mail sends, a character for a byte where it comes in chunks. */
export const read = async (mail: Mail): Promise<string> => {
  const content = mail.open();
  if (content.kind === 'bytes') return content.bytes.toString();
  let text = '';
  for (;;) {
    const chunk = await content.chunks.next();
    if (chunk.done === true) return text;
    text += Buffer.from(chunk.value as string).toString('latin1');
  }
};

export const head = (text: string): string => text.slice(0, text.search(/\r?\n\r?\n/));

/** Why a message cannot be sent. */
export const failure = async (message: unknown): Promise<SmtpUsageError> => {
  const error: unknown = await mailOf(message).then(() => undefined, (reason: unknown) => reason);
  expect(error).toBeInstanceOf(SmtpUsageError);
  return error as SmtpUsageError;
};
