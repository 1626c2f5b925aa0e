import { format } from 'node:util';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startServer, type TestServer } from '../src/testing/index.js';
import { complaintsAbout } from './support/compile.js';
import { importModule, promisedOutput, readPage, SnippetFolder, snippetsOf } from './support/snippets.js';

// The first snippet makes the client that all others use.
const [setup = '', ...snippets] = snippetsOf(readPage('README.md'));
/** Progress is told as often as the machine is slow: a line that comes twice counts once. */
const withoutRepeats = (lines: readonly string[]): readonly string[] => lines.filter((line, index) => line !== lines[index - 1]);

const folder = new SnippetFolder('readme');

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
  const printed: string[] = [];
  beforeEach(() => {
    printed.length = 0;
    vi.spyOn(console, 'log').mockImplementation((...values) => { printed.push(...format(...values).split('\n')); });
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  });
  afterEach(() => { vi.restoreAllMocks(); });
  afterAll(() => { folder[Symbol.dispose](); });

  for (const [index, snippet] of snippets.entries()) {
    it(`${index + 2}: ${snippet.trim().split('\n').find((line) => line.includes('client.'))?.trim() ?? ''}`, async () => {
      await using server = await startMailServer();
      const path = folder.write(`snippet-${index + 2}`, `${moduleOf(snippet, server)}\nawait client.close();\n`);
      await importModule(path);
      const promised = promisedOutput(snippet);
      expect(withoutRepeats(printed)).toEqual(promised);
      expect(promised).not.toEqual([]);
      await server.idle();
    });
  }

  it('compile under strict settings', { timeout: 120_000 }, () => {
    const paths = snippets.map((snippet, index) => folder.write(`compiled-${index + 2}`, moduleOf(snippet, { port: 1, ca: '' })));
    expect(complaintsAbout(paths)).toEqual([]);
  });
});
