// Controls, line separators and bidirectional overrides would let a server forge lines in a log or a terminal.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text of a peer made safe to show: whatever could steer a terminal or forge a line is escaped, and half a character that a cut has left is replaced. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`).toWellFormed();
