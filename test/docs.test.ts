import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../src/cli/exit-codes.js';
import type { BulkEvent } from '../src/index.js';
import type { Phase } from '../src/protocol/error.js';
import { AUTOMATIC_GREETING_TIMEOUT, commandTimeout, DEFAULT_TIMEOUTS, type Limit } from '../src/protocol/timeouts.js';
import { FOLLOWS } from '../src/session/state.js';
import { complaintsAbout } from './support/compile.js';
import { pageWith } from './support/page.js';
import { linesPrintedBy, promisedOutput, readPage, SnippetFolder, snippetsOf } from './support/snippets.js';

const root = new URL('../', import.meta.url);
const filesIn = (folder: string, end: string): readonly string[] =>
  readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(end)).map((name) => `${folder}/${name}`);
const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...filesIn('docs', '.md')];

const sourceOf = (file: string): string => readFileSync(new URL(`src/${file}`, root), 'utf8');

/** The cells of each row of a page's tables. */
const rowsOf = (page: string): readonly (readonly string[])[] =>
  Array.from(page.matchAll(/^\|(.*)\|$/gm), ([, row = '']) => row.split('|').map((cell) => cell.trim()));

describe('docs/architecture.md', () => {
  it('shows the dialogue that the code walks', async () => {
    const arrows = Object.entries(FOLLOWS).flatMap(([from, next]) => (next.length === 0 ? [`${from} --> [*]`] : next.map((to) => `${from} --> ${to}`)));
    const diagram = ['```mermaid', 'stateDiagram-v2', ...['[*] --> connected', ...arrows].map((arrow) => `    ${arrow}`), '```'].join('\n');
    await expect(pageWith('docs/architecture.md', 'dialogue', diagram)).toMatchFileSnapshot('../docs/architecture.md');
  });
});

describe('docs/timeouts.md', () => {
  const rows = rowsOf(readPage('docs/timeouts.md')).filter(([, limit = '']) => Object.hasOwn(DEFAULT_TIMEOUTS, limit.replaceAll('`', '')));

  const written = (ms: number): string => (ms === Infinity ? 'none' : ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1_000} s`);

  it('has every limit', () => {
    expect(new Set(rows.map(([, limit = '']) => limit.replaceAll('`', '')))).toEqual(new Set(Object.keys(DEFAULT_TIMEOUTS)));
  });

  for (const [phase = '', name = '', , given] of rows) {
    it(`has the default of ${phase}`, () => {
      const limit = name.replaceAll('`', '') as Limit;
      const severalDoors = phase.endsWith('several doors');
      expect(given).toBe(written(severalDoors ? AUTOMATIC_GREETING_TIMEOUT : limit === 'command' ? commandTimeout(DEFAULT_TIMEOUTS, phase.replaceAll('`', '') as Phase) : DEFAULT_TIMEOUTS[limit]));
    });
  }
});

describe('the fields of the types', () => {
  const TYPES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
    'docs/options.md': { 'config/options.ts': ['SmtpOptions'], 'config/pool.ts': ['PoolOptions'], 'config/tls.ts': ['TlsOptions'], 'config/proxy.ts': ['ProxyOptions'], 'message/message.ts': ['DeliveryOptions', 'RawMessage', 'ComposedMessage', 'Attachment'], 'protocol/envelope.ts': ['Recipient'], 'operators/retry-when-safe.ts': ['RetryOptions'], 'client.ts': ['BulkOptions'], 'protocol/log-line.ts': ['LogLine'], 'pool/pool-state.ts': ['PoolState', 'CloseReport'], 'testing/options.ts': ['ServerOptions', 'ReceivedMessage', 'ReceivedSession'], 'testing/start-server.ts': ['TestServer'], 'config/auth.ts': ['PasswordAuth', 'TokenAuth', 'ExternalAuth'] },
    'docs/events.md': { 'protocol/connection-plan.ts': ['ConnectionPlan', 'Endpoint'], 'protocol/reply.ts': ['Reply'], 'protocol/capabilities.ts': ['Capabilities', 'Limits'], 'protocol/event.ts': ['CertificateSummary', 'Receipt', 'ReceiptPart', 'Timings'] },
    'docs/authentication.md': { 'config/auth.ts': ['ExternalAuth'], 'sasl/mechanism.ts': ['SaslMechanism'] },
  };
  const members = Object.entries(TYPES).flatMap(([path, files]) => Object.entries(files).flatMap(([file, names]) => names.flatMap((name) => {
    const body = new RegExp(`export (?:interface|class) ${name} .*?\\{\\n(.*?)\\n\\}`, 's').exec(sourceOf(file))?.[1] ?? '';
    return Array.from(body.matchAll(/^ {2}(?:readonly |get )?(?!toJSON)(\w+)\??[:(]/gm), ([, member = '']) => [path, name, member] as const);
  })));

  it('are those of more than one type', () => { expect(new Set(members.map(([, name]) => name)).size).toBe(31); });
  // Words that stand in code, span by span: prose does not count.
  const named = (path: string): readonly string[] => readPage(path).split('\n').flatMap((line) => Array.from(line.matchAll(/`([^`]+)`/g), ([, code = '']) => code.split(/\W+/)).flat());
  it.each(members)('are in %s: of %s the field %s', (path, _, member) => { expect(named(path)).toContain(member); });
});

describe('docs/options.md', () => {
  const actions = Array.from(sourceOf('testing/fault.ts').matchAll(/readonly do: '([\w-]+)'/g), ([, action = '']) => action);

  it('tells of each fault what it does', () => {
    expect(rowsOf(readPage('docs/options.md')).map(([first = '']) => first.replaceAll('`', ''))).toEqual(expect.arrayContaining(actions));
    expect(actions).toHaveLength(12);
  });
});

describe('docs/command-line.md', () => {
  const page = readPage('docs/command-line.md');

  it('has the flags of the program, and no others', () => {
    const flags = ['server', 'send'].flatMap((name) => Array.from(sourceOf(`cli/${name}.ts`).matchAll(/^ {2}'?([\w-]+)'?: \{ type: /gm), ([, flag = '']) => `--${flag}`));
    expect(new Set(page.match(/(?<![\w-])--[a-z][\w-]*/g))).toEqual(new Set([...flags, '--version']));
  });

  it('has its exit codes', () => {
    const codes = rowsOf(page).flatMap(([first = '']) => (/^\d+$/.test(first) ? [Number(first)] : []));
    expect(codes).toEqual(Object.values(EXIT_CODES));
  });
});

describe('docs/events.md and docs/errors.md', () => {
  const source = filesIn('src', '.ts').map((path) => readFileSync(new URL(path, root), 'utf8')).join('\n');
  const codes = (pattern: RegExp): readonly string[] => [...new Set(source.match(pattern))].map((code) => code.replaceAll('\'', '')).sort();
  const events = {
    'attempt-started': true, 'attempt-failed': true, connected: true, greeted: true, introduced: true, secured: true, authenticated: true, ready: true,
    warning: true, 'sender-accepted': true, 'recipient-accepted': true, 'recipient-refused': true, progress: true, accepted: true, failed: true,
  } satisfies Record<BulkEvent['type'], true>;

  it.each(Object.keys(events))('tell of the event %s', (type) => { expect(readPage('docs/events.md')).toContain(`\`${type}\``); });
  it.each(codes(/'W_[A-Z_]+'/g))('tell of the warning %s', (code) => { expect(readPage('docs/events.md')).toContain(`\`${code}\``); });
  it.each(codes(/'E_[A-Z_]+'/g))('tell of the error %s', (code) => { expect(readPage('docs/errors.md')).toContain(`\`${code}\``); });
});

describe('links', () => {
  /** As GitHub makes an anchor of a heading. */
  const anchorOf = (heading: string): string => heading.toLowerCase().replaceAll(/[^\w\- ]/g, '').replaceAll(' ', '-');
  const leadsSomewhere = (target: URL): boolean =>
    existsSync(target) && (target.hash === '' || Array.from(readFileSync(target, 'utf8').matchAll(/^#+ (.*)$/gm), ([, heading = '']) => `#${anchorOf(heading)}`).includes(target.hash));

  for (const page of PAGES) {
    it(`of ${page} lead somewhere`, () => {
      const targets = Array.from(readPage(page).matchAll(/\]\((?!https?:)([^)\s]+)/g), ([, target = '']) => target);
      expect(targets.filter((target) => !leadsSomewhere(new URL(target, new URL(page, root))))).toEqual([]);
    });
  }
});

describe('the snippets of the docs', () => {
  const folder = new SnippetFolder('docs');
  afterAll(() => { folder[Symbol.dispose](); });
  // A whole module says what it prints; what says nothing is a fragment, to be read only.
  const snippets = PAGES.filter((page) => page.startsWith('docs/')).flatMap((page) =>
    snippetsOf(readPage(page)).map((code, index) => ({ name: `${page.replaceAll(/\W/g, '-')}-${index + 1}`, code })).filter(({ code }) => promisedOutput(code).length > 0));

  it.each(snippets)('$name', async ({ name, code }) => {
    expect(await linesPrintedBy(folder.write(name, code))).toEqual(promisedOutput(code));
  });

  it('compile under strict settings', { timeout: 120_000 }, () => {
    expect(snippets.length).toBeGreaterThan(10);
    expect(complaintsAbout(snippets.map(({ name, code }) => folder.write(`compiled-${name}`, code)))).toEqual([]);
  });
});
