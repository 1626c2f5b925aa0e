#!/usr/bin/env bash
# Makes src/testing/certificates.ts anew: certificates for tests on loopback, with keys that everybody has. Needs openssl.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$work/$1.key"; }

# name, alternative names, first and last day
leaf() {
  key "$1"
  openssl req -new -key "$work/$1.key" -subj "/O=rxsmtp tests/CN=$1" -out "$work/$1.csr"
  printf 'subjectAltName=%s\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n' "$2" >"$work/$1.ext"
  openssl ca -batch -notext -config "$work/ca.conf" -extfile "$work/$1.ext" -startdate "$3" -enddate "$4" -in "$work/$1.csr" -out "$work/$1.pem"
}

touch "$work/index.txt"
openssl rand -hex 16 >"$work/serial"
cat >"$work/ca.conf" <<CONF
[ca]
default_ca = ca_default
[ca_default]
database = $work/index.txt
serial = $work/serial
new_certs_dir = $work
certificate = $work/ca.pem
private_key = $work/ca.key
default_md = sha256
policy = anything
unique_subject = no
[anything]
organizationName = supplied
commonName = supplied
CONF

key ca
openssl req -new -key "$work/ca.key" -subj '/O=rxsmtp tests/CN=rxsmtp test authority' -out "$work/ca.csr"
printf 'basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n' >"$work/ca.ext"
openssl ca -batch -notext -selfsign -config "$work/ca.conf" -extfile "$work/ca.ext" -startdate 20200101000000Z -enddate 21200101000000Z -in "$work/ca.csr" -out "$work/ca.pem"
leaf localhost 'DNS:localhost,IP:127.0.0.1,IP:::1' 20200101000000Z 21200101000000Z
leaf expired 'DNS:localhost,IP:127.0.0.1,IP:::1' 20200101000000Z 20200201000000Z
leaf other.example 'DNS:other.example' 20200101000000Z 21200101000000Z

pem() { printf '`%s\n`' "$(cat "$work/$1")"; }
cat >src/testing/certificates.ts <<TS
// Made by scripts/make-certificates.sh. The keys are public: trust this authority in tests only.

/** A certificate chain and its key, as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** The authority that signed all of them. */
export const testAuthority = $(pem ca.pem);

/** For \`localhost\`, \`127.0.0.1\` and \`::1\`. */
export const localhostCertificate: Certificate = {
  cert: $(pem localhost.pem),
  key: $(pem localhost.key),
};

/** For the same names, until 2020. */
export const expiredCertificate: Certificate = {
  cert: $(pem expired.pem),
  key: $(pem expired.key),
};

/** For \`other.example\`. */
export const otherCertificate: Certificate = {
  cert: $(pem other.example.pem),
  key: $(pem other.example.key),
};
TS
