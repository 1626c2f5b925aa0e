import { Readable } from 'node:stream';

/** A large body is a stream for nodemailer. */
export const nodemailerMail = ({ envelope, raw }) => ({ envelope, raw: typeof raw === 'function' ? Readable.from(raw()) : raw });
