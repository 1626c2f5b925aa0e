import { expect, it, vi } from 'vitest';
import { defaultClientName } from '../../src/session/client-name.js';

vi.mock('node:os', () => ({ hostname: (): string => { throw new Error('no name'); } }));

const at = (address: string) => ({ address, family: address.includes(':') ? 6 : 4, port: 1 } as const);

it.each([
  ['app-1.example.com', '10.0.0.5', 'app-1.example.com'],
  ['APP.internal', '10.0.0.5', 'APP.internal'],
  ['app', '10.0.0.5', '[10.0.0.5]'],
  ['app_1.example.com', '10.0.0.5', '[10.0.0.5]'],
  ['app.example.com.', '10.0.0.5', '[10.0.0.5]'],
  ['192.168.1.7', '10.0.0.5', '[10.0.0.5]'],
  ['192.168.1', '10.0.0.5', '[10.0.0.5]'],
  ['me\r\nMAIL FROM:<evil>.example', '10.0.0.5', '[10.0.0.5]'],
  ['', '::ffff:10.0.0.5', '[10.0.0.5]'],
  ['', 'fe80::1%eth0', '[IPv6:fe80::1]'],
  ['', '', '[127.0.0.1]'],
])('a host called %j at %j says EHLO %s', (name, address, said) => {
  expect(defaultClientName(at(address), name)).toBe(said);
});

it('a system that does not tell the name of its host leaves the address', () => {
  expect(defaultClientName(at('10.0.0.5'))).toBe('[10.0.0.5]');
});
