// A mechanism of your own: GSSAPI (RFC 4752) on the package "kerberos", for which this example has a stand-in.
import { lastValueFrom, tap } from 'rxjs';
import { SaslError, SmtpClient, type SaslMechanism } from 'rxsmtp';
import { startServer } from 'rxsmtp/testing';

/** A client of the package "kerberos"; all texts are base64. */
interface KerberosClient {
  readonly contextComplete: boolean;
  step(challenge: string): Promise<string | null>;
  unwrap(challenge: string): Promise<string>;
  wrap(challenge: string, options: { readonly user: string }): Promise<string>;
}

/** `open` is `() => initializeClient('smtp@mail.example.com', { mechOID: GSS_MECH_OID_KRB5 })`. */
const gssapi = (user: string, open: () => Promise<KerberosClient>): SaslMechanism => {
  let context: KerberosClient | undefined;
  let done = false;
  return {
    name: 'GSSAPI',
    clearTextSafe: true,
    get done() { return done; },
    // The first token takes a ticket, which takes time: it answers the server's empty challenge.
    start: () => {
      context = undefined;
      done = false;
      return undefined;
    },
    next: async (challenge) => {
      if (done) throw new SaslError('it asked again after everything was said');
      context ??= await open();
      const text = Buffer.from(challenge).toString('base64');
      if (!context.contextComplete) return Buffer.from(await context.step(text) ?? '', 'base64');
      // What the server offers to protect with is declined, because TLS does that.
      const response = await context.wrap(await context.unwrap(text), { user });
      done = true;
      return Buffer.from(response, 'base64');
    },
  };
};

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const text = (base64: string): string => Buffer.from(base64, 'base64').toString();

/** Tickets and wrappings that anyone can read. */
const standIn = (): Promise<KerberosClient> => {
  let steps = 0;
  return Promise.resolve({
    get contextComplete() { return steps === 2; },
    step: (challenge) => {
      steps += 1;
      return Promise.resolve(base64(steps === 1 ? 'ticket for smtp' : `seen: ${text(challenge)}`));
    },
    unwrap: (challenge) => Promise.resolve(base64(text(challenge).replace(/^wrapped /, ''))),
    wrap: (_challenge, { user }) => Promise.resolve(base64(`wrapped \x01\0\0\0${user}`)),
  });
};

await using server = await startServer({
  signIn: {
    GSSAPI: async (ask) => {
      if (await ask('') !== 'ticket for smtp' || await ask('I am the server') !== 'seen: I am the server') return undefined;
      return /^wrapped \x01\0\0\0(.*)$/.exec(await ask('wrapped \x01\0\0\0') ?? '')?.[1];
    },
  },
});
await using client = new SmtpClient({ host: 'localhost', port: server.port, tls: { ca: server.ca }, auth: gssapi('ann', standIn) });
await lastValueFrom(client.verify().pipe(tap((event) => { if (event.type === 'authenticated') console.log(`Signed in by ${event.mechanism}`); })));
