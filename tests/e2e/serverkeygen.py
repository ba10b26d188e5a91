"""Keys made by the server (RFC 7030 4.4): curl, openssl and Bouncy Castle as independent clients, and our own client."""
import base64
import email
import json
import os
import re
import stat
import urllib.request
from pathlib import Path

from harness import *  # noqa: F403

DECRYPT_KEY_ID = "1.2.840.113549.1.9.16.2.37"
ASYMMETRIC_DECRYPT_KEY_ID = "1.2.840.113549.1.9.16.2.54"
SMIME_CAPABILITIES = "1.2.840.113549.1.9.15"
AES256_WRAP, AES128_WRAP = "2.16.840.1.101.3.4.1.45", "2.16.840.1.101.3.4.1.5"
RSAES_OAEP, RSA_ENCRYPTION = "1.2.840.113549.1.1.7", "1.2.840.113549.1.1.1"


# -- just enough DER to put attributes into a request: its signature is not to count -----------------------------------------

def tlv(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    out = b""
    for number in [first * 40 + second, *rest]:
        digits = [number & 0x7F]
        while number := number >> 7:
            digits.append(0x80 | number & 0x7F)
        out += bytes(reversed(digits))
    return tlv(0x06, out)


def elements(content: bytes) -> list:
    """(tag, whole, content) of each element of a run."""
    out = []
    while content:
        size, start = content[1], 2
        if size & 0x80:
            start = 2 + (size & 0x7F)
            size = int.from_bytes(content[2:start], "big")
        out.append((content[0], content[:start + size], content[start:start + size]))
        content = content[start + size:]
    return out


def with_attributes(der: bytes, attributes: dict) -> bytes:
    """The request with attributes {oid: value DER} put in; its signature becomes wrong."""
    info, algorithm, signature = elements(elements(der)[0][2])
    version, subject, key, *_ = elements(info[2])
    written = b"".join(sorted(tlv(0x30, oid(kind), tlv(0x31, value)) for kind, value in attributes.items()))
    return tlv(0x30, tlv(0x30, version[1], subject[1], key[1], tlv(0xA0, written)), algorithm[1], signature[1])


def with_key(der: bytes, spki: bytes) -> bytes:
    """The request with another SubjectPublicKeyInfo; its signature becomes wrong."""
    info, algorithm, signature = elements(elements(der)[0][2])
    version, subject, _, *rest = elements(info[2])
    return tlv(0x30, tlv(0x30, version[1], subject[1], spki, *(one[1] for one in rest)), algorithm[1], signature[1])


def capabilities(*oids: str) -> bytes:
    return tlv(0x30, *(tlv(0x30, oid(one)) for one in oids))


# -- the server ------------------------------------------------------------------------------------------------------------------

def offer(server, label='serverkeygen = ["basic", "certificate"]\n', profile="", more=""):
    """/serverkeygen under the default label, and whatever else."""
    text = server.config.read_text()
    text = text.replace('profile = "device"\n', f'profile = "device"\n{label}', 1)
    text = text.replace("[profile.device]\n", f"[profile.device]\n{profile}", 1)
    server.config.write_text(text + more)
    server.reload()


def has_key_usage(server, usage: str):
    """What the default label's certificates are good for."""
    text = server.config.read_text()
    server.config.write_text(text.replace('key_usage = ["digitalSignature"]', f"key_usage = {usage}", 1))


def count(server) -> int:
    return len(json.loads(server.admin("cert", "list", "--json").out))


def user(server, name, *options):
    return ["--user", f"{name}:{server.credential(name, *options)}"]


class Parts:
    """A key answer, taken apart by Python's own mail reader."""

    def __init__(self, reply):
        check_equal(reply.status, 200, repr(reply))
        check_in("multipart/mixed", reply.headers["content-type"])
        self.reply = reply
        message = email.message_from_string(f"Content-Type: {reply.headers['content-type']}\n\n{reply.body}")
        parts = message.get_payload()
        check_equal(len(parts), 2, "a key and a certificate")
        self.key_type = parts[0]["Content-Type"]
        check_equal(parts[1]["Content-Type"].replace(" ", ""), "application/pkcs7-mime;smime-type=certs-only")
        self.key, self.certificates = (part.get_payload(decode=True) for part in parts)

    def certificate(self, tmp: Path) -> Path:
        pem = run_program("openssl", "pkcs7", "-inform", "DER", "-print_certs", stdin=self.certificates).out
        check_equal(pem.count("BEGIN CERTIFICATE"), 1, "exactly one certificate")
        (tmp / "issued.pem").write_text(pem)
        return tmp / "issued.pem"


def check_pair(server, key_der: bytes, certificate: Path):
    """The key is one that openssl takes, it is the certificate's, and the certificate is good."""
    key = run_program("openssl", "pkcs8", "-inform", "DER", "-nocrypt", stdin=key_der).out
    run_program("openssl", "pkey", "-check", "-noout", stdin=key)
    public = run_program("openssl", "pkey", "-pubout", stdin=key).out
    check_equal(public, run_program("openssl", "x509", "-in", certificate, "-noout", "-pubkey").out, "the key is the certificate's")
    run_program("openssl", "verify", "-x509_strict", "-CAfile", server.root, "-untrusted", server.issuing, certificate)


def open_package(server, tmp: Path, signed_data: bytes) -> bytes:
    """The private key of a SignedData with an AsymmetricKeyPackage, after openssl has verified who signed it."""
    message = tlv(0x30, oid("1.2.840.113549.1.7.2"), tlv(0xA0, signed_data))
    (tmp / "signed.der").write_bytes(message)
    run_program("openssl", "asn1parse", "-inform", "DER", "-in", tmp / "signed.der")
    run_program("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", tmp / "signed.der", "-CAfile", server.root,
                "-purpose", "any", "-out", tmp / "package.der")
    check_in("2.16.840.1.101.2.1.2.78.5", run_program("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in",
                                                      tmp / "signed.der").out, "id-ct-KP-aKeyPackage")
    (package,) = elements((tmp / "package.der").read_bytes())
    (key,) = elements(package[2])
    return key[1]


def subject_key_id(certificate: Path) -> bytes:
    text = run_program("openssl", "x509", "-in", certificate, "-noout", "-ext", "subjectKeyIdentifier").out
    return bytes.fromhex(text.split("\n")[1].strip().replace(":", ""))


def opened(server, tmp: Path, parts: Parts, certificate: Path, key: Path):
    """openssl opens the encrypted key, which is the issued certificate's."""
    (tmp / "key.p7m").write_bytes(parts.key)
    run_program("openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", tmp / "key.p7m", "-recip", certificate, "-inkey", key,
                "-out", tmp / "inner.der")
    check_pair(server, open_package(server, tmp, (tmp / "inner.der").read_bytes()), parts.certificate(tmp))


def encryption_certificate(tmp: Path, name: str, kind: str) -> str:
    """NAME.pem and NAME.key, made by openssl for encryption; returns the key's identifier in hexadecimal."""
    kinds = {"rsa": (["rsa:2048"], "keyEncipherment"), "ec": (["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "keyAgreement"),
             "p384": (["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], "keyAgreement")}
    new, usage = kinds[kind]
    run_program("openssl", "req", "-x509", "-newkey", *new, "-nodes", "-keyout", tmp / f"{name}.key", "-out", tmp / f"{name}.pem",
                "-subj", f"/CN={name}", "-days", "30", "-addext", f"keyUsage=critical,{usage}")
    return subject_key_id(tmp / f"{name}.pem").hex()


# -- curl and openssl ------------------------------------------------------------------------------------------------------------

def test_curl_gets_keys_that_openssl_opens(server, tmp):
    offer(server, profile='server_key_types = ["p256", "rsa2048", "ed25519"]\n')
    for kind, text in {"ec": "id-ecPublicKey", "rsa": "rsaEncryption", "ed25519": "ED25519"}.items():
        request = make_request(tmp, f"/CN=made-{kind}", key=kind)
        parts = Parts(server.post("serverkeygen", request, *user(server, f"made-{kind}")))
        check_equal(parts.key_type, "application/pkcs8")
        check_in(text, run_program("openssl", "asn1parse", "-inform", "DER", stdin=parts.key).out)
        certificate = parts.certificate(tmp)
        check_pair(server, parts.key, certificate)
        check_in(f"made-{kind}", run_program("openssl", "x509", "-in", certificate, "-noout", "-subject").out)
        check_in("no-store", parts.reply.headers["cache-control"])
        own = run_program("openssl", "pkey", "-in", tmp / "dev.key", "-pubout").out
        assert own != run_program("openssl", "x509", "-in", certificate, "-noout", "-pubkey").out, "the request's key is not certified"


def test_octets_of_the_answer(server, tmp):
    """RFC 2046 5.1.1 and RFC 8951 3.2.4, octet by octet: old clients have readers of their own."""
    offer(server)
    reply = server.post("serverkeygen", make_request(tmp, "/CN=shape"), *user(server, "shape"))
    boundary = re.fullmatch(r'multipart/mixed; ?boundary="?([^"]+)"?', reply.headers["content-type"]).group(1)
    first, second, third, rest = reply.body.split(f"--{boundary}")
    check_equal(first, "", "nothing before the first part")
    for part, media_type in [(second, "application/pkcs8"), (third, "application/pkcs7-mime; smime-type=certs-only")]:
        head, _, body = part.removeprefix("\r\n").partition("\r\n\r\n")
        check_equal(head.split("\r\n"), [f"Content-Type: {media_type}", "Content-Transfer-Encoding: base64"])
        assert body.endswith("\r\n"), "the boundary stands on a line of its own"
        for line in body.strip().split("\n"):
            assert len(line.strip()) <= 76, line
        base64.b64decode(body, validate=False)
    check_equal(rest.strip(), "--", "the closing boundary")


def test_bouncy_castle_gets_a_key(server, tmp):
    """Its EST client reads the answer, and openssl what it made of it."""
    jars = [Path("/usr/share/java") / f"{name}.jar" for name in ("bcprov", "bcutil", "bcpkix")]
    if not all(jar.exists() for jar in jars):
        raise Skip("Bouncy Castle is not installed (scripts/setup does it)")
    javac, java = need("javac"), need("java")
    classes = ":".join(str(path) for path in [tmp / "classes", *jars])
    run_program(javac, "-cp", classes, "-d", tmp / "classes", Path(__file__).parent / "java/EstPeer.java")
    offer(server, profile='server_key_types = ["p256", "rsa2048"]\n')
    run_program(java, "-cp", classes, "EstPeer", f"localhost:{server.port}", server.root, "bc", server.credential("bc"), "CN=bc", tmp / "got")
    check_pair(server, (tmp / "got.key").read_bytes(), tmp / "got.pem")


def test_what_is_no_request_is_refused(server, tmp):
    offer(server)
    credential = user(server, "bad", "--uses", "1")
    request = make_request(tmp, "/CN=bad")
    before = count(server)
    for what, status, reply in [
            ("GET", 405, server.curl("serverkeygen", *credential)),
            ("PUT", 405, server.post("serverkeygen", request, "-X", "PUT", *credential)),
            ("an unknown label", 404, server.post("nowhere/serverkeygen", request, *credential)),
            ("text", 415, server.post("serverkeygen", request, *credential, content_type="text/plain")),
            ("nothing", 400, server.post("serverkeygen", b"", *credential, body=b"")),
            ("no base64", 400, server.post("serverkeygen", b"", *credential, body=b"\x00\x01\xff")),
            ("cut off", 400, server.post("serverkeygen", request[:-9], *credential)),
            ("more than a request", 400, server.post("serverkeygen", request + b"\0", *credential)),
            ("a certificate", 400, server.post("serverkeygen", base64.b64decode("".join(
                server.issuing.read_text().split("-----")[2].split())), *credential)),
            ("a name that is not allowed", 400, server.post("serverkeygen", make_request(tmp, "/CN=bad/title=boss"), *credential))]:
        check_equal(reply.status, status, f"{what}: {reply}")
        check_in("text/plain", reply.headers["content-type"], what)
    check_equal(count(server), before)
    Parts(server.post("serverkeygen", request, *credential))  # the one use is still there


def test_kind_of_key_is_a_wish(server, tmp):
    """RFC 7030 4.4.1: the public key is ignored, even one that nobody knows; what is not made here is made as the profile says."""
    offer(server, profile='server_key_types = ["p384", "rsa2048"]\n')
    credential = user(server, "wish", "--uses", "unlimited")
    unknown = tlv(0x30, tlv(0x30, oid("1.2.3.4.5")), tlv(0x03, b"\0" + bytes(40)))
    for request in (make_request(tmp, "/CN=wish"), make_request(tmp, "/CN=wish", key="rsa3072"), with_key(make_request(tmp, "/CN=wish"), unknown),
                    with_key(make_request(tmp, "/CN=wish"), tlv(0x30))):
        parts = Parts(server.post("serverkeygen", request, *credential))
        check_in("P-384", run_program("openssl", "pkey", "-inform", "DER", "-noout", "-text", stdin=parts.key).out)
        check_pair(server, parts.key, parts.certificate(tmp))
    told = enroll(server, tmp / "dev", "CN=wished", "wished", "--key-type", "ed25519")
    check_in("note: the server made a key of type p384", told.err)
    refused = enroll(server, tmp / "not", "CN=wished", "wished2", "--key-type", "x25519", check=False)
    check_equal(refused.returncode, 2, refused.err)
    check_in("cannot be signed", refused.err)


def metric(port: int, name: str, label: str):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        found = re.search(rf'^{name}\{{type="{label}"\}} (\S+)', answer.read().decode(), re.MULTILINE)
    return found and float(found.group(1))


def test_rsa_keys_come_from_a_pool(server, tmp):
    """Made in the background, never more than were asked for; with none ready, others do not wait for it (bug class 30)."""
    port = free_port()
    keys = '\n[keys]\nthreads = {}\ndirect_max = 0\n[keys.ready]\nrsa2048 = 2\n\n[metrics]\nlisten = "127.0.0.1:{}"\n'
    server.stop()
    unchanged = server.config.read_text()
    configured = unchanged.replace('profile = "device"\n', 'profile = "device"\nserverkeygen = ["basic"]\n', 1).replace(
        "[profile.device]\n", '[profile.device]\nserver_key_types = ["p256", "rsa2048"]\n', 1)
    server.config.write_text(configured + keys.format(0, port))
    server.start()
    credential = user(server, "pool", "--uses", "unlimited")
    rsa, ec = make_request(tmp, "/CN=pool", key="rsa"), make_request(tmp, "/CN=pool")
    check_equal((metric(port, "estuary_keys_ready", "rsa2048"), metric(port, "estuary_keys_wanted", "rsa2048")), (0, 2))
    busy = server.post("serverkeygen", rsa, *credential)
    check_equal(busy.status, 503, busy)
    assert int(busy.headers["retry-after"]) > 0
    check_equal(server.post("serverkeygen", ec, *credential).status, 200, "another kind does not wait")
    check_equal(server.stop(), 0)

    server.config.write_text(configured + keys.format(1, port))
    server.start()
    seen = set()
    for _ in range(3):
        wait_for(lambda: metric(port, "estuary_keys_ready", "rsa2048") == 2)
        parts = Parts(server.post("serverkeygen", rsa, *credential))
        check_pair(server, parts.key, parts.certificate(tmp))
        seen.add(parts.key)
    check_equal(len(seen), 3, "no key is given out twice")
    check_in("keys ready type=rsa2048 count=2", server.log())
    Parts(server.post("serverkeygen", rsa, *credential))
    check_equal(server.stop(), 0, "ends in good order while a key is being made")
    check_in("stopped", server.log())


def test_it_is_off_by_default_and_needs_somebody(server, tmp):
    request = make_request(tmp, "/CN=nobody")
    check_equal(server.post("serverkeygen", request, *user(server, "off")).status, 404)
    offer(server)
    check_equal(server.post("serverkeygen", request).status, 401)
    check_equal(server.post("serverkeygen", request, "--user", "off:wrong").status, 401)
    check_equal(server.curl("serverkeygen").status, 405)
    once = user(server, "once")
    Parts(server.post("serverkeygen", request, *once))
    check_equal(server.post("serverkeygen", request, *once).status, 401, "one use, one key")


def test_signature_of_the_request_does_not_count(server, tmp):
    offer(server)
    good = make_request(tmp, "/CN=unsigned")
    broken = good[:-1] + bytes([good[-1] ^ 1])
    credential = user(server, "unsigned", "--uses", "2")
    check_equal(server.post("simpleenroll", broken, *credential).status, 400)
    parts = Parts(server.post("serverkeygen", broken, *credential))
    check_pair(server, parts.key, parts.certificate(tmp))


def test_shared_key_opened_by_openssl(server, tmp):
    offer(server)
    for number, wrap in enumerate([AES256_WRAP, AES128_WRAP]):
        octets = 32 if wrap == AES256_WRAP else 16
        name, identifier, key = f"psk{number}", os.urandom(8), os.urandom(octets)
        (tmp / "psk").write_text(f"{identifier.hex()}:{key.hex()}\n")
        (tmp / "psk").chmod(0o600)
        server.admin("decrypt-key", "add", "--key-file", tmp / "psk", "--credential", name)
        request = with_attributes(make_request(tmp, f"/CN={name}"), {DECRYPT_KEY_ID: tlv(0x04, identifier), SMIME_CAPABILITIES: capabilities(wrap)})
        parts = Parts(server.post("serverkeygen", request, *user(server, name)))
        check_in("server-generated-key", parts.key_type)
        (tmp / "key.p7m").write_bytes(parts.key)
        shown = run_program("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", tmp / "key.p7m").out
        assert re.search(r"d\.kekri:\s+version: 4\s", shown), f"KEKRecipientInfo of version 4: {shown}"
        check_in(f"id-aes{octets * 8}-wrap", shown)
        run_program("openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", tmp / "key.p7m", "-secretkey", key.hex(),
                    "-secretkeyid", identifier.hex(), "-out", tmp / "inner.der")
        check_pair(server, open_package(server, tmp, (tmp / "inner.der").read_bytes()), parts.certificate(tmp))


def test_certificates_opened_by_openssl(server, tmp):
    """Key transport and key agreement to certificates that openssl made."""
    offer(server)
    transport, agreement = r"d\.ktri:\s+version: 0\s+d\.issuerAndSerialNumber", r"d\.kari:\s+version: 3\s+d\.originatorKey"
    for kind, listed, shown in [("rsa", RSAES_OAEP, transport + r"[\s\S]*rsaesOaep"), ("rsa", RSA_ENCRYPTION, transport + r"[\s\S]*rsaEncryption"),
                                ("ec", AES256_WRAP, agreement + r"[\s\S]*dhSinglePass"), ("ec", AES128_WRAP, agreement),
                                ("p384", AES256_WRAP, agreement)]:
        name = f"{kind}{listed.split('.')[-1]}"
        identifier = encryption_certificate(tmp, name, kind)
        server.admin("decrypt-key", "add", "--certificate", tmp / f"{name}.pem", "--subject", f"CN={name}")
        request = with_attributes(make_request(tmp, f"/CN={name}"), {ASYMMETRIC_DECRYPT_KEY_ID: tlv(0x04, bytes.fromhex(identifier)),
                                                                    SMIME_CAPABILITIES: capabilities(listed)})
        parts = Parts(server.post("serverkeygen", request, *user(server, name)))
        (tmp / "key.p7m").write_bytes(parts.key)
        message = run_program("openssl", "cms", "-cmsout", "-print", "-inform", "DER", "-in", tmp / "key.p7m").out
        assert re.search(shown, message), f"{name}: {message}"
        opened(server, tmp, parts, tmp / f"{name}.pem", tmp / f"{name}.key")


def test_certificates_of_ours_are_their_holders(server, tmp):
    """bug class 8: a certificate of this CA is named by who has it, and by nobody else."""
    has_key_usage(server, '["digitalSignature", "keyEncipherment"]')
    offer(server, label='serverkeygen = ["basic", "certificate"]\nserverkeygen_encrypted = true\n')
    mine = tmp / "mine.pem"
    mine.write_text(server.post("simpleenroll", make_request(tmp, "/CN=mine", name="mine", key="rsa"), *user(server, "mine")).certificates())
    named = {ASYMMETRIC_DECRYPT_KEY_ID: tlv(0x04, subject_key_id(mine)), SMIME_CAPABILITIES: capabilities(RSAES_OAEP)}
    own = with_attributes(make_request(tmp, "/CN=mine"), named)
    opened(server, tmp, Parts(server.post("serverkeygen", own, *user(server, "again"))), mine, tmp / "mine.key")
    # A renewal by the certificate itself, which receives the next key.
    shown = ["--cert", mine, "--key", tmp / "mine.key"]
    opened(server, tmp, Parts(server.post("serverkeygen", own, *shown)), mine, tmp / "mine.key")
    before = count(server)
    credential = user(server, "other")
    others = server.post("serverkeygen", with_attributes(make_request(tmp, "/CN=other"), named), *credential)
    nowhere = server.post("serverkeygen", with_attributes(make_request(tmp, "/CN=other"), {
        **named, ASYMMETRIC_DECRYPT_KEY_ID: tlv(0x04, bytes(20))}), *credential)
    check_equal((others.status, nowhere.status), (400, 400))
    check_equal(others.body.replace(subject_key_id(mine).hex(), ""), nowhere.body.replace(bytes(20).hex(), ""), "another's is not there")
    server.admin("cert", "revoke", run_program("openssl", "x509", "-in", mine, "-noout", "-serial").out.strip().split("=")[1])
    check_equal(server.post("serverkeygen", own, *credential).status, 400, "nor is one that is revoked")
    check_equal(count(server), before)


def test_encryption_that_cannot_be_is_refused(server, tmp):
    """RFC 7030 4.4.1: no key leaves less protected than the request said, and none is certified for it."""
    offer(server)
    identifier = encryption_certificate(tmp, "named", "rsa")
    server.admin("decrypt-key", "add", "--certificate", tmp / "named.pem", "--subject", "CN=named")
    credential = user(server, "refused", "--uses", "1")
    before = count(server)
    named = tlv(0x04, bytes.fromhex(identifier))
    for what, subject, attributes in [
            ("unknown shared key", "named", {DECRYPT_KEY_ID: tlv(0x04, b"none"), SMIME_CAPABILITIES: capabilities(AES256_WRAP)}),
            ("unknown certificate", "named", {ASYMMETRIC_DECRYPT_KEY_ID: tlv(0x04, b"none"), SMIME_CAPABILITIES: capabilities(RSAES_OAEP)}),
            ("another's certificate", "other", {ASYMMETRIC_DECRYPT_KEY_ID: named, SMIME_CAPABILITIES: capabilities(RSAES_OAEP)}),
            ("no capabilities", "named", {ASYMMETRIC_DECRYPT_KEY_ID: named}),
            ("nothing that fits", "named", {ASYMMETRIC_DECRYPT_KEY_ID: named, SMIME_CAPABILITIES: capabilities(AES256_WRAP)}),
            ("both", "named", {ASYMMETRIC_DECRYPT_KEY_ID: named, DECRYPT_KEY_ID: named, SMIME_CAPABILITIES: capabilities(RSAES_OAEP)}),
            ("no octet string", "named", {ASYMMETRIC_DECRYPT_KEY_ID: tlv(0x0C, b"x"), SMIME_CAPABILITIES: capabilities(RSAES_OAEP)})]:
        reply = server.post("serverkeygen", with_attributes(make_request(tmp, f"/CN={subject}"), attributes), *credential)
        check_equal(reply.status, 400, f"{what}: {reply}")
        check_in("text/plain", reply.headers["content-type"], what)
    check_equal(count(server), before)
    good = with_attributes(make_request(tmp, "/CN=named"), {ASYMMETRIC_DECRYPT_KEY_ID: named, SMIME_CAPABILITIES: capabilities(RSAES_OAEP)})
    Parts(server.post("serverkeygen", good, *credential))  # the one use was not spent on refusals


def test_label_may_demand_encryption(server, tmp):
    offer(server, label='serverkeygen = ["basic"]\nserverkeygen_encrypted = true\n')
    check_equal(server.post("serverkeygen", make_request(tmp, "/CN=plain"), *user(server, "plain")).status, 400)
    attributes = run_program("openssl", "asn1parse", "-inform", "DER", stdin=base64.b64decode(server.curl("csrattrs").body)).out
    for name in ("S/MIME Capabilities", ASYMMETRIC_DECRYPT_KEY_ID):
        assert name in attributes or name == ASYMMETRIC_DECRYPT_KEY_ID and "aa-asymmDecryptKeyID" in attributes.replace("id-smime-", ""), attributes
    refused = enroll(server, tmp / "dev", "CN=plain", "plain2", check=False)
    check_equal(refused.returncode, 2)
    check_in("--decrypt-with", refused.err)


# -- our own client ----------------------------------------------------------------------------------------------------------------

def enroll(server, out, subject, name, *options, check=True, credential=("--uses", "1")):
    return run_program(ESTUARY, "enroll", server.url, "--trust", server.root, "--subject", subject, "--user", name, "--password-stdin",
                       "--server-key", "--out", out, *options, stdin=server.credential(name, *credential) + "\n", check=check)


def check_directory(server, out: Path):
    """What is in the directory is whole, private, and belongs together."""
    mode = stat.S_IMODE((out / "key.pem").resolve().stat().st_mode)
    check_equal(oct(mode), oct(0o600), "mode of the key")
    public = run_program("openssl", "pkey", "-in", out / "key.pem", "-pubout").out
    check_equal(public, run_program("openssl", "x509", "-in", out / "cert.pem", "-noout", "-pubkey").out)
    run_program("openssl", "verify", "-x509_strict", "-CAfile", server.root, "-untrusted", server.issuing, out / "cert.pem")
    return public


def test_client_enrolls_and_renews(server, tmp):
    offer(server, profile='server_key_types = ["p256", "rsa2048"]\n')
    out = tmp / "dev"
    enroll(server, out, "CN=dev", "dev")
    first = check_directory(server, out)
    run_program(ESTUARY, "renew", out)  # the same key: it is the client's own by now
    check_equal(check_directory(server, out), first)
    run_program(ESTUARY, "renew", out, "--rekey")
    second = check_directory(server, out)
    assert second != first, "a new key"
    run_program(ESTUARY, "renew", out, "--key-type", "rsa2048")
    check_in("rsaEncryption", run_program("openssl", "x509", "-in", out / "cert.pem", "-noout", "-text").out)
    events = [json.loads(line)["event"] for line in server.admin("audit", "list", "--json").out.splitlines()]
    check_equal(events.count("key.generated"), 3)


def test_client_decrypts_with_certificate_and_shared_key(server, tmp):
    offer(server, label='serverkeygen = ["basic", "certificate"]\nserverkeygen_encrypted = true\n')
    for kind in ("rsa", "ec", "p384"):
        name = f"with-{kind}"
        encryption_certificate(tmp, name, kind)
        server.admin("decrypt-key", "add", "--certificate", tmp / f"{name}.pem")
        enroll(server, tmp / f"{name}-dir", f"CN={name}", name, "--decrypt-with", tmp / f"{name}.pem", "--decrypt-with-key", tmp / f"{name}.key")
        check_directory(server, tmp / f"{name}-dir")
    (tmp / "shared").write_text(server.admin("decrypt-key", "add", "--subject", "CN=shared").out)
    (tmp / "shared").chmod(0o600)
    enroll(server, tmp / "shared-dir", "CN=shared", "shared", "--decrypt-key", tmp / "shared")
    first = check_directory(server, tmp / "shared-dir")
    run_program(ESTUARY, "renew", tmp / "shared-dir", "--rekey")  # the directory knows with what it is opened
    assert check_directory(server, tmp / "shared-dir") != first
    # The wrong key says nothing but that it is wrong, and nothing is written.
    identifier = (tmp / "shared").read_text().split(":")[0]
    (tmp / "wrong").write_text(f"{identifier}:{'42' * 32}\n")
    (tmp / "wrong").chmod(0o600)
    failed = enroll(server, tmp / "wrong-dir", "CN=shared", "wrong", "--decrypt-key", tmp / "wrong", check=False)
    assert failed.returncode != 0, failed.err
    check_in("cannot be opened", failed.err)
    assert not (tmp / "wrong-dir" / "current").exists()


class KeyServer:
    """An EST server whose keys, and all of the messages around them, openssl makes."""

    def __init__(self, tmp: Path):
        self.tmp, self.signer, self.recipient, self.options, self.plain = tmp, "kga", None, [], False
        self.server = StrangeServer(tmp / "strange", self.answer)
        for name, extensions in [("kga", "keyUsage=critical,digitalSignature\nextendedKeyUsage=1.3.6.1.5.5.7.3.32"),
                                 ("device", "keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth")]:
            self.server._issue(self.server._request(f"/CN={name}", name), extensions, f"{name}.pem")

    def answer(self, asked):
        if asked.operation != "serverkeygen":
            return None
        self.asked = asked.request_text()
        request = make_request(self.tmp, "/CN=made", name="made")
        certificate = self.server._issue(request, "keyUsage=critical,digitalSignature", "made.pem")
        key = run_program("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", self.tmp / "made.key", "-outform", "DER").stdout
        certs_only = self.server.certs_only(certificate)
        kind = "application/pkcs8" if self.plain else "application/pkcs7-mime; smime-type=server-generated-key"
        parts = [(certs_only[1]["Content-Type"], certs_only[2]), (kind, base64.encodebytes(key if self.plain else self.enveloped(key)))]
        body = b"A preamble that nobody reads\n"
        for media_type, content in parts:  # the certificate first, and lines that end with LF alone
            body += f"--of a strange server\nContent-Type: {media_type}\n\n".encode() + content + b"\n"
        return 200, {"Content-Type": 'multipart/mixed; boundary="of a strange server"'}, body + b"--of a strange server--\n"

    def enveloped(self, key: bytes) -> bytes:
        directory = self.server.dir
        signed = run_program("openssl", "cms", "-sign", "-binary", "-nodetach", "-econtent_type", "2.16.840.1.101.2.1.2.78.5", "-signer",
                             directory / f"{self.signer}.pem", "-inkey", directory / f"{self.signer}.key", "-outform", "DER",
                             stdin=tlv(0x30, key)).stdout
        (_, (_, _, inner)) = elements(elements(signed)[0][2])
        message = run_program("openssl", "cms", "-encrypt", "-binary", "-aes256", "-outform", "DER", *self.options, stdin=inner).stdout
        # openssl calls the content id-data, whatever it is told.
        return message.replace(oid("1.2.840.113549.1.7.1"), oid("1.2.840.113549.1.7.2"), 1)


def test_client_opens_what_openssl_makes(tmp):
    strange = KeyServer(tmp)

    def get(out, *options, check=True):
        return run_program(ESTUARY, "enroll", strange.server.url, "--trust", strange.server.root, "--subject", "CN=made", "--server-key",
                           "--out", tmp / out, *options, check=check)

    (tmp / "shared").write_text(f"{b'strange'.hex()}:{'42' * 32}\n")
    (tmp / "shared").chmod(0o600)
    ways = [("shared", ["-secretkey", "42" * 32, "-secretkeyid", b"strange".hex()], ["--decrypt-key", tmp / "shared"])]
    for name, kind, options in [("pkcs1", "rsa", []), ("oaep", "rsa", ["-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256"]),
                                ("ecdh", "ec", ["-keyopt", "ecdh_kdf_md:sha256"]), ("ecdh384", "p384", ["-keyopt", "ecdh_kdf_md:sha384"])]:
        encryption_certificate(tmp, name, kind)
        ways.append((name, ["-recip", tmp / f"{name}.pem", *options], ["--decrypt-with", tmp / f"{name}.pem", "--decrypt-with-key", tmp / f"{name}.key"]))
    for name, strange.options, options in ways:
        get(f"by-{name}", *options)
        check_in("S/MIME Capabilities", strange.asked, name)
        check_equal(run_program("openssl", "pkey", "-in", tmp / f"by-{name}/key.pem", "-pubout").out,
                    run_program("openssl", "pkey", "-in", tmp / "made.key", "-pubout").out, name)
    # Signed by somebody who may not make keys, and not encrypted at all: nothing is kept.
    for name, change, told in [("device", {"signer": "device"}, "may not make keys"), ("plain", {"plain": True}, "without the encryption")]:
        vars(strange).update({"signer": "kga", "plain": False, **change})
        failed = get(f"not-{name}", *ways[-1][2], check=False)
        assert failed.returncode != 0, name
        check_in(told, failed.err)
        assert not (tmp / f"not-{name}" / "current").exists()


def test_client_waits_for_a_person(server, tmp):
    offer(server)
    server.config.write_text(server.config.read_text().replace("#manual_approval = true", 'manual_approval = true\npoll_interval = "1s"', 1))
    server.reload()
    out, password = tmp / "dev", server.credential("waits")
    command = [ESTUARY, "enroll", server.url, "--trust", server.root, "--subject", "CN=waits", "--user", "waits", "--password-stdin",
               "--server-key", "--out", out, "--wait", "0"]
    first = run_program(*command, stdin=password + "\n", check=False)
    check_equal(first.returncode, 5, first.err)
    (pending,) = json.loads(server.admin("request", "list", "--json").out)
    check_equal(pending["operation"], "serverkeygen")
    check_in("made here", server.admin("request", "show", str(pending["id"])).out)
    server.admin("request", "approve", str(pending["id"]))
    run_program(*command, stdin=password + "\n")
    check_directory(server, out)


def written_forms(secret: bytes) -> list:
    """As it is, in hexadecimal, and in base64 wherever it begins."""
    texts = [base64.b64encode(bytes(shift) + secret)[4:-4] for shift in range(3)]
    return [secret, secret.hex().encode(), secret.hex().upper().encode(), *texts]


def private_value(key: Path) -> bytes:
    """The secret number of an EC key, or of an RSA key its exponent, without leading zeros."""
    text = run_program("openssl", "pkey", "-in", key, "-noout", "-text").out
    number = re.search(r"(?:priv|privateExponent):\n((?: +[0-9a-f:]+\n)+)", text).group(1)
    return bytes.fromhex(re.sub(r"[\s:]", "", number)).lstrip(b"\0")


def check_nowhere(server, secrets):
    """No file of the server's has any of them, in any form; the log tells everything that it can."""
    for path in [server.log_path, *server.dir.rglob("*")]:
        if path.is_file():
            content = path.read_bytes()
            for secret in secrets:
                for form in written_forms(secret):
                    assert form not in content, f"a secret is in {path}"


def test_secrets_are_nowhere(server, tmp):
    """bug class 12: neither shared keys nor private keys in log, audit trail or database."""
    server.config.write_text(server.config.read_text().replace('level = "info"', 'level = "debug"'))
    offer(server, profile='server_key_types = ["p256", "rsa2048"]\n')
    line = server.admin("decrypt-key", "add").out.strip()
    (tmp / "shared").write_text(line + "\n")
    (tmp / "shared").chmod(0o600)
    secrets = [bytes.fromhex(line.split(":")[1])]
    for name, options in {"canary": ("--decrypt-key", tmp / "shared"), "plain": (), "rsa": ("--key-type", "rsa2048")}.items():
        enroll(server, tmp / name, f"CN={name}", name, *options)
        secrets.append(private_value(tmp / name / "key.pem"))
    check_equal(len(secrets[1]) > 24 and len(secrets[3]) > 200, True, "the canaries are what they should be")
    server.stop()
    check_nowhere(server, secrets)


# -- archived keys --------------------------------------------------------------------------------------------------------------------

def test_archived_key_is_recovered_by_its_agent(server, tmp):
    if os.geteuid() != 0:
        raise Skip("needs two accounts of this machine: run as root")
    encryption_certificate(tmp, "agent", "rsa")
    encryption_certificate(tmp, "second", "ec")
    (server.dir / "agents.pem").write_text((tmp / "agent.pem").read_text() + (tmp / "second.pem").read_text())
    offer(server, profile="archive_keys = true\n",
          more='\n[keys.recovery]\nagents = "agents.pem"\napprovals = 1\noperators = ["nobody"]\n')
    enroll(server, tmp / "dev", "CN=archived", "archived")
    check_directory(server, tmp / "dev")
    serial = run_program("openssl", "x509", "-in", tmp / "dev/cert.pem", "-noout", "-serial").out.strip().split("=")[1].lower()
    server.stop()
    tmp.chmod(0o755)

    def as_nobody(*command, check=True):
        run_program("chown", "-R", "nobody", server.dir)
        return run_program("setpriv", "--reuid", "nobody", "--clear-groups", ESTUARYD, *command, "--dir", server.dir, check=check)

    need("setpriv")
    if run_program("setpriv", "--reuid", "nobody", "--clear-groups", ESTUARYD, "--version", check=False).returncode != 0:
        raise Skip("another account cannot run the program here")
    check_equal(server.admin("key", "recover", serial, check=False).returncode, 3, "nobody has asked")
    server.admin("key", "request-recovery", serial, "--reason", "the disk broke")
    check_equal(server.admin("key", "recover", serial, check=False).returncode, 3, "nobody has approved")
    check_equal(server.admin("key", "approve", serial, check=False).returncode, 3, "who asks does not approve")
    as_nobody("key", "approve", serial)
    server.admin("key", "recover", serial, "--out", tmp / "recovered.p7m")
    check_equal(server.admin("key", "recover", serial, check=False).returncode, 3, "once")
    (recovery,) = json.loads(server.admin("key", "list", "--json").out)
    check_equal(recovery["state"], "recovered")
    check_equal([approval["by"] for approval in recovery["approvals"]], ["operator:nobody"])
    for agent in ("agent", "second"):
        run_program("openssl", "cms", "-decrypt", "-binary", "-inform", "PEM", "-in", tmp / "recovered.p7m", "-recip", tmp / f"{agent}.pem",
                    "-inkey", tmp / f"{agent}.key", "-out", tmp / "package.der")
        (package,) = elements((tmp / "package.der").read_bytes())
        (key,) = elements(package[2])
        check_pair(server, key[1], tmp / "dev/cert.pem")
    events = [json.loads(line)["event"] for line in server.admin("audit", "list", "--json").out.splitlines()]
    check_nowhere(server, [private_value(tmp / "dev/key.pem")])
    check_equal([event for event in events if event.startswith("key.")],
                ["key.generated", "key.recovery_requested", "key.recovered", "key.recovery_approved", "key.recovery_approved", "key.recovered"])


run(globals())
