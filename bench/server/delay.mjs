// A line with a delay: what goes in comes out so many ms later, each way, at any rate. A process of its own.
import { createServer, Socket } from 'node:net';

const { oneWay } = JSON.parse(process.argv[2]);

/** A queue that runs each task `oneWay` ms after it was put in: one timer, for the first. */
function delayed() {
  const queue = [];
  const run = () => {
    const now = performance.now();
    // Half a millisecond early is closer than a whole one late.
    while (queue.length > 0 && queue[0].at - now < 0.5) queue.shift().task();
    if (queue.length > 0) setTimeout(run, queue[0].at - now);
  };
  return (task) => {
    queue.push({ at: performance.now() + oneWay, task });
    if (queue.length === 1) setTimeout(run, oneWay);
  };
}

function carry(from, to) {
  const later = delayed();
  from.on('data', (chunk) => later(() => to.write(chunk)));
  from.on('end', () => later(() => to.end()));
  from.on('close', () => later(() => to.destroySoon()));
  from.on('error', () => undefined);
}

const towards = (target) => (client) => {
  const upstream = new Socket({ allowHalfOpen: true });
  upstream.setNoDelay();
  carry(client, upstream);
  carry(upstream, client);
  // The handshake of TCP takes three ways, and here it was instant.
  setTimeout(() => upstream.connect({ port: target, host: '127.0.0.1' }), 3 * oneWay);
};

process.once('message', ({ port }) => {
  const server = createServer({ noDelay: true, allowHalfOpen: true }, towards(port));
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
});
process.on('disconnect', () => process.exit());
