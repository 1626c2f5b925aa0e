import type { Capabilities } from '../protocol/capabilities.js';

// `XXXXXXXA` in the place of STARTTLS: firewalls that inspect SMTP write over the keywords that they do not let through.
const CROSSED_OUT = /^X{4,}[A-Z]?$/;

/** What to do about an offer that is missing: somebody on the way may have taken it out. */
export const unlessCrossedOut = ({ keywords }: Capabilities, otherwise: string): string =>
  keywords.some((keyword) => CROSSED_OUT.test(keyword)) ? 'A firewall seems to rewrite what it offers: have its inspection of SMTP turned off, or use the port for implicit TLS (465).' : otherwise;
