import { describe, expect, it } from 'vitest';
import { plan, type PlanInput } from '../../src/connect/plan.js';

const doors = (input: Omit<PlanInput, 'host'>): string => plan({ host: 'mail.example', ...input }).map(({ port, security }) => `${String(port)} ${security}`).join(', ');

describe('plan', () => {
  const table: readonly (readonly [modes: PlanInput['modes'], port: number | undefined, expected: string])[] = [
    ['tls', undefined, '465 implicit, 587 starttls, 25 starttls'],
    ['auto', undefined, '465 implicit, 587 starttls, 25 starttls, 587 none, 25 none'],
    ['tls', 465, '465 implicit, 465 starttls'],
    ['tls', 587, '587 starttls, 587 implicit'],
    ['tls', 25, '25 starttls, 25 implicit'],
    ['auto', 465, '465 implicit, 465 starttls, 465 none'],
    ['auto', 587, '587 starttls, 587 implicit, 587 none'],
    ['auto', 25, '25 starttls, 25 implicit, 25 none'],
    ['tls', 2525, '2525 starttls, 2525 implicit'],
    ['auto', 2525, '2525 starttls, 2525 implicit, 2525 none'],
    ['auto', 10025, '10025 implicit, 10025 starttls, 10025 none'],
    [['starttls'], undefined, '587 starttls, 25 starttls'],
    [['none', 'starttls', 'implicit'], undefined, '587 none, 25 none, 587 starttls, 25 starttls, 465 implicit'],
    [['none'], 1025, '1025 none'],
    [['none', 'implicit'], 25, '25 none, 25 implicit'],
  ];
  for (const [modes, port, expected] of table)
    it(`${String(modes)} on ${String(port ?? 'any port')}: ${expected}`, () => { expect(doors({ modes, port })).toBe(expected); });
});
