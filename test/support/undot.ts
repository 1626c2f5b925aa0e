/** What a server that takes RFC 5321 at its word reads behind a 354. */
export interface Received {
  readonly message: Buffer;
  /** What stands behind the end of the data. */
  readonly rest: Buffer;
}

/** Decodes DATA (RFC 5321 section 4.5.2). Undefined where the end has not come; throws at a bare CR or LF. */
export const undot = (wire: Buffer): Received | undefined => {
  const text = wire.toString('latin1');
  const lines: string[] = [];
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n', at);
    const line = text.slice(at, end < 0 ? undefined : end);
    if (/[\r\n]/.test(line)) throw new Error(`A bare CR or LF is in ${JSON.stringify(line)}.`);
    if (end < 0) return undefined;
    at = end + 2;
    if (line === '.') return { message: Buffer.from(lines.join(''), 'latin1'), rest: wire.subarray(at) };
    lines.push(`${line.startsWith('.') ? line.slice(1) : line}\r\n`);
  }
};

/** A message as a server is to have it: CRLF everywhere, also at its end. */
export const normalised = (body: Buffer): Buffer => {
  const text = body.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n');
  return Buffer.from(text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`, 'latin1');
};
