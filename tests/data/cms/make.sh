#!/bin/sh
# Makes the keys of this directory and, with them, messages of the openssl command line (3.0 or later) as seeds of the fuzz
# targets fuzz_cms_*. All are made anew together. The seeds own-* beside them were written once by
# our own builders for the keys of that day (with others they are still read, but not opened).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
corpus="$here/../../fuzz/corpus"
cd "$here"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem 2> /dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p256.pem
openssl genpkey -algorithm X25519 -out x25519.pem
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'some content' > "$work/content"
for key in rsa p256; do
    openssl req -x509 -new -key $key.pem -subj "/CN=$key" -days 20000 -out "$work/$key.crt"
    sign="openssl cms -sign -binary -in $work/content -signer $work/$key.crt -inkey $key.pem -nosmimecap -outform DER"
    $sign -nodetach -out "$corpus/cms_signed_data/$key"
    $sign -nodetach -keyid -noattr -out "$corpus/cms_signed_data/$key-noattr"
    $sign -nodetach -stream -out "$corpus/cms_ber/$key-signed"
done
openssl cms -sign -binary -in "$work/content" -signer "$work/rsa.crt" -inkey rsa.pem -keyopt rsa_padding_mode:pss -nosmimecap \
    -nodetach -outform DER -out "$corpus/cms_signed_data/rsa-pss"
encrypt="openssl cms -encrypt -binary -in $work/content -outform DER -keyid"
$encrypt -aes-128-cbc -out "$corpus/cms_enveloped_data/rsa" "$work/rsa.crt"
$encrypt -aes-256-gcm -out "$corpus/cms_enveloped_data/rsa-gcm" "$work/rsa.crt"
$encrypt -aes-128-cbc -recip "$work/rsa.crt" -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -out "$corpus/cms_enveloped_data/rsa-oaep"
$encrypt -aes-128-gcm -recip "$work/p256.crt" -keyopt ecdh_kdf_md:sha256 -out "$corpus/cms_enveloped_data/p256"
$encrypt -aes-128-cbc -secretkey 42424242424242424242424242424242 -secretkeyid 70736b -out "$corpus/cms_enveloped_data/shared"
$encrypt -des3 -stream -out "$corpus/cms_ber/rsa-encrypted" "$work/rsa.crt"
printf '\044\200\004\002ab\044\004\004\002cd\000\000' > "$corpus/cms_ber/string-in-pieces"
printf '0\2000\200\002\001\001\000\000\000\000' > "$corpus/cms_ber/nested"
