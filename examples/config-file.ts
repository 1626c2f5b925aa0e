// Settings from a file: the app.config of a .NET application. Its password comes from the environment.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom } from 'rxjs';
import { receipts, SmtpClient } from 'rxsmtp';
import { loadOptions } from 'rxsmtp/config';
import { startServer } from 'rxsmtp/testing';

await using server = await startServer({ users: { ann: 'open sesame' } });

// In your application the file already exists.
const folder = await mkdtemp(join(tmpdir(), 'rxsmtp-'));
const file = join(folder, 'app.config');
await writeFile(file, `<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <system.net>
    <mailSettings>
      <smtp from="ann@example.com">
        <network host="localhost" port="${server.port}" userName="ann" password="\${MAIL_PASSWORD}" enableSsl="true" />
      </smtp>
    </mailSettings>
  </system.net>
</configuration>`);

// The second argument is where ${NAME} is looked up; without it, that is process.env.
const options = await loadOptions(file, { MAIL_PASSWORD: 'open sesame' });
await rm(folder, { recursive: true });

// This server's certificate is from a test authority; yours will be from one that every system trusts.
await using client = new SmtpClient({ ...options, tls: { ca: server.ca } });
for (const { host, port, security } of client.plans) console.log(`will try ${host}:${port} (${security})`);

const from = options.defaults?.from ?? 'nobody@example.com';
const receipt = await lastValueFrom(client.send({ from, to: 'bob@example.org', subject: 'Hello', text: 'Hi Bob' }).pipe(receipts()));
console.log(`accepted for ${receipt.accepted.join(', ')}: ${receipt.reply.lines.join(' ')}`);
