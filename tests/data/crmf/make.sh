#!/bin/sh
# Makes the CMP requests of this directory with openssl cmp (OpenSSL 3.0 or later). Test data only: the secret is in the tests.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

openssl ecparam -name prime256v1 -genkey -noout -out "$work/p256.pem"
openssl genrsa -out "$work/rsa.pem" 2048 2>/dev/null
openssl genpkey -algorithm ED25519 -out "$work/ed25519.pem"
for key in p256 rsa; do
    openssl req -x509 -new -key "$work/$key.pem" -subj "/O=Estuary/CN=$key" -days 3650 -out "$work/$key.crt" 2>/dev/null
done
cat > "$work/extensions.cnf" <<'CONF'
[wanted]
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
subjectAltName = DNS:device.example,IP:192.0.2.1
CONF

# request NAME COMMAND KEY ARGUMENTS...: the first request of a transaction with the mock server, as NAME.der
request() {
    name=$1 command=$2 key=$3
    shift 3
    openssl cmp -config "" -use_mock_srv -srv_ref server -srv_secret pass:s3cret-Estuary -rsp_cert "$work/p256.crt" \
        -cmd "$command" -newkey "$work/$key.pem" -reqout "$name.der" -disable_confirm -certout "$work/out.pem" \
        -verbosity 3 -batch "$@" >"$work/log" 2>&1 || [ -s "$name.der" ] || { cat "$work/log"; exit 1; }
}
pbm="-ref device-1 -secret pass:s3cret-Estuary"
request ir_pbm_p256 ir p256 $pbm -subject "/O=Estuary/CN=device 1"
request ir_pbm_rsa_sha384 ir rsa $pbm -subject "/O=Estuary/CN=device 1" -mac hmacWithSHA384 -digest sha384
request cr_pbm_sha512 cr p256 $pbm -subject "/CN=device 1" -mac hmacWithSHA512 -digest sha512
request cr_extensions cr p256 $pbm -subject "/O=Estuary/CN=device 1" -config "$work/extensions.cnf" -reqexts wanted -days 30
request cr_issuer cr p256 $pbm -subject "/CN=device 1" -issuer "/O=Estuary/CN=Root" -policy_oids 1.2.3.4
request ir_ra_verified ir p256 $pbm -subject "/CN=device 1" -popo 0
request ir_key_encipherment ir rsa $pbm -subject "/CN=device 1" -popo 2
request ir_no_popo ir rsa $pbm -subject "/CN=device 1" -popo -1
request ir_empty_subject ir p256 $pbm -subject "/" -sans "device.example"
request kur_signature_p256 kur p256 -cert "$work/p256.crt" -key "$work/p256.pem" -subject "/O=Estuary/CN=p256"
request cr_signature_rsa cr p256 -cert "$work/rsa.crt" -key "$work/rsa.pem" -subject "/O=Estuary/CN=device 1"
request cr_unprotected cr p256 -unprotected_requests -recipient "/CN=CA" -subject "/CN=device 1"
cp "$work/rsa.crt" signer_rsa.pem
cp "$work/p256.crt" signer_p256.pem
