/** The three ways of a mail (docs/architecture.md), and what a server must leave out of its offer for each. */
export const WAYS: Readonly<Record<string, readonly string[]>> = { 'over BDAT': [], 'over DATA': ['CHUNKING'], 'in lock-step': ['CHUNKING', 'PIPELINING'] };
