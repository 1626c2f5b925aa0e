// RSET, MAIL, RCPT, BDAT LAST of many mails in one write (RFC 3030), and replies counted as they come.
import { wireLines } from './raw-lines.mjs';
import { envelopeLines, rawContender } from './raw-socket.mjs';

const WRITE = 65_536;
const WINDOW = 512;
const BLOCKS = 4;

const small = async (socket, from, to, mail) => {
  const perMail = 3 + mail(from).envelope.to.length;
  let pending = [];
  let bytes = 0;
  const flush = () => {
    socket.write(Buffer.concat(pending));
    pending = [];
    bytes = 0;
  };
  for (let n = from; n < to; n += 1) {
    const { envelope, raw } = mail(n);
    const head = Buffer.from(`RSET\r\n${envelopeLines(envelope)}BDAT ${raw.length} LAST\r\n`, 'latin1');
    pending.push(head, raw);
    bytes += head.length + raw.length;
    if (bytes < WRITE) continue;
    flush();
    await socket.until((n - from + 1 - WINDOW) * perMail);
  }
  if (bytes > 0) flush();
  await socket.until((to - from) * perMail);
};

const large = async (socket, { envelope, raw }) => {
  const untouched = socket.offer.includes('BINARYMIME');
  socket.write(envelopeLines(envelope, untouched ? ' BODY=BINARYMIME' : ''));
  let replies = 1 + envelope.to.length;
  let pending = [];
  const chunk = (last) => {
    replies += 1;
    return socket.writeSlowly([Buffer.from(`BDAT ${pending.reduce((sum, { length }) => sum + length, 0)}${last}\r\n`), ...pending]);
  };
  for await (const block of raw()) {
    pending.push(untouched ? block : wireLines(block, false));
    if (pending.length < BLOCKS) continue;
    await chunk('');
    pending = [];
  }
  await chunk(' LAST');
  await socket.until(replies);
};

export const connect = rawContender((socket, from, to, mail) => {
  if (from >= to) return undefined;
  return typeof mail(from).raw === 'function' ? large(socket, mail(from)) : small(socket, from, to, mail);
});
