// What is measured.
const CHUNKING = ['PIPELINING', 'CHUNKING', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES'];
const PIPELINING = CHUNKING.filter((keyword) => keyword !== 'CHUNKING');
const LOCKSTEP = PIPELINING.filter((keyword) => keyword !== 'PIPELINING');
const AUTH = 'AUTH PLAIN';
const POOL = 'nodemailer-pool';
const SINGLE = 'nodemailer-single';

/**
 * @typedef {object} Workload
 * @property {string} title
 * @property {string} baseline the contender that the others are held against
 * @property {'sink' | 'postfix'} [server] the file in server/; default: the sink
 * @property {string[]} [offer] the keywords of the sink's EHLO
 * @property {number} full how many mails a full run sends, or MB where one mail is large
 * @property {number} [warmUp] how many mails a full run sends before the clock starts
 * @property {number} [quick] the same for a quick run; without it the workload is left out of one
 * @property {number} [rounds] of a full run; default 3
 * @property {boolean} [everyone] in a quick run too; else only rxsmtp and the baseline run in one
 * @property {number} [roundTrip] ms
 * @property {boolean} [oneCore] client and server share a core (Linux)
 * @property {object} [job] see client.mjs
 * @property {object} [content] see content.mjs; `bytes` of a large one come from `full` and `quick`
 * @property {Record<string, Contender>} contenders
 */

/**
 * @typedef {object} Contender
 * @property {string} [adapter] the file in contenders/; default: its name
 * @property {number} [share] of the mails, for those that take long; default 1
 * @property {object} [job] its own part of the job
 * @property {{ rate?: number, cpu?: number, over?: number, growth?: number }} [target] times the baseline's rate, a part
 *   of the baseline's CPU, MB of memory at most
 */

/** @type {Record<string, Workload>} */
export const WORKLOADS = {
  connect: {
    title: 'A connection with AUTH for each mail, one after the other',
    baseline: SINGLE, offer: [...CHUNKING, AUTH], full: 300, quick: 20,
    job: { auth: true, perMail: true },
    contenders: { rxsmtp: { target: { rate: 2, cpu: 2.5 } }, [SINGLE]: {}, emailjs: { share: 0.1 }, upyo: {}, 'raw-data': {} },
  },
  'connect-warm': {
    title: 'The same in a process that has sent 10,000 mails before',
    baseline: SINGLE, offer: [...CHUNKING, AUTH], warmUp: 10_000, full: 1_000, rounds: 5,
    job: { auth: true, perMail: true },
    contenders: { rxsmtp: { target: { rate: 2, cpu: 2.5 } }, [SINGLE]: {}, upyo: {}, 'raw-data': {} },
  },
  'connect-50ms': {
    title: 'A connection with AUTH for each mail at 50 ms round trip',
    baseline: SINGLE, offer: [...CHUNKING, AUTH], full: 20, roundTrip: 50,
    job: { auth: true, perMail: true },
    contenders: { rxsmtp: { target: { rate: 1.2 } }, [SINGLE]: {}, emailjs: {}, upyo: {}, 'raw-data': {} },
  },
  'linger-50ms': {
    title: 'One mail after the other on a connection that stays, at 50 ms round trip, beside a connection for each mail',
    baseline: SINGLE, offer: [...CHUNKING, AUTH], full: 40, quick: 10, roundTrip: 50,
    job: { auth: true, oneByOne: true },
    contenders: { rxsmtp: { target: { rate: 5 } }, [SINGLE]: { share: 0.5 }, [POOL]: {} },
  },
  chunking: {
    title: '2 KB mails on one connection, CHUNKING offered',
    baseline: POOL, offer: CHUNKING, full: 5000, quick: 500, everyone: true,
    contenders: { rxsmtp: { target: { rate: 10, cpu: 10 } }, [POOL]: {}, emailjs: { share: 0.02 }, upyo: {}, 'raw-data': {}, 'raw-bdat': {} },
  },
  'chunking-warm': {
    title: 'The same in a process that has sent 40,000 mails before',
    baseline: POOL, offer: CHUNKING, warmUp: 40_000, full: 5000, rounds: 5,
    contenders: { rxsmtp: { target: { rate: 10, cpu: 10 } }, [POOL]: {}, 'raw-bdat': {} },
  },
  pipelining: {
    title: '2 KB mails on one connection, PIPELINING offered, not CHUNKING',
    baseline: POOL, offer: PIPELINING, full: 5000, quick: 500,
    contenders: { rxsmtp: { target: { rate: 4, cpu: 4 } }, [POOL]: {}, 'raw-data': {}, 'raw-ahead': {} },
  },
  'pipelining-warm': {
    title: 'The same in a process that has sent 40,000 mails before',
    baseline: POOL, offer: PIPELINING, warmUp: 40_000, full: 5000, rounds: 5,
    contenders: { rxsmtp: { target: { rate: 4, cpu: 4 } }, [POOL]: {}, 'raw-data': {}, 'raw-ahead': {} },
  },
  'pipelining-one-core': {
    title: 'The same, with client and server on one core',
    baseline: POOL, offer: PIPELINING, warmUp: 40_000, full: 5000, rounds: 5, oneCore: true,
    contenders: { rxsmtp: { target: { rate: 4, cpu: 4 } }, [POOL]: {}, 'raw-data': {}, 'raw-ahead': {} },
  },
  lockstep: {
    title: '2 KB mails on one connection, neither offered',
    baseline: POOL, offer: LOCKSTEP, full: 3000, quick: 300,
    contenders: { rxsmtp: {}, [POOL]: {}, upyo: {} },
  },
  connections: {
    title: '2 KB mails on 10 connections, CHUNKING offered',
    baseline: POOL, offer: CHUNKING, full: 10_000, quick: 1000,
    job: { connections: 10 },
    contenders: { rxsmtp: { target: { rate: 8, cpu: 8 } }, [POOL]: {}, emailjs: { share: 0.1 }, upyo: {}, 'raw-bdat': {} },
  },
  'connections-warm': {
    title: 'The same in a process that has sent 40,000 mails before',
    baseline: POOL, offer: CHUNKING, warmUp: 40_000, full: 10_000, rounds: 5,
    job: { connections: 10 },
    contenders: { rxsmtp: { target: { rate: 8, cpu: 8 } }, [POOL]: {}, 'raw-bdat': {} },
  },
  'delay-50ms': {
    title: '2 KB mails on one connection at 50 ms round trip, with its set-up, CHUNKING offered',
    baseline: POOL, offer: CHUNKING, full: 200, quick: 40, roundTrip: 50,
    contenders: {
      rxsmtp: { target: { rate: 20 } }, 'rxsmtp, depth 64': { adapter: 'rxsmtp', job: { depth: 64 }, target: { rate: 50 } }, [POOL]: { share: 0.5 },
      emailjs: { share: 0.1 }, upyo: { share: 0.1 }, 'raw-bdat': {},
    },
  },
  'postfix-50ms': {
    title: '2 KB mails on one connection to a Postfix at 50 ms round trip, with its set-up',
    baseline: POOL, server: 'postfix', full: 200, rounds: 5, roundTrip: 50,
    contenders: {
      rxsmtp: { target: { rate: 25 } }, 'rxsmtp, depth 64': { adapter: 'rxsmtp', job: { depth: 64 }, target: { rate: 25 } }, [POOL]: { share: 0.5 }, 'raw-bdat': {},
    },
  },
  'delay-50ms-data': {
    title: 'The same, PIPELINING offered, not CHUNKING',
    baseline: POOL, offer: PIPELINING, full: 100, roundTrip: 50,
    contenders: { rxsmtp: { target: { rate: 1.9 } }, [POOL]: {}, 'raw-data': {}, 'raw-ahead': {} },
  },
  'composed-50ms': {
    title: 'Messages that the client composes, of 2 KB of text, on one connection at 50 ms round trip, with its set-up, CHUNKING offered',
    baseline: POOL, offer: CHUNKING, full: 200, quick: 20, roundTrip: 50,
    content: { kind: 'composed' },
    contenders: { rxsmtp: { target: { rate: 20 } }, [POOL]: { share: 0.5 } },
  },
  recipients: {
    title: 'Mails to 1,000 recipients, the first that a process sends',
    baseline: POOL, offer: CHUNKING, full: 20, quick: 3,
    content: { recipients: 1000 },
    contenders: { rxsmtp: { target: { cpu: 8 } }, [POOL]: {}, emailjs: { share: 0.1 }, upyo: {}, 'raw-data': {}, 'raw-bdat': {} },
  },
  'recipients-warm': {
    title: 'The same in a process that has sent 300 of them before',
    baseline: POOL, offer: CHUNKING, warmUp: 300, full: 300, rounds: 5,
    content: { recipients: 1000 },
    contenders: { rxsmtp: { target: { cpu: 8 } }, [POOL]: {}, 'raw-bdat': {} },
  },
  'large-bdat': {
    title: 'A body with dots and bare LF, CHUNKING offered',
    baseline: POOL, offer: CHUNKING, full: 100, quick: 10, rounds: 5,
    content: { kind: 'nasty' },
    contenders: { rxsmtp: { target: { rate: 3, cpu: 4, over: 8 } }, [POOL]: {}, 'raw-bdat': {} },
  },
  'large-binary': {
    title: 'The same, CHUNKING and BINARYMIME offered',
    baseline: POOL, offer: [...CHUNKING, 'BINARYMIME'], full: 100,
    content: { kind: 'nasty', binary: true },
    contenders: { rxsmtp: { target: { rate: 3, cpu: 4, over: 8 } }, [POOL]: {}, 'raw-bdat': {} },
  },
  'large-data': {
    title: 'The same over DATA',
    baseline: POOL, offer: PIPELINING, full: 100, quick: 10,
    content: { kind: 'nasty' },
    contenders: { rxsmtp: { target: { rate: 2, over: 8 } }, [POOL]: {}, 'raw-data': {} },
  },
  'large-body': {
    title: 'A body of clean lines over DATA',
    baseline: POOL, offer: PIPELINING, full: 1024, quick: 64, rounds: 1,
    content: { kind: 'lines' },
    contenders: { rxsmtp: { target: { over: 8 } }, [POOL]: {}, 'raw-data': {} },
  },
  memory: {
    title: 'Memory over many 2 KB mails on one connection, CHUNKING offered, in a process that has sent 50,000 before',
    baseline: POOL, offer: CHUNKING, warmUp: 50_000, full: 100_000, quick: 2000, rounds: 1,
    contenders: { rxsmtp: { target: { growth: 4 } }, [POOL]: { share: 0.25 }, 'raw-bdat': {} },
  },
};
