import { runInNewContext } from 'node:vm';

/** Bytes of another realm: no instance of our Uint8Array, as a Buffer is none where tests run in a vm. */
export const foreignBytes = (text: string): Uint8Array => runInNewContext('Uint8Array.from(bytes)', { bytes: Buffer.from(text) }) as Uint8Array;

export const foreignDate = (): Date => runInNewContext('new Date(0)') as Date;
