import type { ServerOptions } from './options.js';
import { DEFAULT_MECHANISMS } from './sign-in.js';

export const DEFAULT_SIZE = 52_428_800;

const BUILT_IN: readonly string[] = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'CHUNKING', 'DSN', 'ENHANCEDSTATUSCODES', 'SIZE'];

/** What may stand behind a path, and the keyword that offers it. */
const PARAMETERS: readonly (readonly [keyword: string, parameter: RegExp])[] = [
  ['SIZE', /^SIZE=\d+$/i], ['8BITMIME', /^BODY=(?:7BIT|8BITMIME)$/i], ['BINARYMIME', /^BODY=BINARYMIME$/i], ['SMTPUTF8', /^SMTPUTF8$/i],
  ['DSN', /^(?:RET|ENVID|NOTIFY|ORCPT)=/i], ['REQUIRETLS', /^REQUIRETLS$/i], ['AUTH', /^AUTH=/i],
  ['MT-PRIORITY', /^MT-PRIORITY=/i], ['DELIVERBY', /^BY=/i], ['FUTURERELEASE', /^HOLD(?:FOR|UNTIL)=/i],
];

/** What a server offers, and so understands. */
export class Offers {
  readonly #options: ServerOptions;
  /** SASL names. */
  readonly mechanisms: readonly string[];

  constructor(options: ServerOptions) {
    const { users, mechanisms = DEFAULT_MECHANISMS, signIn = {} } = options;
    this.#options = options;
    this.mechanisms = this.lacks('AUTH') ? [] : [...new Set([...Object.keys(signIn), ...(users === undefined ? [] : mechanisms)])];
  }

  has(keyword: string): boolean {
    const { offers = [] } = this.#options;
    return offers.some((line) => line.toUpperCase().split(' ', 1)[0] === keyword) || (BUILT_IN.includes(keyword) && !this.lacks(keyword));
  }

  /** It was left out on purpose. */
  lacks(keyword: string): boolean {
    return this.#options.without?.includes(keyword) === true;
  }

  /** A parameter of MAIL or RCPT. */
  knows(word: string): boolean {
    return PARAMETERS.some(([keyword, parameter]) => parameter.test(word) && (this.has(keyword) || (keyword === 'AUTH' && this.mechanisms.length > 0)));
  }

  /** The reply to EHLO. */
  told(isSecure: boolean): string {
    const { tls = 'starttls', size = DEFAULT_SIZE, offers = [], limits } = this.#options;
    const lines = [
      'test.example at your service',
      ...BUILT_IN.filter((keyword) => this.has(keyword)).map((keyword) => (keyword === 'SIZE' ? `SIZE ${size}` : keyword)),
      ...(tls === 'starttls' && !isSecure && !this.lacks('STARTTLS') ? ['STARTTLS'] : []),
      ...(this.mechanisms.length === 0 ? [] : [`AUTH ${this.mechanisms.join(' ')}`]),
      ...(limits === undefined || this.lacks('LIMITS') ? [] : [`LIMITS ${toldLimits(limits)}`]),
      ...offers,
    ];
    return lines.map((line, index) => `250${index === lines.length - 1 ? ' ' : '-'}${line}`).join('\r\n');
  }
}

const toldLimits = ({ mails, recipients, domains }: NonNullable<ServerOptions['limits']>): string =>
  Object.entries({ MAILMAX: mails, RCPTMAX: recipients, RCPTDOMAINMAX: domains }).flatMap(([name, limit]) => (limit === undefined ? [] : [`${name}=${limit}`])).join(' ');
