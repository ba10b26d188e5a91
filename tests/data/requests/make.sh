#!/bin/sh
# Makes the certification requests of this directory anew with the openssl command (3.0 or later); the keys are thrown away.
# The broken ones are cut from the good ones and, where their signature is to stay right, signed by openssl.
set -eu
cd "$(dirname "$0")"
keys=$(mktemp -d)
trap 'rm -r "$keys"' EXIT

openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$keys/p256"
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$keys/p384"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$keys/rsa" 2>/dev/null
openssl genpkey -algorithm ED25519 -out "$keys/ed25519"

req() { # req NAME KEY [options…]
    name=$1 key=$2
    shift 2
    openssl req -new -batch -key "$keys/$key" -outform DER -out "$name.der" "$@"
}
config() { printf '[req]\nprompt = no\ndistinguished_name = dn\n%s\n[dn]\nCN = device 1\n%s\n' "$1" "$2" > "$keys/config"; }

config '' ''
req p256 p256 -config "$keys/config" -subj '/O=Example/CN=device 1'
req p384 p384 -config "$keys/config" -subj '/O=Example/CN=device 1'
req rsa2048 rsa -config "$keys/config" -subj '/O=Example/CN=device 1'
req rsa2048_pss rsa -config "$keys/config" -subj '/O=Example/CN=device 1' -sigopt rsa_padding_mode:pss
req ed25519 ed25519 -config "$keys/config" -subj '/O=Example/CN=device 1'
req md5 rsa -config "$keys/config" -subj '/CN=device 1' -md5
req sha1 rsa -config "$keys/config" -subj '/CN=device 1' -sha1
req empty_subject p256 -config "$keys/config" -subj '/'
req multi_valued p256 -config "$keys/config" -subj '/O=Example/CN=device 1+serialNumber=42'
req extensions p256 -config "$keys/config" -subj '/CN=device 1' \
    -addext 'subjectAltName=DNS:device1.example,DNS:*.device1.example,IP:192.0.2.1,IP:2001:db8::1,email:a@example.org,URI:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6,RID:1.2.3.4' \
    -addext 'keyUsage=critical,digitalSignature' -addext 'extendedKeyUsage=clientAuth'
req san_ip_as_dns p256 -config "$keys/config" -subj '/CN=device 1' -addext 'subjectAltName=DNS:192.0.2.1'
req san_trailing_dot p256 -config "$keys/config" -subj '/CN=device 1' -addext 'subjectAltName=DNS:host.example.'
config 'attributes = a' '[a]
challengePassword = secret password'
req challenge p256 -config "$keys/config"
config 'attributes = a
string_mask = utf8only' '[a]
challengePassword = pässword'
req challenge_utf8 p256 -config "$keys/config" -utf8
config 'attributes = a' '[a]
1.2.840.113549.1.9.2 = an unstructured name
challengePassword = secret'
req two_attributes p256 -config "$keys/config"

# Everything below is cut by hand, at octets that the P-256 request surely has.
python3 - "$keys" <<'PYTHON'
import subprocess, sys
keys = sys.argv[1]
good = open('p256.der', 'rb').read()

def element(data, at):
    """(start of content, end) of the element at `at`."""
    length, header = data[at + 1], 2
    if length >= 0x80:
        header += length & 0x7F
        length = int.from_bytes(data[at + 2:at + header], 'big')
    return at + header, at + header + length

def tlv(tag, content):
    size = len(content)
    head = bytes([size]) if size < 0x80 else bytes([0x81, size]) if size < 0x100 else b'\x82' + size.to_bytes(2, 'big')
    return bytes([tag]) + head + content

def signed(info):
    signature = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', keys + '/p256'], input=info, check=True,
                               capture_output=True).stdout
    algorithm = bytes.fromhex('300a06082a8648ce3d040302')
    return tlv(0x30, info + algorithm + tlv(0x03, b'\0' + signature))

def write(name, data):
    open(name + '.der', 'wb').write(data)

outer, end = element(good, 0)
info, info_end = element(good, outer)
fields = good[info:info_end]
assert fields.startswith(b'\x02\x01\x00') and fields.endswith(b'\xa0\x00')
head = fields[:-2]

def with_attributes(*attributes):
    return signed(tlv(0x30, head + tlv(0xA0, b''.join(attributes))))

def attribute(oid, *values):
    return tlv(0x30, bytes.fromhex(oid) + tlv(0x31, b''.join(values)))

extension_request, microsoft, challenge = ('06092a864886f70d01090e', '060a2b06010401823702010e',
                                           '06092a864886f70d010907')

def extensions(host):
    san = tlv(0x30, tlv(0x82, host))
    return tlv(0x30, tlv(0x30, bytes.fromhex('0603551d11') + tlv(0x04, san)))

write('wrong_signature', good[:-1] + bytes([good[-1] ^ 1]))
write('trailing_octet', good + b'\0')
write('cut_short', good[:-1])
write('version_1', signed(tlv(0x30, b'\x02\x01\x01' + fields[3:])))
write('no_attributes', signed(tlv(0x30, head)))
write('indefinite_length', b'\x30\x80' + good[outer:end] + b'\0\0')
write('long_length', b'\x30\x83\x00' + good[2:4] + good[outer:end] if good[1] == 0x82 else b'\x30\x82\x00' + good[2:])
write('duplicate_attribute', with_attributes(attribute(challenge, tlv(0x13, b'a')), attribute(challenge, tlv(0x13, b'b'))))
write('challenge_two_values', with_attributes(attribute(challenge, tlv(0x13, b'a'), tlv(0x13, b'b'))))
write('challenge_ia5', with_attributes(attribute(challenge, tlv(0x16, b'p@ssword'))))
write('challenge_bmp', with_attributes(attribute(challenge, tlv(0x1E, 'pässword'.encode('utf-16-be')))))
write('challenge_empty', with_attributes(attribute(challenge, tlv(0x0C, b''))))
write('challenge_octets', with_attributes(attribute(challenge, tlv(0x04, b'secret'))))
write('attribute_without_value', with_attributes(attribute(challenge)))
write('extensions_twice', with_attributes(attribute(extension_request, extensions(b'a.example')),
                                          attribute(extension_request, extensions(b'b.example'))))
write('extensions_two_values', with_attributes(attribute(extension_request, extensions(b'a.example'), extensions(b'b.example'))))
write('extensions_microsoft', with_attributes(attribute(microsoft, extensions(b'microsoft.example'))))
write('extensions_both', with_attributes(attribute(microsoft, extensions(b'microsoft.example')),
                                         attribute(extension_request, extensions(b'pkcs9.example'))))
write('extension_duplicate', with_attributes(attribute(extension_request, tlv(0x30, extensions(b'a.example')[2:] * 2))))
write('extensions_empty', with_attributes(attribute(extension_request, tlv(0x30, b''))))
write('san_empty', with_attributes(attribute(extension_request, tlv(0x30, tlv(0x30, bytes.fromhex('0603551d1104023000'))))))
write('san_nul', with_attributes(attribute(extension_request, extensions(b'good.example\0.evil.example'))))
write('san_utf8', with_attributes(attribute(extension_request, extensions('bücher.example'.encode()))))
PYTHON
