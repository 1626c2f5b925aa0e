import { describe, expect, it } from 'vitest';
import { inOrder, isLastResort, plan, type PlanInput } from '../../src/connect/plan.js';
import type { ConnectionPlan } from '../../src/protocol/connection-plan.js';

const spell = ({ port, security }: ConnectionPlan): string => `${String(port)} ${security}`;
const plansOf = (modes: PlanInput['modes'], port?: number): readonly ConnectionPlan[] => plan({ host: 'mail.example', port, modes });

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
    it(`${String(modes)} on ${String(port ?? 'any port')}: ${expected}`, () => { expect(plansOf(modes, port).map(spell).join(', ')).toBe(expected); });
});

describe('inOrder', () => {
  const table: readonly (readonly [modes: PlanInput['modes'], port: number | undefined, opened: string | undefined, expected: string])[] = [
    ['tls', undefined, undefined, '465 implicit, 587 starttls, 25 starttls'],
    ['tls', undefined, '465 implicit', '465 implicit, 587 starttls, 25 starttls'],
    ['tls', undefined, '25 starttls', '25 starttls, 465 implicit, 587 starttls'],
    ['auto', 10025, '10025 starttls', '10025 starttls, 10025 implicit, 10025 none'],
    ['auto', 587, '587 implicit', '587 implicit, 587 starttls, 587 none'],
    // Clear text as the last resort stays behind every way with TLS; the one that shares its connection comes first.
    ['auto', 10025, '10025 none', '10025 starttls, 10025 implicit, 10025 none'],
    ['auto', undefined, '25 none', '25 starttls, 465 implicit, 587 starttls, 587 none, 25 none'],
    [['implicit', 'none'], 10025, '10025 none', '10025 implicit, 10025 none'],
    // Where the list wants it first, it may come first.
    [['none', 'implicit'], 10025, '10025 none', '10025 none, 10025 implicit'],
    [['none', 'implicit'], 10025, '10025 implicit', '10025 implicit, 10025 none'],
  ];
  for (const [modes, port, opened, expected] of table) {
    it(`${String(modes)} on ${String(port ?? 'any port')}, ${opened ?? 'nothing'} opened before: ${expected}`, () => {
      const plans = plansOf(modes, port);
      expect(inOrder(plans, plans.find((candidate) => spell(candidate) === opened)).map(spell).join(', ')).toBe(expected);
    });
  }
});

describe('isLastResort', () => {
  it('is clear text behind TLS, and nothing else', () => {
    const lastResorts = (modes: PlanInput['modes'], port?: number): readonly string[] => {
      const plans = plansOf(modes, port);
      return plans.filter((candidate) => isLastResort(candidate, plans)).map(spell);
    };
    expect(lastResorts('auto')).toEqual(['587 none', '25 none']);
    expect(lastResorts(['none', 'starttls'], 25)).toEqual([]);
    expect(lastResorts(['none'])).toEqual([]);
    expect(lastResorts('tls')).toEqual([]);
  });
});
