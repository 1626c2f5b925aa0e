import { Readable } from 'node:stream';

/** A large body is a stream for nodemailer. */
export const nodemailerMail = ({ raw, ...mail }) => (raw === undefined ? mail : { ...mail, raw: typeof raw === 'function' ? Readable.from(raw()) : raw });
