// What the last of the given imports costs, after the ones before it, in a process of its own.
const names = JSON.parse(process.argv[2]);
for (const name of names.slice(0, -1)) await import(name);
const before = process.cpuUsage();
const rss = process.memoryUsage.rss();
await import(names.at(-1));
const { user, system } = process.cpuUsage(before);
process.send({ cpu: (user + system) / 1000, over: (process.memoryUsage.rss() - rss) / 2 ** 20 });
process.disconnect();
