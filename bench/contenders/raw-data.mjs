// MAIL, RCPT and DATA in one write, the content and its dot in another: two round trips for a mail.
import { wireLines } from './raw-lines.mjs';
import { envelopeLines, rawContender } from './raw-socket.mjs';

const DOT = Buffer.from('.\r\n');

export const connect = rawContender(async (socket, from, to, mail) => {
  let replies = 0;
  for (let n = from; n < to; n += 1) {
    const { envelope, raw } = mail(n);
    socket.write(`${envelopeLines(envelope)}DATA\r\n`);
    replies += 2 + envelope.to.length;
    await socket.until(replies);
    if (typeof raw === 'function') {
      for await (const block of raw()) await socket.writeSlowly([wireLines(block, true)]);
      socket.write(DOT);
    } else {
      socket.write(Buffer.concat([wireLines(raw, true), DOT]));
    }
    replies += 1;
    await socket.until(replies);
  }
});
