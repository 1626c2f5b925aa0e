// The content and its dot in one write with MAIL, RCPT and DATA of the next mail (RFC 2920 section 3.1): one round trip for a mail.
import { wireLines } from './raw-lines.mjs';
import { envelopeLines, rawContender } from './raw-socket.mjs';

const DOT = Buffer.from('.\r\n');
const envelopeOf = ({ envelope }) => Buffer.from(`${envelopeLines(envelope)}DATA\r\n`, 'latin1');

export const connect = rawContender(async (socket, from, to, mail) => {
  if (from >= to) return;
  let next = mail(from);
  let replies = 0;
  socket.write(envelopeOf(next));
  for (let n = from; n < to; n += 1) {
    const { envelope, raw } = next;
    replies += 2 + envelope.to.length;
    await socket.until(replies);
    const pieces = [wireLines(raw, true), DOT];
    replies += 1;
    if (n + 1 < to) pieces.push(envelopeOf(next = mail(n + 1)));
    socket.write(Buffer.concat(pieces));
  }
  await socket.until(replies);
});
