import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { startServer } from '../../src/testing/index.js';
import { clientOf } from '../support/clear-client.js';
import { mails, outcomes, sendAll } from '../support/many-mails.js';

const MANY = 60;

describe('where a server refuses mails as long as there are more than three connections', () => {
  it.each([
    // By each connection at most when all are open, and by two, half as many, when there is one less.
    ['as many are kept as it takes', 'because it counts them', '432 4.3.2 Concurrent connections limit exceeded.', 3, 5 + 2],
    ['all are kept', 'and does not say so', '451 4.7.1 Greylisted.', 5, MANY],
  ])('%s, %s', async (_kept, _why, reply, open, most) => {
    await using server = await startServer({ without: ['PIPELINING', 'CHUNKING'], onRecipient: () => (server.connections > 3 ? reply : undefined) });
    await using client = clientOf(server);
    const refused = outcomes(await sendAll(client, mails(MANY))).filter((outcome) => outcome !== 'accepted');
    expect(refused.length).toBeLessThanOrEqual(most);
    expect(server.sessions).toHaveLength(5);
    expect(await firstValueFrom(client.state$)).toMatchObject({ open, idle: open });
  });
});
