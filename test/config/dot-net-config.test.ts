import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { fromDotNetConfig } from '../../src/config/index.js';
import { SmtpClient, SmtpUsageError } from '../../src/index.js';

/** A file as it stands beside an application: other sections, comments, a schema, text, and a file of its own that is never read. */
const FILE = `<?xml version="1.0" encoding="utf-8"?>
<configuration xmlns="http://schemas.microsoft.com/.NetConfiguration/v2.0">
  <configSections><section name="log4net" type="log4net.Config.Handler, log4net" /></configSections>
  <appSettings file="/nonexistent/secrets.config"><add key="mode" value="&lt;live&gt;" /></appSettings>
  <connectionStrings configSource="/nonexistent/db.config" />
  <applicationSettings><setting name="x" serializeAs="String"><value>text &amp; more</value></setting></applicationSettings>
  <log4net><![CDATA[<anything> & more]]></log4net>
  <!-- mail -->
  <system.net>
    <defaultProxy enabled="true" />
    <mailSettings>
      <smtp from="Ann &lt;ann@example.com&gt;" deliveryMethod="Network" deliveryFormat="International">
        <network host="mail.example.com" port="587" userName="ann@example.com" password="p&lt;w&#x27;d&quot;&amp;&#36;"
                 enableSsl="True" clientDomain="app.example.com" targetName="SMTPSVC/mail.example.com" defaultCredentials="false" />
        <specifiedPickupDirectory pickupDirectoryLocation="" />
      </smtp>
    </mailSettings>
  </system.net>
</configuration>`;

const smtp = (inner: string, attributes = ''): string => `<configuration><system.net><mailSettings><smtp${attributes}>${inner}</smtp></mailSettings></system.net></configuration>`;
const network = (attributes: string): string => smtp(`<network ${attributes}/>`);

const SECTION = '<system.net><mailSettings><smtp><network host="a"/></smtp></mailSettings></system.net>';

describe('fromDotNetConfig', () => {
  it('reads a whole file', () => {
    expect(fromDotNetConfig(FILE)).toEqual({
      host: 'mail.example.com', port: 587, security: 'tls', auth: { user: 'ann@example.com', pass: 'p<w\'d"&$' }, clientName: 'app.example.com', defaults: { from: 'Ann <ann@example.com>' },
    });
  });

  it.each(['<location path="." inheritInChildApplications="false">', '<location path="">', '<location>'])('reads what stands in %s', (location) => {
    expect(fromDotNetConfig(`<configuration><location path="shop"><system.net/></location>${location}${SECTION}</location></configuration>`)).toEqual({ host: 'a', port: 25 });
  });

  it('reads it beside other parts of its groups', () => {
    expect(fromDotNetConfig(`<configuration><location path="."><system.net><defaultProxy/></system.net></location>${SECTION}</configuration>`)).toEqual({ host: 'a', port: 25 });
  });

  it.each([
    ['for a path of its own', '<location path="shop"><system.net/></location>', '"system.net" is missing'],
    ['twice', `<location path=".">${SECTION}</location>${SECTION}`, '"smtp" stands twice in "mailSettings"'],
  ])('refuses a section that stands %s', (_, sections, told) => {
    expect(() => fromDotNetConfig(`<configuration>${sections}</configuration>`)).toThrow(told);
  });

  it.each<[string, object]>([
    ['host="a"', { host: 'a', port: 25 }],
    ['host="a" port="2525" enableSsl="false"', { host: 'a', port: 2525 }],
    ['host="a" enableSsl="true" port="465"', { host: 'a', port: 465, security: 'tls' }],
    ['host="a" userName="" password="" clientDomain="" enableSsl="" port="" defaultCredentials=""', { host: 'a', port: 25 }],
    ['host=" a " enableSsl="true " port=" 465" defaultCredentials=" false"', { host: 'a', port: 465, security: 'tls' }],
    ['host="a" userName="u" password="p" defaultCredentials="FALSE"', { host: 'a', port: 25, auth: { user: 'u', pass: 'p' } }],
  ])('<network %s>', (attributes, options) => { expect(fromDotNetConfig(network(attributes))).toEqual(options); });

  it('takes the delivery over the network in any spelling', () => {
    expect(fromDotNetConfig(smtp('<network host="a"/>', ' deliveryMethod="network"'))).toEqual({ host: 'a', port: 25 });
  });

  // No spelling of enableSsl, and its absence, lets a password travel in clear text.
  it.each(['', 'enableSsl="false"', 'enableSsl="true"'].flatMap((ssl) => ['25', '465', '587', '2525', '8025'].map((port) => [ssl, port])))('%s on port %s is TLS', (ssl, port) => {
    const client = new SmtpClient(fromDotNetConfig(network(`host="mail.example.com" port="${port}" userName="u" password="p" ${ssl}`)));
    expect(client.plans.map(({ security }) => security).sort()).toEqual(['implicit', 'starttls']);
    expect(client.plans.map((plan) => plan.port)).toEqual([Number(port), Number(port)]);
  });

  it('takes enableSsl="true" at its word on this machine, too', () => {
    expect(new SmtpClient(fromDotNetConfig(network('host="localhost"'))).plans.at(-1)).toMatchObject({ security: 'none' });
    expect(new SmtpClient(fromDotNetConfig(network('host="localhost" enableSsl="true"'))).plans.map(({ security }) => security)).toEqual(['starttls', 'implicit']);
  });

  it('fills in environment variables', () => {
    const env = { MAIL_HOST: 'mail.example.com', PORT: '587', SECRET: 'p"<&${x}' };
    expect(fromDotNetConfig(network('host="${MAIL_HOST}" port="${PORT}" userName="a$${b}${PORT}" password="${SECRET}"'), env)).toEqual({
      host: 'mail.example.com', port: 587, auth: { user: 'a${b}587', pass: 'p"<&${x}' },
    });
  });

  it.each<[string, string]>([
    [smtp('<network host="a"/>', ' configSource="../hunter2.config"'), '"smtp.configSource" points to another file'],
    [`<configuration><system.net configSource="hunter2"/></configuration>`, '"system.net.configSource" points to another file'],
    [smtp('<network host="a" configSource="hunter2"/>'), '"network.configSource" points to another file'],
    [smtp('<EncryptedData><CipherData><CipherValue>hunter2</CipherValue></CipherData></EncryptedData>', ' configProtectionProvider="hunter2"'), 'is encrypted'],
    [smtp('<EncryptedData/>'), 'is encrypted'],
    [smtp('<specifiedPickupDirectory pickupDirectoryLocation="/hunter2"/>', ' deliveryMethod="SpecifiedPickupDirectory"'), 'pickup directory'],
    [smtp('<network host="a"/>', ' deliveryMethod="PickupDirectoryFromIis"'), 'pickup directory'],
    [smtp('<network host="a"/>', ' deliveryMethod="hunter2"'), '"smtp.deliveryMethod" must be "Network".'],
    [network('host="a" defaultCredentials="true"'), '"network.defaultCredentials" asks for the Windows account'],
    [network('host="a" defaultCredentials="hunter2"'), '"network.defaultCredentials" must be true or false'],
    [network('host="a" enableSsl="hunter2"'), '"network.enableSsl" must be true or false'],
    [network('host="a" enableSSL="true"'), 'Unknown attribute "network.enableSSL". Did you mean "network.enableSsl"?'],
    [network('host="a" pasword="hunter2"'), 'Did you mean "network.password"?'],
    [network('host="a" __proto__="hunter2"'), '"network.__proto__"'],
    [smtp('<network host="a"/>', ' form="hunter2"'), 'Did you mean "smtp.from"?'],
    [smtp('<netwrok host="a"/><network host="a"/>'), 'Unknown element "netwrok" in "smtp". Did you mean "network"?'],
    [smtp('<network host="a"><clear/></network>'), 'Unknown element "clear" in "network".'],
    [smtp('<network host="a"/><network host="hunter2"/>'), '"network" stands twice in "smtp"'],
    [smtp(''), '"network" is missing in "smtp"'],
    [network('port="25"'), '"network.host" is missing'],
    [network('host="a" userName="hunter2"'), '"network.userName" stands alone'],
    [network('host="a" userName="u" password=""'), '"network.userName" stands alone'],
    [network('host="a" password="hunter2"'), '"network.password" stands alone'],
    [network('host="a" port="hunter2"'), '"network.port" must be a port in digits alone'], [network('host="a" port="0"'), '"port"'], [network('host="a" port="65536"'), '"port"'], [network('host="a" port="2e1"'), '"network.port"'],
    [network('host="http://hunter2"'), '"host"'], [network('host="a" clientDomain="hunter2 x"'), 'clientName'],
    [network('host="a" userName="u" password="hunter2&#13;&#10;QUIT"'), '"auth.pass"'],
    [smtp('<network host="a"/>', ' from="hunter2&#10;"'), '"defaults.from"'],
    [network('host="a" userName="u" password="${MISSING}"'), 'attribute "network.password" asks for the environment variable MISSING, which is not set'],
    [network('host="a" userName="u" password="${hunter2-}"'), 'attribute "network.password" holds a "${"'],
    [network('host="a" userName="u" password="${__proto__}"'), 'which is not set'],
    ['<configuration><system.web/></configuration>', '"system.net" is missing in "configuration"'],
    ['<configuration><system.net><mailsettings/></system.net></configuration>', '"mailSettings" is missing in "system.net". "mailsettings" is another name: capitals count.'],
    ['<smtp from="hunter2"/>', '"configuration" is missing in "file"'],
    ['<!DOCTYPE configuration SYSTEM "file:///hunter2"><configuration/>', 'DOCTYPE'],
    [network('host="a" password="&hunter2;"'), 'character reference'],
    ['hunter2', 'not well-formed'],
  ])('refuses %s', (xml, reason) => {
    try {
      fromDotNetConfig(xml, {});
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SmtpUsageError);
      expect((error as Error).message).toContain(reason);
      expect(inspect(error)).not.toContain('hunter2');
    }
  });
});

const polluted = Object.prototype as unknown as Record<string, unknown>;
const NAMES = ['host', 'enableSsl', 'userName', 'password', 'clientDomain', 'from', 'deliveryMethod', 'configSource'];
afterEach(() => { for (const name of NAMES) Reflect.deleteProperty(polluted, name); });

it('a polluted prototype changes nothing', () => {
  for (const name of NAMES) polluted[name] = 'x.example.com';
  expect(fromDotNetConfig(network('host="a"'))).toEqual({ host: 'a', port: 25 });
});
