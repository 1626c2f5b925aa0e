import { expect, it, vi } from 'vitest';
import { SmtpClient } from '../../src/index.js';
import { collect } from '../support/collect.js';

vi.mock('socks', () => { throw new Error('not found'); });

it('a package socks that cannot be loaded is told as any other failure', async () => {
  await using client = new SmtpClient({ host: 'mail.example', security: 'none', proxy: 'socks5://127.0.0.1:1' });
  const { error } = await collect(client.verify());
  expect(error).toMatchObject({ code: 'E_USAGE', phase: 'proxy', outcome: 'not-sent', message: expect.stringMatching(/cannot be loaded: .*\. Install it/) as string });
});
