import { didYouMean, fields, shown, usage } from '../message/fields.js';
import { bare } from '../protocol/bare.js';
import { expand, type Environment } from './environment.js';
import { portOf } from './from-text.js';
import { checked, type SmtpOptions } from './options.js';
import { parseXml, type XmlElement } from './xml.js';

/**
 * Options from a .NET configuration file: `configuration/system.net/mailSettings/smtp` and its `network`. Other sections are
 * ignored; `from` becomes `defaults.from`; each `${NAME}` in an attribute is replaced by that environment variable.
 *
 * TLS is required whatever `enableSsl` says, except for this machine: see docs/config.md.
 * @throws SmtpUsageError naming the element, attribute or option that cannot be used; it never shows a value.
 */
export const fromDotNetConfig = (xml: string, env: Environment = process.env): SmtpOptions => {
  const smtp = section(parseXml(xml));
  const { from, deliveryMethod = 'Network' } = attributes(smtp, ['from', 'deliveryMethod', 'deliveryFormat'], env);
  if (!/^network$/i.test(deliveryMethod)) throw usage(`The attribute "smtp.deliveryMethod" must be "Network"${/pickupdirectory/i.test(deliveryMethod) ? ': mail is sent to a server, and a pickup directory is not supported' : ''}.`);
  checkChildren(smtp, ['network', 'specifiedPickupDirectory']);
  const network = only(smtp, 'network');
  checkChildren(network, []);
  const { host, port = DEFAULT_PORT, userName, password, enableSsl, clientDomain, defaultCredentials } = attributes(network, NETWORK, env);
  if (host === undefined) throw usage('The attribute "network.host" is missing.');
  if (isTrue(defaultCredentials, 'defaultCredentials')) throw usage('The attribute "network.defaultCredentials" asks for the Windows account, which cannot be used here. Give userName and password.');
  if ((userName === undefined) !== (password === undefined)) throw usage(`The attribute "network.${userName === undefined ? 'password' : 'userName'}" stands alone: userName and password go together.`);
  return checked({
    host: host.trim(),
    port: portOf(port.trim(), 'attribute "network.port"'),
    ...(isTrue(enableSsl, 'enableSsl') ? { security: 'tls' } : {}),
    ...(userName === undefined || password === undefined ? {} : { auth: { user: userName, pass: password } }),
    ...(clientDomain === undefined ? {} : { clientName: clientDomain }),
    ...(from === undefined ? {} : { defaults: { from } }),
  });
};

// What .NET takes where the file says nothing.
const DEFAULT_PORT = '25';

// `targetName` is a service's name for signing in with Windows, which is not done here: it is known and has no effect.
const NETWORK = ['host', 'port', 'userName', 'password', 'enableSsl', 'clientDomain', 'targetName', 'defaultCredentials'] as const;

const ENCRYPTED = 'is encrypted, which only Windows can undo. Write the section in clear, and its password as ${NAME} of an environment variable.';
const ELSEWHERE = {
  configSource: 'points to another file, which is not read. Put what it holds in its place.',
  configProtectionProvider: `says that its section ${ENCRYPTED}`,
};

const section = (root: XmlElement): XmlElement => only(['configuration', 'system.net', 'mailSettings'].reduce(group, element('file', [here(root)])), 'smtp');

/** A group may stand several times, in a `location` and beside it: only a section is unique. */
const group = (parent: XmlElement, name: string): XmlElement => {
  const parts = named(parent, name);
  for (const part of parts) own(part, [...part.attributes.keys()]);
  return element(name, parts.flatMap(({ children }) => children));
};

const element = (name: string, children: readonly XmlElement[]): XmlElement => ({ name, attributes: new Map(), children });

/** What stands in a `location` that is for everything below is as good as what stands beside it. */
const here = (configuration: XmlElement): XmlElement => {
  const isHere = ({ name, attributes }: XmlElement): boolean => name === 'location' && ['.', ''].includes(attributes.get('path') ?? '');
  return { ...configuration, children: configuration.children.flatMap((child) => (isHere(child) ? child.children : [child])) };
};

const only = (parent: XmlElement, name: string): XmlElement => {
  const [child, second] = named(parent, name);
  if (second !== undefined) throw usage(`The element "${name}" stands twice in "${parent.name}".`);
  return child;
};

const named = ({ name: parent, children }: XmlElement, name: string): readonly [XmlElement, ...XmlElement[]] => {
  const [first, ...others] = children.filter((each) => each.name === name);
  if (first !== undefined) return [first, ...others];
  const other = children.find((each) => each.name.toLowerCase() === name.toLowerCase());
  throw usage(`The element "${name}" is missing in "${parent}".${other === undefined ? '' : ` "${other.name}" is another name: capitals count.`}`);
};

const checkChildren = ({ name: parent, children }: XmlElement, known: readonly string[]): void => {
  for (const { name } of children) {
    if (name === 'EncryptedData') throw usage(`The element "${parent}" ${ENCRYPTED}`);
    if (known.includes(name)) continue;
    throw usage(`Unknown element "${shown(name)}" in "${parent}".${didYouMean(name, known)}`);
  }
};

const own = <K extends string>({ name, attributes: given }: XmlElement, known: readonly K[]): Readonly<Partial<Record<K, string>>> =>
  fields(Object.fromEntries(given), { path: name, noun: 'attribute', known, refused: ELSEWHERE }) as Partial<Record<K, string>>;

/** Attributes with their variables filled in; empty ones count as absent, as in .NET. */
const attributes = <K extends string>(element: XmlElement, known: readonly K[], env: Environment): Readonly<Partial<Record<K, string>>> => {
  const given = Object.entries<string | undefined>(own(element, known));
  const filled = given.map(([name, value = '']) => [name, expand(value, `attribute "${element.name}.${name}"`, env)] as const).filter(([, value]) => value !== '');
  return bare(Object.fromEntries(filled) as Partial<Record<K, string>>);
};

const isTrue = (value: string | undefined, name: string): boolean => {
  if (value === undefined || /^\s*false\s*$/i.test(value)) return false;
  if (/^\s*true\s*$/i.test(value)) return true;
  throw usage(`The attribute "network.${name}" must be true or false.`);
};
