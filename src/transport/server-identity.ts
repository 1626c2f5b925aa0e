import type { PeerCertificate } from 'node:tls';
import { tls } from './builtins.js';

/**
 * Why a certificate is not for that host. Node's own answer, held to RFC 9525 section 6.3, where a wildcard is the whole left-most
 * label. The common name counts where there is no name of a host beside it (RFC 6125 section 6.4.4).
 */
export const checkServerIdentity = (host: string, certificate: Partial<PeerCertificate>): Error | undefined => {
  const { subject = {}, subjectaltname } = certificate;
  const names = {
    subject: NAMES_A_SERVICE.test(subjectaltname ?? '') ? {} : { CN: [subject.CN ?? []].flat().map(withoutPartialWildcards) },
    ...(subjectaltname === undefined ? {} : { subjectaltname: withoutPartialWildcards(subjectaltname) }),
  };
  return tls().checkServerIdentity(host, { ...certificate, ...names } as PeerCertificate);
};

const NAMES_A_SERVICE = /(?:^|, )(?:URI|othername):/;

// No host has such a letter. The list of alternative names is text, in which a name cannot be left out as safely.
const withoutPartialWildcards = (names: string): string => names.replace(/\*(?=[^.,])|(?<=[^:])\*/g, '?');
