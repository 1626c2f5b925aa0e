// The house has floors: an import only points down, and what is outside the house is fetched on one floor only.
import { builtinModules } from 'node:module';
import { dirname, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A folder of src, or a file directly in it, and its floor. */
const FLOORS = {
  protocol: 0, sasl: 0,
  transport: 1, message: 1,
  wire: 2,
  session: 3,
  connect: 4, pool: 4,
  operators: 5, config: 5, 'client.ts': 5,
  'index.ts': 6, testing: 6, cli: 6,
};

/** Steps sideways, on one floor. Each goes one way, so that no cycle can arise. */
const SIDEWAYS = new Set([
  'sasl -> protocol',
  'client.ts -> config',
  'operators -> client.ts',
  'cli -> index.ts',
  'cli -> testing',
]);

/** Modules that only some folders may import. */
const OUTSIDE = [
  { module: /^rxjs(\/|$)/, allowed: (name) => FLOORS[name] > 0, why: 'floor 0 knows no streams' },
  {
    module: /^(net|tls|https?|http2|dgram|dns|timers)(\/|$)/,
    allowed: (name) => ['transport', 'testing', 'cli'].includes(name),
    why: 'sockets, names and clocks live in transport',
  },
];

const SRC = resolve(dirname(fileURLToPath(import.meta.url)), '../src');

/** The first step below src: 'protocol', 'client.ts'; undefined for what lies elsewhere. */
function placeOf(path) {
  const [first] = relative(SRC, path).split(sep);
  return first === '..' || first === '' ? undefined : first.replace(/\.js$/, '.ts');
}

const importsPointDown = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      homeless: '"{{from}}" has no floor: give it one in eslint/floors.js.',
      up: 'An import only points down: {{from}} (floor {{low}}) must not import {{to}} (floor {{high}}).',
      sideways: '{{from}} and {{to}} share floor {{high}}: this step sideways is not listed in eslint/floors.js.',
      outside: '{{from}} must not import "{{to}}": {{why}}.',
      self: '{{from}} must not import the package by its own name: use the relative path.',
    },
  },
  create(context) {
    const from = placeOf(context.filename);
    if (from === undefined) return {};

    function check(source) {
      if (typeof source?.value !== 'string') return;
      const report = (messageId, data) => { context.report({ node: source, messageId, data: { from, ...data } }); };
      const name = source.value;

      if (!name.startsWith('.')) {
        if (/^rxsmtp(\/|$)/.test(name)) report('self');
        const bare = name.replace(/^node:/, '');
        const rule = OUTSIDE.find(({ module }) => module.test(bare) && (bare.startsWith('rxjs') || builtinModules.includes(bare)));
        if (rule && !rule.allowed(from)) report('outside', { to: name, why: rule.why });
        return;
      }

      const to = placeOf(resolve(dirname(context.filename), name));
      if (to === undefined || to === from) return;
      const [low, high] = [FLOORS[from], FLOORS[to]];
      if (high === undefined) report('homeless', { from: to });
      else if (high > low) report('up', { to, low, high });
      else if (high === low && !SIDEWAYS.has(`${from} -> ${to}`)) report('sideways', { to, high });
    }

    return {
      Program(node) {
        if (FLOORS[from] === undefined) context.report({ node, messageId: 'homeless', data: { from } });
      },
      ImportDeclaration: (node) => { check(node.source); },
      ExportNamedDeclaration: (node) => { check(node.source); },
      ExportAllDeclaration: (node) => { check(node.source); },
      ImportExpression: (node) => { check(node.source); },
      TSImportType: (node) => { check(node.source); },
    };
  },
};

export default { rules: { 'imports-point-down': importsPointDown } };
