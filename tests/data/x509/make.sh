#!/bin/sh
# Makes the certificates of this directory with the openssl command line (3.0 or later): a third party's, so that a
# mistake of ours is not on both sides. Keys are thrown away, so all files here are made anew together.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

key() { openssl genpkey -quiet -algorithm "$2" ${3:+-pkeyopt "$3"} -out "$1.key"; }
# issue NAME ISSUER|self SUBJECT SECTION SERIAL NOT_BEFORE NOT_AFTER [DIGEST]
issue() {
    openssl req -new -utf8 -key "$1.key" -subj "$3" -out "$1.csr" -config config
    touch index && : > index && printf '%s\n' "$5" > serial
    if [ "$2" = self ]; then by="-selfsign -keyfile $1.key"; else by="-keyfile $2.key -cert $2.pem"; fi
    # shellcheck disable=SC2086
    openssl ca -batch -notext -config config -in "$1.csr" -out "$1.pem" -startdate "$6" -enddate "$7" \
        -md "${8:-default}" ${4:+-extensions "$4"} $by 2> ca.log || { cat ca.log; exit 1; }
    openssl x509 -in "$1.pem" -outform DER -out "$here/$1.der"
}

cat > config <<'C'
[req]
distinguished_name = none
string_mask = utf8only
prompt = no
[none]
[ca]
default_ca = here
[here]
database = index
serial = serial
new_certs_dir = .
default_md = default
policy = any
unique_subject = no
preserve = yes
copy_extensions = none
[any]
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
serialNumber = optional
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[issuing]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,digitalSignature,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
certificatePolicies = 1.3.6.1.4.1.99999.1
nameConstraints = critical,permitted;DNS:example.com,permitted;IP:192.0.2.0/255.255.255.0,excluded;DNS:bad.example.com
crlDistributionPoints = URI:http://pki.example.com/root.crl
[device]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth,serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
subjectAltName = DNS:device-1.example.com,IP:192.0.2.7
certificatePolicies = @policy
crlDistributionPoints = URI:http://pki.example.com/issuing.crl
authorityInfoAccess = OCSP;URI:http://pki.example.com/ocsp,caIssuers;URI:http://pki.example.com/issuing.der
[policy]
policyIdentifier = 1.3.6.1.4.1.99999.1
CPS.1 = https://pki.example.com/cps
[rsa]
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
subjectAltName = DNS:rsa.example.com
[serial]
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
[nameless]
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
subjectAltName = critical,DNS:nameless.example.com
[odd]
keyUsage = critical,digitalSignature
authorityKeyIdentifier = keyid:always
1.3.6.1.4.1.99999.7 = critical,ASN1:NULL
[outside]
keyUsage = critical,digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
subjectAltName = DNS:host.bad.example.com
C

key root EC ec_paramgen_curve:P-256
key issuing EC ec_paramgen_curve:P-256
key device EC ec_paramgen_curve:P-256
key rsa RSA rsa_keygen_bits:2048
key ed25519 ED25519
key nameless EC ec_paramgen_curve:P-256
key odd EC ec_paramgen_curve:P-256
key outside EC ec_paramgen_curve:P-256
key version_1 EC ec_paramgen_curve:P-256
key serial_zero EC ec_paramgen_curve:P-256
key serial_20 EC ec_paramgen_curve:P-256
key serial_21 EC ec_paramgen_curve:P-256
key sha1 EC ec_paramgen_curve:P-256
key rsa_1024 RSA rsa_keygen_bits:1024

issue root self "/C=XX/O=Example/CN=Example Root" root 01 20260101000000Z 20551231235959Z
issue issuing root "/C=XX/O=Example/CN=Example Issuing CA" issuing 1001 20260101000000Z 20501231235959Z
issue device issuing "/O=Example/CN=device 1/serialNumber=4711" device 00AF0000000000000000000000000000000001 \
    20260201000000Z 20491231235959Z
issue rsa issuing "/O=Example/CN=rsa.example.com" rsa 2001 20260201000000Z 20500101000000Z
issue ed25519 self "/CN=Ed25519 Root" root 01 20260101000000Z 99991231235959Z
issue nameless issuing "/" nameless 2002 20260201000000Z 20300101000000Z
issue odd issuing "/CN=odd" odd 2003 20260201000000Z 20300101000000Z
issue outside issuing "/CN=outside" outside 2004 20260201000000Z 20300101000000Z
issue version_1 self "/CN=Old Root" "" 05 20260101000000Z 20400101000000Z
issue serial_zero issuing "/CN=zero" serial 00 20260201000000Z 20300101000000Z
issue serial_20 issuing "/CN=twenty" serial F123456789ABCDEF0123456789ABCDEF01234567 20260201000000Z 20300101000000Z
issue serial_21 issuing "/CN=twenty-one" serial 01F123456789ABCDEF0123456789ABCDEF01234567 20260201000000Z 20300101000000Z
issue sha1 issuing "/CN=sha1" serial 2005 20260201000000Z 20300101000000Z sha1
issue rsa_1024 issuing "/CN=small" serial 2006 20260201000000Z 20300101000000Z
cat issuing.pem root.pem > "$here/chain.pem"
