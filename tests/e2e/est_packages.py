"""Packages that wait for clients (RFC 8295): estuaryd with curl, openssl and xmllint, and our client with a server that lies."""
import base64
import json
import signal
from pathlib import Path

from harness import *  # noqa: F403

FIRMWARE, FIRMWARE_RECEIPT, FIRMWARE_ERROR = (f"1.2.840.113549.1.9.16.1.{number}" for number in (16, 17, 18))
SYMMETRIC_KEYS = "1.2.840.113549.1.9.16.1.25"
KEY_RECEIPT, KEY_ERROR = "2.16.840.1.101.2.1.2.78.3", "2.16.840.1.101.2.1.2.78.6"
TAMP_QUERY, TAMP_RESPONSE = "2.16.840.1.101.2.1.2.77.1", "2.16.840.1.101.2.1.2.77.2"
CONTENT = b"\x30\x09\x0c\x07content"
RELAXNG = Path(__file__).parent / "data/pal.rng"


def enrolled(server, tmp, name="dev1"):
    """A device with a certificate, by our client: its directory."""
    run_program(ESTUARY, "enroll", server.url, "--trust", server.root, "--subject", f"CN={name}", "--user", name,
                "--password-stdin", "--out", tmp / name, stdin=server.credential(name) + "\n")
    return tmp / name


def as_client(device):
    """curl options of a device."""
    return ["--cert", device / "chain.pem", "--key", device / "key.pem"]


class Vendor:
    """Signs packages with openssl, by a CA of its own."""

    def __init__(self, directory, name="vendor"):
        directory.mkdir()
        self.dir, self.root = directory, directory / "root.pem"
        run_program("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-subj", f"/CN={name} CA", "-keyout", directory / "root.key", "-out", self.root,
                    "-addext", "keyUsage=critical,keyCertSign")
        request = make_request(directory, f"/CN={name}", name="signer")
        (directory / "ext").write_text("keyUsage=critical,digitalSignature\n")
        run_program("openssl", "x509", "-req", "-inform", "DER", "-days", "30", "-CA", self.root, "-CAkey", directory / "root.key",
                    "-extfile", directory / "ext", "-out", directory / "signer.pem", stdin=request)

    def sign(self, content_type, name, content=CONTENT):
        return sign(self.dir, self.dir / "signer.pem", self.dir / "signer.key", content_type, name, content)


def sign(directory, certificate, key, content_type, name, content=CONTENT):
    """A file with a SignedData by openssl."""
    file = directory / name
    run_program("openssl", "cms", "-sign", "-binary", "-nodetach", "-signer", certificate, "-inkey", key, "-econtent_type", content_type,
                "-outform", "DER", "-out", file, stdin=content)
    return file


def bare(directory, content_type, name, content=CONTENT):
    """A file with a ContentInfo that nobody signed."""
    oid = run_program("openssl", "asn1parse", "-genstr", f"OID:{content_type}", "-noout", "-out", "/dev/stdout").stdout
    inside = b"\xa0" + bytes([len(content)]) + content
    (directory / name).write_bytes(b"\x30" + bytes([len(oid + inside)]) + oid + inside)
    return directory / name


def pal(server, device, *options):
    """The list as JSON, by curl, and read by Python."""
    reply = server.curl("pal", "-H", "Accept: application/json", *as_client(device), *options)
    check_equal(reply.status, 200)
    check_equal(reply.headers["content-type"], "application/json")
    return json.loads(reply.body)


def types(entries):
    return [entry["type"] for entry in entries]


def waiting(entries):
    """Without what the server tells of itself: CA certificates and CRLs."""
    return [entry for entry in entries if entry["type"] not in ("0002", "0004", "0005")]


def path_of(server, entry):
    check_in(server.url, entry["info"]["uri"])
    return entry["info"]["uri"][len(server.url):]


def returned(server, path, file, device, content_type="application/cms"):
    return server.post(path, file.read_bytes(), *as_client(device), content_type=content_type)


def test_list_in_xml_is_valid_for_xmllint(server, tmp):
    device, vendor = enrolled(server, tmp), Vendor(tmp / "vendor")
    server.admin("package", "add", vendor.sign(FIRMWARE, "fw.cms"), "--type", "firmware", "--receipt", "--note", "<&>")
    server.curl("firmware", *as_client(device))
    for accept in ("application/xml", "*/*"):
        reply = server.curl("pal", "-H", f"Accept: {accept}", *as_client(device))
        check_equal(reply.headers["content-type"], "application/xml")
        run_program(need("xmllint"), "--noout", "--relaxng", RELAXNG, "-", stdin=reply.body)
    count = run_program("xmllint", "--xpath", "count(//*[local-name()='message'])", "-", stdin=reply.body).out.strip()
    entries = pal(server, device)
    check_equal(int(count), len(entries), "both forms say the same")
    check_equal(types(waiting(entries)), ["0026", "0027"])
    dated = run_program("xmllint", "--xpath", "string(//*[local-name()='date'])", "-", stdin=reply.body).out.strip()
    check_equal(dated, waiting(entries)[0]["date"])
    check_equal(server.curl("pal", "-H", "Accept: text/html", *as_client(device)).status, 406)
    check_equal(server.curl("pal").status, 403, "nobody is told what waits for somebody")
    check_equal(server.curl("pal", "-X", "POST", "-d", "", *as_client(device)).status, 405)


def test_crls_and_renewal_are_listed(server, tmp):
    server.admin("crl", "publish")
    device = enrolled(server, tmp)
    entries = pal(server, device)
    check_in("0005", types(entries), "the published list")
    reply = server.curl(path_of(server, next(entry for entry in entries if entry["type"] == "0005")))
    check_equal(reply.status, 200, "open to all")
    check_equal(len(base64.b64decode(reply.body)), next(entry for entry in entries if entry["type"] == "0005")["size"])


def test_firmware_from_openssl_to_curl_and_its_receipt(server, tmp):
    device, vendor = enrolled(server, tmp), Vendor(tmp / "vendor")
    package = vendor.sign(FIRMWARE, "fw.cms")
    check_in("signedData > firmwarePackage", server.admin("package", "add", package, "--type", "0026", "--receipt").err)
    entries = waiting(pal(server, device))
    check_equal(types(entries), ["0026", "0027"])
    check_equal(entries[0]["size"], package.stat().st_size)
    assert "date" not in entries[0], entries
    reply = server.curl(path_of(server, entries[0]), *as_client(device))
    check_equal(reply.status, 200)
    check_equal(reply.headers["content-type"], "application/cms; encapsulatingContent=signedData; innerContent=firmwarePackage")
    got = base64.b64decode(reply.body)
    check_equal(got, package.read_bytes())
    content = run_program("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-CAfile", vendor.root, "-purpose", "any", stdin=got).stdout
    check_equal(content, CONTENT)
    assert "date" in waiting(pal(server, device))[0], "it was fetched"

    receipt = sign(tmp, device / "cert.pem", device / "key.pem", FIRMWARE_RECEIPT, "receipt.cms")
    path = path_of(server, entries[1])
    answer = returned(server, path, receipt, device)
    check_equal((answer.status, answer.body), (204, ""))
    check_equal(types(waiting(pal(server, device))), ["0026"])
    shown = json.loads(server.admin("package", "show", "1", "--json").out)
    check_equal(shown["downloads"][0]["client"], "issuing//CN=dev1")
    check_equal(shown["receipts"][0]["content_type"], "firmwareLoadReceipt")
    check_equal(shown["receipts"][0]["signer"], "CN=dev1")
    pem = server.admin("package", "receipt", "1").out
    check_equal(base64.b64decode("".join(pem.splitlines()[1:-1])), receipt.read_bytes())
    audit = server.admin("audit", "list").out
    for event in ("package.added", "package.downloaded", "package.receipt"):
        check_in(event, audit)

    stranger = Vendor(tmp / "stranger", "stranger")
    check_equal(returned(server, path, stranger.sign(FIRMWARE_RECEIPT, "r.cms"), device).status, 403, "nobody known here signed it")
    check_equal(returned(server, path, receipt, device, "application/octet-stream").status, 415)
    check_equal(returned(server, "symmetrickeys/return", receipt, device).status, 415)
    check_equal(server.post(path, receipt.read_bytes(), content_type="application/cms").status, 403, "nobody returned it")
    check_equal(returned(server, "firmware/return", bare(tmp, FIRMWARE_ERROR, "error.cms"), device).status, 204)


def test_tamp_by_its_media_types(server, tmp):
    device, vendor = enrolled(server, tmp), Vendor(tmp / "vendor")
    server.admin("package", "add", vendor.sign(TAMP_QUERY, "query.tsq"), "--type", "tamp-status-query", "--to", "subject:CN=dev1", "--receipt")
    reply = server.curl("tamp", *as_client(device))
    check_equal(reply.headers["content-type"], "application/tamp-status-query")
    response = sign(tmp, device / "cert.pem", device / "key.pem", TAMP_RESPONSE, "response.tsr")
    check_equal(returned(server, "tamp/return", response, device).status, 415, "TAMP has media types of its own")
    check_equal(returned(server, "tamp/return", response, device, "application/tamp-status-response").status, 204)
    check_equal(json.loads(server.admin("package", "receipts", "--json").out)[0]["package"], 1)
    check_equal(server.admin("package", "add", vendor.sign(TAMP_QUERY, "q2", b"\x30\x00"), "--type", "0030", check=False).returncode, 1)


def test_packages_are_for_their_recipients(server, tmp):
    """bug class 7"""
    vendor = Vendor(tmp / "vendor")
    first, second = enrolled(server, tmp, "dev1"), enrolled(server, tmp, "dev2")
    serial = run_program("openssl", "x509", "-in", second / "cert.pem", "-noout", "-serial").out.strip().split("=")[1]
    server.admin("package", "add", vendor.sign(FIRMWARE, "one"), "--type", "firmware", "--to", "subject:CN=dev1")
    server.admin("package", "add", vendor.sign(FIRMWARE, "two"), "--type", "firmware", "--to", f"serial:{serial}")
    server.admin("package", "add", vendor.sign(FIRMWARE, "three"), "--type", "firmware", "--every-label")
    numbers = lambda device: [entry["info"]["uri"].rpartition("/")[2] for entry in pal(server, device) if entry["type"] == "0026"]
    check_equal(numbers(first), ["1", "3"])
    check_equal(numbers(second), ["2", "3"])
    check_equal(server.curl("firmware/1", *as_client(second)).status, 404)
    check_equal(server.curl("firmware/2", *as_client(first)).status, 404)
    for refused in (["--to", "serial:0102"], ["--to", "subject:CN=dev1", "--every-label"], ["--label", "nowhere"], ["--to", "everyone"],
                    ["--type", "9999"], ["--type", "crl"], ["--until", "yesterday"]):
        options = ["--type", "firmware"] if "--type" not in refused else []
        done = server.admin("package", "add", vendor.sign(FIRMWARE, "four"), *options, *refused, check=False)
        assert done.returncode in (1, 3) and done.err.startswith("estuaryd: "), (refused, done)
    server.admin("cert", "revoke", serial)
    check_equal(server.curl("pal", *as_client(second)).status, 403, "bug class 6")
    server.admin("package", "remove", "3")
    check_equal(numbers(first), ["1"])
    check_equal(server.admin("package", "remove", "3", check=False).returncode, 3)


def test_keys_are_encrypted_or_meant_to_be_plain(server, tmp):
    device = enrolled(server, tmp)
    vendor = Vendor(tmp / "vendor")
    plain = vendor.sign(SYMMETRIC_KEYS, "plain.cms")
    refused = server.admin("package", "add", plain, "--type", "symmetric-key", check=False)
    check_equal(refused.returncode, 3)
    check_in("--plain", refused.err)
    rsa = tmp / "rsa"
    run_program(ESTUARY, "enroll", server.url, "--trust", server.root, "--subject", "CN=rsa", "--user", "rsa", "--password-stdin",
                "--key-type", "rsa2048", "--out", rsa, stdin=server.credential("rsa") + "\n")
    hidden = tmp / "hidden.cms"
    run_program("openssl", "cms", "-encrypt", "-binary", "-aes256", "-recip", device / "cert.pem", "-keyid", "-outform", "DER", "-out", hidden,
                stdin=plain.read_bytes())
    server.admin("package", "add", hidden, "--type", "symmetric-key", "--to", "subject:CN=dev1")
    reply = server.curl("symmetrickeys", *as_client(device))
    check_equal(reply.status, 200)
    opened = run_program("openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-recip", device / "cert.pem", "-inkey",
                         device / "key.pem", stdin=base64.b64decode(reply.body)).stdout
    check_equal(opened, plain.read_bytes())
    check_in("not encrypted", server.admin("package", "add", plain, "--type", "symmetric-key", "--plain").err)
    # A receipt for keys is signed (RFC 8295 5.2.1); an error may be bare.
    check_equal(returned(server, "symmetrickeys/return", bare(tmp, KEY_RECEIPT, "r"), device).status, 400)
    check_equal(returned(server, "symmetrickeys/return", sign(tmp, device / "cert.pem", device / "key.pem", KEY_RECEIPT, "s"), device).status, 204)
    check_equal(returned(server, "symmetrickeys/return", bare(tmp, KEY_ERROR, "e"), device).status, 204)

    for bag, status in (["-keypbe", "NONE", "-certpbe", "NONE"], 3), ([], 0):
        run_program("openssl", "pkcs12", "-export", "-inkey", device / "key.pem", "-in", device / "cert.pem", "-passout", "pass:x", *bag,
                    "-out", tmp / "key.p12")
        check_equal(server.admin("package", "add", tmp / "key.p12", "--type", "0022", check=False).returncode, status, str(bag))
    number = json.loads(server.admin("package", "list", "--json").out)[-1]["id"]
    reply = server.curl(f"serverkeygen/{number}", *as_client(device))
    check_equal(reply.headers["content-type"], "application/pkcs12")
    run_program("openssl", "pkcs12", "-info", "-noout", "-passin", "pass:x", stdin=base64.b64decode(reply.body))


def test_download_is_known_after_a_crash(server, tmp):
    """bug class 24: what has left was recorded before."""
    device, vendor = enrolled(server, tmp), Vendor(tmp / "vendor")
    server.admin("package", "add", vendor.sign(FIRMWARE, "fw.cms"), "--type", "firmware")
    check_equal(server.curl("firmware", *as_client(device)).status, 200)
    check_equal(returned(server, "firmware/return/1", bare(tmp, FIRMWARE_ERROR, "e"), device).status, 204)
    server.stop(signal.SIGKILL)
    shown = json.loads(server.admin("package", "show", "1", "--json").out)
    check_equal((len(shown["downloads"]), len(shown["receipts"])), (1, 1))
    server.start()
    assert "date" in waiting(pal(server, device))[0]


def test_manual_approval_is_told_by_the_list(server, tmp):
    """RFC 8295 9: the outcome is fetched by GET."""
    text = server.config.read_text().replace('#manual_approval = true', 'manual_approval = true')
    server.config.write_text(text.replace('packages = ["certificate"]', 'packages = ["certificate", "basic"]'))
    server.reload()
    user = ["--user", f"slow:{server.credential('slow')}"]
    check_equal(server.post("simpleenroll", make_request(tmp, "/CN=slow"), *user).status, 202)
    server.admin("request", "approve", "1")
    reply = server.curl("pal", "-H", "Accept: application/json", *user)
    entry = waiting(json.loads(reply.body))[0]
    check_equal(entry["type"], "0008")
    outcome = server.curl(path_of(server, entry), *user)
    check_equal(outcome.status, 200)
    (tmp / "cert.pem").write_text(outcome.certificates())
    run_program("openssl", "verify", "-CAfile", server.root, "-untrusted", server.issuing, tmp / "cert.pem")


def test_our_client_walks_the_list(server, tmp):
    server.admin("crl", "publish")
    device, peer, vendor = enrolled(server, tmp), enrolled(server, tmp, "peer"), Vendor(tmp / "vendor")
    server.admin("package", "add", vendor.sign(FIRMWARE, "fw.cms"), "--type", "firmware", "--receipt")
    server.admin("package", "add", peer / "cert.pem", "--type", "ee-certificate")
    out = tmp / "packages"
    anchors = tmp / "anchors.pem"
    anchors.write_text(vendor.root.read_text() + server.root.read_text())
    listed = run_program(ESTUARY, "pal", device).out
    for what in ("firmware-receipt", "ee-certificate", "ca-certificate", "crl"):
        check_in(what, listed)
    check_equal(types(json.loads(run_program(ESTUARY, "pal", device, "--json").out)), types(pal(server, device)))
    done = run_program(ESTUARY, "packages", "fetch", device, "--out", out, "--signers", anchors)
    check_in("to do: return a firmware-receipt", done.err)
    kept = sorted(file.name for file in out.iterdir())
    check_in("0026-1.cms", kept)
    check_in("0003-2.p7c", kept)
    check_in("0002.p7c", kept)
    check_in("0005.p7c", kept)
    check_equal((out / "0026-1.cms").read_bytes(), (vendor.dir / "fw.cms").read_bytes())
    names = run_program("openssl", "pkcs7", "-inform", "DER", "-in", out / "0003-2.p7c", "-print_certs").out
    check_in("CN = peer", names)
    again = run_program(ESTUARY, "packages", "fetch", device, "--out", out, "--signers", anchors)
    check_in("2 there already", again.err)

    # The server's own CA signs no firmware: the vendor's is not known then.
    other = run_program(ESTUARY, "packages", "fetch", device, "--out", tmp / "other", "--type", "firmware", check=False)
    check_equal(other.returncode, 4)
    assert not list((tmp / "other").iterdir())

    receipt = bare(tmp, FIRMWARE_RECEIPT, "receipt.cms")
    run_program(ESTUARY, "packages", "return", device, receipt, "--to", "firmware", "--package", "1", "--sign")
    check_equal(json.loads(server.admin("package", "receipts", "--json").out)[0]["signer"], "CN=dev1")
    assert "0027" not in types(pal(server, device))
    error = bare(tmp, KEY_ERROR, "error.cms")
    run_program(ESTUARY, "packages", "return", device, error, "--for", f"{server.url}{WELL_KNOWN}/symmetrickeys/return")
    wrong = run_program(ESTUARY, "packages", "return", device, error, "--to", "firmware", check=False)
    check_equal(wrong.returncode, 1)
    elsewhere = run_program(ESTUARY, "packages", "return", device, error, "--for", "https://elsewhere.example/firmware/return", check=False)
    check_equal(elsewhere.returncode, 2)


def test_our_client_looks_into_what_is_encrypted_for_it(server, tmp):
    """RFC 8295 5.1.2: openssl signs and encrypts; a signature inside counts like one outside."""
    device, peer = enrolled(server, tmp), enrolled(server, tmp, "peer")
    vendor, stranger = Vendor(tmp / "vendor"), Vendor(tmp / "stranger", "stranger")

    def encrypted(signer, holder, name):
        inside = signer.sign(SYMMETRIC_KEYS, name).read_bytes()
        run_program("openssl", "cms", "-encrypt", "-binary", "-aes256", "-recip", holder / "cert.pem",
                    "-outform", "DER", "-out", tmp / name, stdin=inside)
        return tmp / name

    for signer, holder, name in (vendor, device, "good"), (stranger, device, "strange"), (stranger, peer, "hidden"):
        server.admin("package", "add", encrypted(signer, holder, name), "--type", "symmetric-key")
    out = tmp / "out"
    done = run_program(ESTUARY, "packages", "fetch", device, "--out", out, "--signers", vendor.root, "--type", "0024", check=False)
    check_equal(done.returncode, 4)
    check_equal(sorted(file.name for file in out.iterdir()), ["0024-1.cms", "0024-3.cms"], done.err)
    check_in("CN=stranger has no valid path", done.err)
    check_in("0024-3.cms: it is encrypted, and cannot be opened here", done.err)
    check_equal((out / "0024-1.cms").read_bytes(), (tmp / "good").read_bytes())
    check_equal((out / "0024-1.cms").stat().st_mode & 0o077, 0)
    other = run_program(ESTUARY, "packages", "fetch", device, "--out", tmp / "other", "--signers", vendor.root, "--type", "0024",
                        "--decrypt-with", peer / "cert.pem", "--decrypt-with-key", peer / "key.pem", check=False)
    check_equal(sorted(file.name for file in (tmp / "other").iterdir()), ["0024-1.cms", "0024-2.cms"], other.err)


def test_large_packages_pass(server, tmp):
    device, vendor = enrolled(server, tmp), Vendor(tmp / "vendor")
    image = b"\x30\x83\x30\x00\x05\x04\x83\x30\x00\x00" + bytes(0x300000)
    package = vendor.sign(FIRMWARE, "large", image)
    server.admin("package", "add", package, "--type", "firmware")
    run_program(ESTUARY, "packages", "fetch", device, "--out", tmp / "out", "--signers", vendor.root)
    check_equal((tmp / "out/0026-1.cms").read_bytes(), package.read_bytes())
    too_large = vendor.sign(FIRMWARE, "larger", b"\x30\x83\x40\x00\x05\x04\x83\x40\x00\x00" + bytes(0x400000))
    check_equal(server.admin("package", "add", too_large, "--type", "firmware", check=False).returncode, 1)


def test_long_lists_come_in_parts(server, tmp):
    server.config.write_text(server.config.read_text().replace('realm = "estuary"', 'realm = "estuary"\npal_entries_max = 16'))
    server.reload()
    device, vendor = enrolled(server, tmp), Vendor(tmp / "vendor")
    for number in range(30):
        server.admin("package", "add", vendor.sign(FIRMWARE, f"fw{number}", b"\x30\x03\x02\x01" + bytes([number])), "--type", "firmware")
    first = pal(server, device)
    check_equal((len(first) <= 16, first[-1]["type"]), (True, "0001"))
    whole = json.loads(run_program(ESTUARY, "pal", device, "--json").out)
    check_equal(types(waiting(whole)), ["0026"] * 30)
    done = run_program(ESTUARY, "packages", "fetch", device, "--out", tmp / "out", "--signers", vendor.root)
    check_equal(len([file for file in (tmp / "out").iterdir() if file.name.startswith("0026")]), 30, done.err)


def lying_server(tmp, entries, packages):
    """A server of openssl and Python that lists and gives what it is told."""

    def answer(asked):
        operation = asked.path[len(WELL_KNOWN) + 1:]
        if operation == "pal":
            listed = [{"type": kind, "size": 1, "info": {"uri": uri if "://" in uri else f"{strange.url}{WELL_KNOWN}/{uri}"}}
                      for kind, uri in entries]
            return 200, {"Content-Type": "application/json"}, json.dumps(listed).encode()
        if operation in packages:
            kind, content = packages[operation]
            return 200, {"Content-Type": kind}, base64.encodebytes(content)
        return None

    strange = StrangeServer(tmp / "strange", answer)
    return strange


def test_our_client_keeps_only_what_it_can_believe(tmp):
    """RFC 8295 3.2, 4.2, 5.1.2, 6.1.2, 7.1.2: what does not validate to a trust anchor is not kept."""
    vendor, stranger = Vendor(tmp / "vendor"), Vendor(tmp / "stranger", "stranger")
    good = vendor.sign(FIRMWARE, "good")
    forged = bytearray(good.read_bytes())
    forged[forged.index(b"content")] = ord("C")
    peers = run_program("openssl", "crl2pkcs7", "-nocrl", "-certfile", stranger.dir / "signer.pem", "-outform", "DER").stdout
    (tmp / "ca.cnf").write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={tmp}/index\ncrlnumber={tmp}/number\ndefault_md=sha256\n"
                                "default_crl_days=1\n")
    (tmp / "index").write_text("")
    (tmp / "number").write_text("01\n")
    run_program("openssl", "ca", "-config", tmp / "ca.cnf", "-gencrl", "-cert", stranger.root, "-keyfile", stranger.dir / "root.key", "-out",
                tmp / "crl.pem")
    crls = run_program("openssl", "crl2pkcs7", "-in", tmp / "crl.pem", "-outform", "DER").stdout
    cms = "application/cms"
    packages = {
        "firmware/1": (cms, good.read_bytes()),
        "firmware/2": (cms, stranger.sign(FIRMWARE, "s").read_bytes()),
        "firmware/3": (cms, bytes(forged)),
        "firmware/4": (cms, bare(tmp, FIRMWARE, "b").read_bytes()),
        "firmware/5": (cms, vendor.sign(SYMMETRIC_KEYS, "k").read_bytes()),
        "firmware/6": ("text/html", good.read_bytes()),
        "tamp/7": ("application/tamp-status-query", stranger.sign(TAMP_QUERY, "t").read_bytes()),
        "eecerts/8": ("application/pkcs7-mime", peers),
        "crls": ("application/pkcs7-mime", crls),
    }
    entries = ([("0026", f"firmware/{number}") for number in range(1, 7)] +
               [("0028", "tamp/7"), ("0003", "eecerts/8"), ("0005", "crls"), ("0026", "firmware/404"), ("4711", "what/1"),
                ("0026", "https://elsewhere.example/.well-known/est/firmware/9"), ("0026", "firmware/%2e%2e%2f9"), ("0026", "../../x/firmware/1")])
    server = lying_server(tmp, entries, packages)
    anchors = tmp / "anchors.pem"
    anchors.write_text(vendor.root.read_text() + server.root.read_text())
    out = tmp / "out"
    done = run_program(ESTUARY, "packages", "fetch", server.url, "--trust", server.root, "--signers", anchors, "--out", out, check=False)
    check_equal(done.returncode, 4)
    check_equal([file.name for file in out.iterdir()], ["0026-1.cms"])
    check_equal(done.err.count("not kept:"), len(entries) - 1, done.err)
    check_in("elsewhere.example", done.err)
    check_equal([asked.path for asked in server.asked if "elsewhere" in asked.path or ".." in asked.path], [])
    allowed = run_program(ESTUARY, "packages", "fetch", server.url, "--trust", server.root, "--signers", anchors, "--out", out,
                          "--allow-unsigned", check=False)
    check_equal(sorted(file.name for file in out.iterdir()), ["0026-1.cms", "0026-4.cms"], allowed.err)


def test_our_client_is_not_led_in_circles(tmp):
    """bug class 30"""
    server = lying_server(tmp, [("0002", "cacerts"), ("0001", "pal")], {})
    done = run_program(ESTUARY, "pal", server.url, "--trust", server.root, check=False)
    check_equal(done.returncode, 1)
    check_in("circles", done.err)
    elsewhere = lying_server(tmp / "two", [("0002", "cacerts"), ("0001", "https://elsewhere.example/.well-known/est/pal")], {}) \
        if (tmp / "two").mkdir() is None else None
    done = run_program(ESTUARY, "pal", elsewhere.url, "--trust", elsewhere.root, check=False)
    check_equal(done.returncode, 3)


if __name__ == "__main__":
    run(globals())
