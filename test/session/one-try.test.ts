import { NEVER, Subject, type MonoTypeOperatorFunction } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { SmtpAuthenticationError, SmtpTimeoutError } from '../../src/protocol/error.js';
import { makeReply } from '../../src/protocol/reply.js';
import { oneTry } from '../../src/session/one-try.js';
import { inVirtualTime } from '../support/marbles.js';

const failure = (outcome: 'refused' | 'not-sent', retryable: boolean) =>
  new SmtpAuthenticationError({ message: 'No', phase: 'auth', outcome, retryable, offered: [], allowed: [], tried: ['PLAIN'], reply: makeReply(535, ['No']) });

const trying = <T>(password: object): MonoTypeOperatorFunction<T> => oneTry(password, NEVER);

it('what was taken once is tried by all that wait, together, and by all that come later', () => {
  inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
    const password = {};
    const works = cold('--(a|)');
    expectObservable(works.pipe(trying(password)), '^-------!').toBe('--(a|)');
    expectObservable(works.pipe(trying(password)), '-^------!').toBe('----(a|)');
    expectObservable(works.pipe(trying(password)), '-^------!').toBe('----(a|)');
    expectObservable(works.pipe(trying(password)), '-----^--!').toBe('-------(a|)');
    expectObservable(works.pipe(trying({})), '-^------!').toBe('---(a|)');
    expectSubscriptions(works.subscriptions).toBe(['^-!', '-^-!', '--^-!', '--^-!', '-----^-!']);
  });
});

it('what was taken once and is refused later has to be taken again', () => {
  inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
    const password = {};
    const no = failure('refused', false);
    const fails = cold('--#', undefined, no);
    expectObservable(cold('(a|)').pipe(trying(password))).toBe('(a|)');
    expectObservable(fails.pipe(trying(password)), '-^').toBe('---#', undefined, no);
    expectObservable(fails.pipe(trying(password)), '----^').toBe('------#', undefined, no);
    expectObservable(fails.pipe(trying(password)), '-----^').toBe('------#', undefined, no);
    expectSubscriptions(fails.subscriptions).toBe(['-^-!', '----^-!']);
  });
});

it('one that went on with others when it was taken leaves the turn to who has it now', () => {
  inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
    const password = {};
    const no = failure('refused', false);
    const waiting = cold('a');
    expectObservable(cold('--(a|)').pipe(trying(password))).toBe('--(a|)');
    expectObservable(cold('----------a').pipe(trying(password)), '-^------!').toBe('');
    expectObservable(cold('-#', undefined, no).pipe(trying(password)), '----^').toBe('-----#', undefined, no);
    expectObservable(cold('-----#', undefined, no).pipe(trying(password)), '------^').toBe('-----------#', undefined, no);
    expectObservable(waiting.pipe(trying(password)), '-------^').toBe('-----------#', undefined, no);
    expectSubscriptions(waiting.subscriptions).toBe([]);
  });
});

it('a refusal for good is one for all that wait, and for nobody who comes later', () => {
  inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
    const password = {};
    const no = failure('refused', false);
    const fails = cold('--#', undefined, no);
    expectObservable(fails.pipe(trying(password)), '^-------!').toBe('--#', undefined, no);
    expectObservable(fails.pipe(trying(password)), '-^------!').toBe('--#', undefined, no);
    expectObservable(fails.pipe(trying(password)), '---^----!').toBe('-----#', undefined, no);
    expectSubscriptions(fails.subscriptions).toBe(['^-!', '---^-!']);
  });
});

describe('silence', () => {
  const silence = new SmtpTimeoutError({ message: 'Nothing', phase: 'auth', limit: 'command', elapsed: 4 });

  it('may be of one connection, so that the next one tries', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const password = {};
      const hangs = cold('----#', undefined, silence);
      const works = cold('--(a|)');
      expectObservable(hangs.pipe(trying(password)), '^-------!').toBe('----#', undefined, silence);
      expectObservable(works.pipe(trying(password)), '-^------!').toBe('------(a|)');
      expectObservable(works.pipe(trying(password)), '-^-------!').toBe('--------(a|)');
      expectSubscriptions(works.subscriptions).toBe(['----^-!', '------^-!']);
    });
  });

  it('twice in a row is told to all that wait, and says nothing of the password', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const password = {};
      const hangs = cold('----#', undefined, silence);
      expectObservable(hangs.pipe(trying(password)), '^---------!').toBe('----#', undefined, silence);
      for (const at of ['-^--------!', '---^------!', '---^------!']) expectObservable(hangs.pipe(trying(password)), at).toBe('--------#', undefined, silence);
      const works = cold('--(a|)');
      expectObservable(works.pipe(trying(password)), '---------^').toBe('-----------(a|)');
      expectObservable(hangs.pipe(trying(password)), '------------^').toBe('----------------#', undefined, silence);
      expectObservable(works.pipe(trying(password)), '-------------^').toBe('---------------(a|)');
      expectSubscriptions(hangs.subscriptions).toBe(['^---!', '----^---!', '------------^---!']);
    });
  });
});

it('a refusal is an error of their own for all that are told', () => {
  const password = {};
  const refused = new Subject<never>();
  const told: unknown[] = [];
  for (let index = 0; index < 3; index += 1) refused.pipe(trying(password)).subscribe({ error: (error: unknown) => { told.push(error); } });
  refused.error(failure('refused', false));
  expect(told).toEqual(Array(3).fill(failure('refused', false)));
  expect(new Set(told).size).toBe(3);
});

it.each([['a refusal for now', failure('refused', true)], ['a broken exchange', failure('not-sent', false)], ['a caller without time', new SmtpTimeoutError({ message: 'Over', phase: 'auth', limit: 'operation', elapsed: 2 })], ['any error', new Error('gone')]])('%s says nothing of the password: the next one tries', (_, error) => {
  inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
    const password = {};
    const fails = cold('--#', undefined, error);
    expectObservable(fails.pipe(trying(password)), '^-------!').toBe('--#', undefined, error);
    expectObservable(fails.pipe(trying(password)), '-^------!').toBe('----#', undefined, error);
    expectObservable(fails.pipe(trying(password)), '-^------!').toBe('------#', undefined, error);
    expectSubscriptions(fails.subscriptions).toBe(['^-!', '--^-!', '----^-!']);
  });
});

it('who gives up lets the next one try, or is not waited for', () => {
  inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
    const password = {};
    const works = cold('---(a|)');
    expectObservable(works.pipe(trying(password)), '^!').toBe('-');
    expectObservable(works.pipe(trying(password)), '^--!').toBe('---');
    expectObservable(works.pipe(trying(password)), '^-!').toBe('---');
    expectObservable(works.pipe(trying(password)), '^-------!').toBe('------(a|)');
    expectSubscriptions(works.subscriptions).toBe(['^!', '-^-!', '---^--!']);
  });
});

it('who has lost the connection does not wait, and who is trying knows best', () => {
  inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
    const password = {};
    const works = cold('-----(a|)');
    const lost = cold<never>('--#', undefined, 'lost');
    expectObservable(works.pipe(oneTry(password, lost)), '^-------!').toBe('-----(a|)');
    expectObservable(works.pipe(oneTry(password, lost)), '-^------!').toBe('---#', undefined, 'lost');
    expectObservable(works.pipe(oneTry(password, lost)), '----^-------!').toBe('----------(a|)');
    expectSubscriptions(works.subscriptions).toBe(['^----!', '-----^----!']);
    expectSubscriptions(lost.subscriptions).toBe(['-^-!', '----^!']);
  });
});
