// `XXXXXXXA` in the place of STARTTLS, or `XXXX` of EHLO: firewalls that inspect SMTP write over the words that they do not let through.
const CROSSED_OUT = /^X{4,}[A-Z]?$/;

/** What to do about a word that is missing or not known: somebody on the way may have taken it out. */
export const unlessCrossedOut = (words: readonly string[], otherwise: string): string =>
  words.some((word) => CROSSED_OUT.test(word)) ? 'A firewall seems to rewrite what is said: have its inspection of SMTP turned off, or use the port for implicit TLS (465).' : otherwise;
