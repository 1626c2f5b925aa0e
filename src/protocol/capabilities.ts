import { ownValue } from './bare.js';
import type { Reply } from './reply.js';

const MOST_KEYWORDS = 128;
// RFC 5321 section 4.1.1.1, ehlo-keyword.
const KEYWORD = /^[A-Za-z0-9][A-Za-z0-9-]*$/;
/** RFC 4422 section 3.1, sasl-mech. */
export const MECHANISM_NAME = /^[A-Z0-9_-]{1,20}$/;
// RFC 1870 section 3.
const SIZE = /^[0-9]{1,20}$/;

const sizeLimit = ([limit = '']: readonly string[] = []): number | undefined => (SIZE.test(limit) && Number(limit) > 0 ? Number(limit) : undefined);

const NONE: readonly string[] = Object.freeze([]);

const mechanisms = (names: readonly string[] = []): readonly string[] =>
  Object.freeze([...new Set(names.map((name) => name.toUpperCase()))].filter((name) => MECHANISM_NAME.test(name)));

/** The limits that a server announced (RFC 9422); undefined where it announced none. */
export interface Limits {
  /** Mails in one session, refused ones included. */
  readonly mails: number | undefined;
  /** Recipients of one transaction, refused ones included. */
  readonly recipients: number | undefined;
  /** Domains of all the recipients in one session. */
  readonly domains: number | undefined;
}

// RFC 9422 section 4: six digits at most, and no zero in front. What is anything else counts as not told.
const limit = (given: readonly string[], name: string): number | undefined => {
  const pattern = new RegExp(`^${name}=([1-9][0-9]{0,5})$`, 'i');
  const values = given.flatMap((word) => pattern.exec(word)?.[1] ?? []);
  return values.length === 0 ? undefined : Math.min(...values.map(Number));
};

const limits = (given: readonly string[] = []): Limits =>
  Object.freeze({ mails: limit(given, 'MAILMAX'), recipients: limit(given, 'RCPTMAX'), domains: limit(given, 'RCPTDOMAINMAX') });

/** What a server offers (RFC 5321 section 4.1.1.1). Immutable. The first line of the reply is never taken for an offer. */
export class Capabilities {
  /** Before the first EHLO, and after TLS made what was said before void (RFC 3207 section 4.2). */
  static readonly none: Capabilities = new this('', false, new Map());

  /** The name that the server gave itself. */
  readonly domain: string;
  /** It answered EHLO, not only HELO. */
  readonly extended: boolean;
  /** Octets of the largest message (RFC 1870); undefined where there is no limit, or none that makes sense. */
  readonly sizeLimit: number | undefined;
  /** Names of SASL mechanisms, in the server's order. */
  readonly authentication: readonly string[];
  /** How many mails, recipients and domains it accepts. */
  readonly limits: Limits;
  /** The words after each keyword, which is in capitals: none of them is a name that an object inherits. */
  readonly offers: Readonly<Record<string, readonly string[]>>;

  private constructor(domain: string, extended: boolean, offers: ReadonlyMap<string, readonly string[]>) {
    this.domain = domain;
    this.extended = extended;
    this.sizeLimit = sizeLimit(offers.get('SIZE'));
    this.authentication = mechanisms(offers.get('AUTH'));
    this.limits = limits(offers.get('LIMITS'));
    this.offers = Object.freeze(Object.fromEntries(offers));
    Object.freeze(this);
  }

  static fromEhlo(reply: Reply): Capabilities {
    const capabilities = read.get(reply) ?? this.#read(reply);
    read.set(reply, capabilities);
    return capabilities;
  }

  static #read({ lines }: Reply): Capabilities {
    const offers = new Map<string, readonly string[]>();
    lines.slice(1).forEach((line) => {
      // The spelling of drafts before RFC 2554, which is still around: AUTH=LOGIN PLAIN.
      const given = words(line.replace(/^ *AUTH=/i, 'AUTH '));
      const keyword = (given.shift() ?? '').toUpperCase();
      const before = offers.get(keyword);
      if (KEYWORD.test(keyword) && (before !== undefined || offers.size < MOST_KEYWORDS)) offers.set(keyword, Object.freeze(before === undefined ? given : before.concat(given)));
    });
    return new this(domainOf(lines[0] ?? ''), true, offers);
  }

  static fromHelo({ lines }: Reply): Capabilities {
    return new this(domainOf(lines[0] ?? ''), false, new Map());
  }

  get keywords(): readonly string[] {
    return Object.keys(this.offers);
  }

  has(keyword: string): boolean {
    return Object.hasOwn(this.offers, keyword) || Object.hasOwn(this.offers, keyword.toUpperCase());
  }

  /** The words after a keyword; none if it is not offered. */
  parameters(keyword: string): readonly string[] {
    return ownValue(this.offers, keyword.toUpperCase()) ?? NONE;
  }
}

// A server says the same on each connection, and the same reply is read once.
const read = new WeakMap<Reply, Capabilities>();

const words = (line: string): string[] => line.split(' ').filter((word) => word !== '');

const domainOf = (greeting: string): string => words(greeting)[0] ?? '';
