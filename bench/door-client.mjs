// One client at a door that it knows nothing of: how long until a mail could start, or until it gave up.

/** @type {{ client: string, host: string, port: number, ca: string, timeout: number }} `timeout`: ms for each step */
const { client: name, host, port, ca, timeout } = JSON.parse(process.argv[2]);
// What a user would set by hand, going by the port.
const secure = port === 465;

const rxsmtp = async (options) => {
  const { SmtpClient } = await import('rxsmtp');
  const client = new SmtpClient({ host, port, tls: { ca }, timeouts: { connect: timeout, greeting: timeout, tls: timeout, command: timeout }, ...options });
  return () => client.verify().forEach((event) => { if (event.type === 'ready') tell(event.secure ? 'encrypted' : 'clear text'); });
};

const nodemailer = async (modes) => {
  const { createTransport } = await import('nodemailer');
  return async () => {
    for (const [index, mode] of modes.entries()) {
      const transport = createTransport({ host, port, secure: mode, tls: { ca }, connectionTimeout: timeout, greetingTimeout: timeout });
      try {
        await transport.verify();
        return tell('ready');
      } catch (error) {
        if (index === modes.length - 1) throw error;
      }
    }
  };
};

const CLIENTS = {
  rxsmtp: () => rxsmtp({ security: 'auto' }),
  'rxsmtp, stagger 300': () => rxsmtp({ security: 'auto', stagger: 300 }),
  'in turn: clear, then TLS': () => nodemailer([false, true]),
  'in turn: TLS, then clear': () => nodemailer([true, false]),
  nodemailer: () => nodemailer([secure]),
  async emailjs() {
    const { SMTPClient } = await import('emailjs');
    const { smtp } = new SMTPClient({ host, port, timeout, ...(secure ? { ssl: { ca } } : { tls: { ca } }) });
    const step = (run) => new Promise((resolve, reject) => run((error) => (error ? reject(error) : resolve())));
    return async () => {
      await step((done) => smtp.connect(done));
      await step((done) => smtp.ehlo_or_helo_if_needed(done));
      tell('ready');
      smtp.close();
    };
  },
  async upyo() {
    const { SmtpTransport } = await import('@upyo/smtp');
    const transport = new SmtpTransport({ host, port, secure, tls: { ca: [ca] }, connectionTimeout: timeout, socketTimeout: timeout });
    return async () => {
      await transport.getConnection();
      tell('ready');
    };
  },
};

let start;
const tell = (end) => process.send({ end, ms: performance.now() - start });

// A setting that this version does not know is no result.
const ready = await CLIENTS[name]().catch((error) => process.send({ end: error.message }));
if (typeof ready === 'function') {
  start = performance.now();
  await ready().catch(() => tell('gave up'));
}
process.disconnect();
