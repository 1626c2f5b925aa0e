import js from '@eslint/js';
import rxjsX from 'eslint-plugin-rxjs-x';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import floors from './eslint/floors.js';

const TIMERS = {
  'no-restricted-globals': ['error', {
    checkGlobalObject: true,
    globals: ['setTimeout', 'setInterval', 'setImmediate'].map((name) => ({
      name,
      message: 'Time comes from src/transport/clock.ts or an RxJS scheduler.',
    })),
  }],
};

const DATES = ['MemberExpression[object.name="Date"][property.name="now"]', ':matches(NewExpression, CallExpression)[callee.name="Date"]']
  .map((selector) => ({ selector, message: 'Time comes from src/transport/clock.ts or an RxJS scheduler.' }));

// V8 takes such a function for one that lives long, and puts it with all that it holds where only a full collection frees it
// (docs/decisions/17-what-v8-keeps.md).
const KEPT = ['ArrowFunctionExpression', 'FunctionExpression']
  .map((type) => ({ selector: `AssignmentExpression[left.type="MemberExpression"][right.type="${type}"]`, message: 'Give the function a name, and assign that.' }));

// In a vm, as Jest runs tests in one, a Buffer is no instance of its Uint8Array.
const REALMS = [{ selector: 'BinaryExpression[operator="instanceof"][right.name=/^(?:Uint8Array|Date)$/]', message: 'It may come from another realm: ask isUint8Array() or isDate() of node:util/types.' }];

const PROMISES = [':function[async=true]', 'AwaitExpression', 'ForOfStatement[await=true]', 'Identifier[name="Promise"]']
  .map((selector) => ({ selector, message: 'Sessions and connections are observables: a promise cannot be cancelled.' }));

export default defineConfig(
  globalIgnores(['dist', '.build', '.examples', 'test/.snippets', 'coverage']),
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked, rxjsX.configs.strict],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A number prints the same everywhere.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // What is caught is unknown until it is looked at, and is passed on as it is.
      'rxjs-x/throw-error': ['error', { allowThrowingUnknown: true }],
      // An empty stream of a send is an error, not a value.
      'rxjs-x/no-ignored-default-value': 'off',
      // `() => socket.destroy()` is how a teardown is written.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // Reading loops end from inside.
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: 'only-allowed-literals' }],
      // Unions of object types are declared with `type`; one keyword for both is calmer.
      '@typescript-eslint/consistent-type-definitions': 'off',
      // A leading underscore says: on purpose.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // SMTP is made of control characters, and so are the patterns that refuse them.
      'no-control-regex': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { floors },
    rules: { 'floors/imports-point-down': 'error', 'no-restricted-syntax': ['error', ...REALMS] },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/transport/clock.ts', 'src/testing/**', 'src/cli/**'],
    rules: { ...TIMERS, 'no-restricted-syntax': ['error', ...DATES, ...KEPT, ...REALMS] },
  },
  {
    files: ['src/message/**/*.ts'],
    // A message carries a date.
    rules: { 'no-restricted-syntax': ['error', ...KEPT, ...REALMS] },
  },
  {
    files: ['src/{session,connect}/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...DATES, ...KEPT, ...REALMS, ...PROMISES] },
  },
  {
    files: ['{test,examples,bench}/**/*.ts'],
    rules: {
      // Fixtures are known to be there.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // An unhandled error fails the run by itself.
      'rxjs-x/no-ignored-error': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: Object.fromEntries(
        ['console', 'process', 'performance', 'Buffer', 'URL', 'AbortController', 'AbortSignal', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'queueMicrotask', 'structuredClone', 'TextEncoder', 'TextDecoder']
          .map((name) => [name, 'readonly']),
      ),
    },
  },
);
