import { BlockList, isIP } from 'node:net';

/**
 * Whether a `NO_PROXY` list exempts a host. An entry is `*`, a name (and all names below it), an address or a network, with
 * an optional `:port`. What is none of these exempts nothing: the way without the proxy is never taken by mistake.
 */
export const isExempt = (list: string, host: string, port: number | undefined): boolean =>
  list.split(/[\s,]+/).filter((entry) => entry !== '').some((entry) => matches(entry.toLowerCase(), normal(host), port));

const normal = (host: string): string => host.toLowerCase().replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');

const matches = (entry: string, host: string, port: number | undefined): boolean => {
  if (entry === '*') return true;
  const [, place = '', only] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry) ?? [undefined, entry];
  if (only !== undefined && Number(only) !== port) return false;
  const name = normal(place);
  if (isIP(host) !== 0) return contains(name, host);
  const suffix = name.replace(/^\*?\./, '');
  return suffix !== '' && (host === suffix || host.endsWith(`.${suffix}`));
};

const contains = (entry: string, address: string): boolean => {
  const [network = '', prefix] = entry.split('/', 2);
  const family = isIP(network) === 6 ? 'ipv6' : 'ipv4';
  const longest = family === 'ipv6' ? 128 : 32;
  const length = prefix === undefined ? longest : /^\d{1,3}$/.test(prefix) ? Number(prefix) : NaN;
  if (isIP(network) === 0 || !(length <= longest)) return false;
  const networks = new BlockList();
  networks.addSubnet(network, length, family);
  return networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
};
