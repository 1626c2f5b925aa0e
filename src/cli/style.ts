import { styleText } from 'node:util';
import type { Output } from './io.js';

type Style = 'red' | 'green' | 'yellow' | 'gray' | 'bold';

/** Colour, only where a person looks and did not ask for none (https://no-color.org). */
export const style = (out: Output, format: Style, text: string): string =>
  // Told to look at nothing: the stream that counts is the one that is written to.
  out.isTTY === true && !process.env.NO_COLOR ? styleText(format, text, { validateStream: false }) : text;
