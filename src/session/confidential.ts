import type { ByteStream } from '../transport/byte-stream.js';

/** Nobody in between can read along: TLS, or the peer is this machine - a Unix socket, say - and no proxy is in between. */
export const isConfidential = ({ tls, via, remote }: Pick<ByteStream, 'remote'> & Partial<Pick<ByteStream, 'tls' | 'via'>>): boolean =>
  tls !== undefined || (via === undefined && isThisMachine(remote.address));

const isThisMachine = (address: string): boolean => address === '::1' || address.startsWith('/') || /^(?:::ffff:)?127\./.test(address);
