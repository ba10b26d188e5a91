#!/bin/sh
# Makes the CRLs of this directory with the openssl command line (3.0 or later): a third party's, so that a mistake of ours is
# not on both sides. The key is thrown away, so all files here are made anew together.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap "cat log 2> /dev/null; rm -rf $work" EXIT
cd "$work"

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
crlnumber = number
certificate = ca.pem
private_key = ca.key
default_md = sha256
[bare]
database = index
certificate = ca.pem
private_key = ca.key
default_md = sha256
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[device]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
authorityKeyIdentifier = keyid:always
subjectKeyIdentifier = hash
crlDistributionPoints = part
freshestCRL = URI:http://crl.example.com/delta.crl
authorityInfoAccess = OCSP;URI:http://ocsp.example.com/,caIssuers;URI:http://crl.example.com/ca.der
[part]
fullname = URI:http://crl.example.com/part-1.crl,URI:ldap://ldap.example.com/cn=part-1?certificateRevocationList
[complete]
authorityKeyIdentifier = keyid:always
freshestCRL = URI:http://crl.example.com/delta.crl
[delta]
authorityKeyIdentifier = keyid:always
2.5.29.27 = critical,DER:020105
[partition]
authorityKeyIdentifier = keyid:always
issuingDistributionPoint = critical,@scope
[scope]
fullname = URI:http://crl.example.com/part-1.crl
onlyuser = TRUE
onlysomereasons = keyCompromise,CACompromise,AACompromise
indirectCRL = TRUE
[relative]
authorityKeyIdentifier = keyid:always
issuingDistributionPoint = critical,@relative_scope
[relative_scope]
relativename = fragment
onlyCA = TRUE
[fragment]
CN = part-2
C

openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ca.key
openssl req -x509 -new -key ca.key -subj "/O=Estuary tests/CN=CRL issuer" -days 9000 -config config -extensions root -out ca.pem
openssl x509 -in ca.pem -outform DER -out "$here/ca.der"
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out device.key
openssl req -new -key device.key -subj "/CN=device" -config config -out device.csr
openssl x509 -req -in device.csr -CA ca.pem -CAkey ca.key -set_serial 0x1003 -days 8000 -extfile config -extensions device \
    -outform DER -out "$here/device.der" 2> /dev/null

# entry DATE[,REASON] SERIAL
entry() { printf 'R\t470101000000Z\t%s\t%s\tunknown\t/CN=x\n' "$1" "$2" >> index; }
# list NAME NUMBER SECTION
list() {
    printf '%s\n' "$2" > number
    openssl ca -gencrl -config config ${3:+-crlexts "$3"} -name "${4:-here}" -crl_lastupdate 20260601000000Z \
        -crl_nextupdate 20360601000000Z 2>> log | openssl crl -outform DER -out "$here/$1.der"
}

: > index
list empty 01 complete
entry 260101120000Z 1001
entry 260102120000Z,keyCompromise 1002
entry 260103120000Z,certificateHold 1003
entry 260104120000Z,keyTime,20250701000000Z 1004
entry 260105120000Z,superseded 7F0102030405060708090A0B0C0D0E0F10111213
entry 260106120000Z,holdInstruction,holdInstructionReject FF0102030405060708090A0B0C0D0E0F1011
list complete 05 complete
list partition 0CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC partition
list relative 07 relative
: > index
entry 260603120000Z,removeFromCRL 1003
entry 260603120000Z,cessationOfOperation 1005
list delta 06 delta
: > index
entry 260101120000Z 1001
list version_1 00 "" bare
