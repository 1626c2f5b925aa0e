import { afterAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../src/testing/index.js';
import { complaintsAbout } from './support/compile.js';
import { linesPrintedBy, promisedOutput, readPage, SnippetFolder, snippetsOf } from './support/snippets.js';

// The first snippet makes the client that all others use.
const [setup = '', ...snippets] = snippetsOf(readPage('README.md'));

/** A snippet as it stands, with nothing changed but where its server is. */
const moduleOf = (snippet: string, { port, ca }: Pick<TestServer, 'port' | 'ca'>): string =>
  `${setup}\n${snippet}`.replaceAll('host: \'mail.example.com\'', `host: 'localhost', port: ${port}, tls: { ca: ${JSON.stringify(ca)} }`);

/** A server with one account and habits that mail servers have: unknown users, and greylisting. */
const startMailServer = (): Promise<TestServer> => {
  const seen = new Set<string>();
  return startServer({
    tls: 'implicit',
    users: { ann: 'open sesame' },
    onRecipient: (path) => {
      if (path.startsWith('nobody@')) return '550 5.1.1 No such user here';
      if (!path.startsWith('new@') || seen.has(path)) return undefined;
      seen.add(path);
      return '450 4.7.1 Greylisted, come again';
    },
  });
};

describe('the snippets of the README', () => {
  const folder = new SnippetFolder('readme');
  afterAll(() => { folder[Symbol.dispose](); });

  for (const [index, snippet] of snippets.entries()) {
    it(`${index + 2}: ${snippet.split('\n').find((line) => line.includes('client.'))?.trim() ?? ''}`, async () => {
      await using server = await startMailServer();
      const lines = await linesPrintedBy(folder.write(`snippet-${index + 2}`, `${moduleOf(snippet, server)}\nawait client.close();\n`));
      const promised = promisedOutput(snippet);
      expect(promised).not.toEqual([]);
      expect(lines).toEqual(promised);
      await server.idle();
    });
  }

  it('compile under strict settings', { timeout: 120_000 }, () => {
    const paths = snippets.map((snippet, index) => folder.write(`compiled-${index + 2}`, moduleOf(snippet, { port: 1, ca: '' })));
    expect(paths.length).toBeGreaterThan(4);
    expect(complaintsAbout(paths)).toEqual([]);
  });
});
