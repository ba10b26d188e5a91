"""krr (RFC 9810 5.3.7): keys made and archived by the server come back to their owners, once several operators have agreed."""
import json
import os
import pwd
import re

from harness_cmp import *  # noqa: F403

ME = pwd.getpwuid(os.geteuid()).pw_name
SECTIONS = """
[profile.archived]
ca = "issuing"
key_types = ["p256"]
server_key_types = ["rsa2048", "p256"]
key_usage = ["digitalSignature", "keyEncipherment", "keyAgreement"]
archive_keys = true
poll_interval = "1s"
[profile.archived.subject]
allowed = ["CN"]

[keys.recovery]
agents = "agents.pem"
online_agent_certificate = "online.pem"
online_agent_key = "online.key"
"""


def make_agent(directory, name, kind=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), usage="keyAgreement"):
    run_program("openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-keyout", directory / f"{name}.key", "-out", directory / f"{name}.pem",
                "-subj", f"/CN={name}", "-days", "30", "-addext", f"keyUsage=critical,{usage}")
    (directory / f"{name}.key").chmod(0o600)


def recovering(operators, approvals, sections=SECTIONS):
    """A server whose default label makes, archives and recovers keys."""
    def make(directory):
        server = CmpServer(directory)
        make_agent(server.dir, "online", ("rsa:2048",), "keyEncipherment")
        make_agent(server.dir, "elsewhere")
        (server.dir / "agents.pem").write_text((server.dir / "elsewhere.pem").read_text() + (server.dir / "online.pem").read_text())
        text = server.config.read_text().replace('[cmp.label.default]\nprofile = "device"',
                                                 '[cmp.label.default]\nprofile = "archived"\nmore_profiles = ["device"]\ngenerate_keys = true\nrecover_keys = true')
        server.config.write_text(text + sections + f"operators = {json.dumps(operators)}\napprovals = {approvals}\n")
        server.admin("check")
        return server
    return make


def with_recovery(operators, approvals):
    return lambda test: with_server(test, recovering(operators, approvals))


def lose(server, tmp, name, who):
    """Has a key made, encrypts something with it, and loses it. Serial number, certificate, and what was encrypted."""
    estuary("cmp", "ir", url_of(server), *who, "--subject", f"CN={name}", "--generate-there", "--key-type", "rsa2048", "--trust", server.root, "--out", tmp / name)
    certificate, encrypted = tmp / f"{name}.pem", tmp / f"{name}.p7m"
    certificate.write_text((tmp / name / "cert.pem").read_text())
    run_program("openssl", "cms", "-encrypt", "-aes256", "-in", server.config, "-binary", "-outform", "DER", "-out", encrypted, certificate)
    key = (tmp / name / "key.pem").read_bytes()
    for path in sorted((tmp / name).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    serial = run_program("openssl", "x509", "-in", certificate, "-noout", "-serial").out.strip().split("=")[1].lower()
    return serial, certificate, encrypted, key


def check_recovered(server, directory, serial, certificate, encrypted):
    """openssl reads what was lost with what came back."""
    key = directory / f"{serial}.key.pem"
    check_equal(key.stat().st_mode & 0o077, 0)
    check_equal(run_program("openssl", "pkey", "-in", key, "-pubout").out, run_program("openssl", "x509", "-in", certificate, "-noout", "-pubkey").out)
    check_equal((directory / f"{serial}.pem").read_text(), certificate.read_text())
    run_program("openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", encrypted, "-inkey", key, "-recip", certificate, "-out", directory / "opened")
    check_equal((directory / "opened").read_text(), server.config.read_text())
    return key


def recoveries(server):
    return json.loads(server.admin("key", "list", "--json").out)


def check_in_no_file(server, key):
    """bug class 12: the private exponent is in no file of the server's, nor in its log."""
    text = run_program("openssl", "pkey", "-in", key, "-noout", "-text").out
    secret = bytes.fromhex(re.sub(r"[\s:]", "", re.search(r"privateExponent:\n((?: +[0-9a-f:]+\n)+)", text).group(1))).lstrip(b"\0")
    for path in [server.log_path, *server.dir.rglob("*")]:
        if path.is_file():
            content = path.read_bytes()
            assert secret not in content and secret.hex().encode() not in content.lower(), path


@with_recovery(["root", "nobody"], 2)
def test_two_operators_give_a_lost_key_back(server, tmp):
    if os.geteuid() != 0:
        raise Skip("needs two accounts of this machine: run as root")
    need("setpriv")
    tmp.chmod(0o755)
    if run_program("setpriv", "--reuid", "nobody", "--clear-groups", ESTUARYD, "--version", check=False).returncode != 0:
        raise Skip("another account cannot run the program here")

    who = login(server, tmp, "dev", "--profile", "archived", "--uses", "9")
    serial, certificate, encrypted, _ = lose(server, tmp, "dev", who)
    command = ["cmp", "krr", url_of(server), *who, "--trust", server.root, "--all", "--out", tmp / "back", "--wait", "0"]
    check_in("run the same command again", estuary(*command, status=PENDING).err)
    (asked,) = recoveries(server)
    check_equal((asked["state"], asked["serial"], asked["requested_by"]), ("open", serial, "credential:dev"))
    spki = run_program("openssl", "pkey", "-in", tmp / "back/encryption.key.pem", "-pubout", "-outform", "DER").stdout
    check_in(run_program("openssl", "dgst", "-sha256", stdin=spki).out.split()[-1], asked["reason"])   # operators see to which key
    server.admin("key", "approve", serial)
    check_equal(server.admin("key", "approve", serial, check=False).returncode != 0, True, "once each")
    estuary(*command, status=PENDING)
    server.stop()
    run_program("chown", "-R", "nobody", server.dir)
    run_program("setpriv", "--reuid", "nobody", "--clear-groups", ESTUARYD, "key", "approve", serial, "--dir", server.dir)
    server.start()
    estuary(*command)
    key = check_recovered(server, tmp / "back", serial, certificate, encrypted)
    check_equal(sorted(path.name for path in (tmp / "back").iterdir()), sorted([f"{serial}.key.pem", f"{serial}.pem", "opened"]))
    check_equal(recoveries(server)[0]["state"], "recovered")
    events = [json.loads(line)["event"] for line in server.admin("audit", "list", "--json").out.splitlines()]
    check_equal([event for event in events if event.startswith("key.")],
                ["key.generated", "key.recovery_requested", "key.recovery_approved", "key.recovery_approved", "key.recovery_approved", "key.recovered", "key.decrypted"])
    check_in_no_file(server, key)
    # Another time, from the beginning.
    estuary(*command[:-4], "--out", tmp / "again", "--wait", "0", status=PENDING)
    check_equal([one["state"] for one in recoveries(server)], ["open", "recovered"])


@with_recovery([ME], 1)
def test_certificates_that_only_sign_get_keys_and_a_new_certificate(server, tmp):
    who = login(server, tmp, "dev", "--profile", "archived", "--uses", "9")
    first, second = lose(server, tmp, "one", who), lose(server, tmp, "two", who)
    estuary("cmp", "ir", url_of(server), *login(server, tmp, "signer"), "--subject", "CN=one", "--profile", "device", "--trust", server.root, "--out", tmp / "signs")
    back = ["cmp", "krr", "--dir", tmp / "signs", "--wait", "0"]
    # Only what belongs to its subject.
    check_in("no archived key", estuary(*back, "--serial", second[0], "--out", tmp / "not", status=REFUSED).err)
    assert not list((tmp / "not").iterdir())
    for number, options in enumerate([["--serial", first[0], "--encryption-key-type", "x25519"], ["--all", "--encryption-key-type", "rsa2048", "--subject", "CN=one",
                                      "--profile", "device", "--confirm"]]):
        out = tmp / f"back{number}"
        estuary(*back, *options, "--out", out, status=PENDING)
        server.admin("key", "approve", first[0])
        estuary(*back, *options, "--out", out)
        check_recovered(server, out, *first[:3])
    verify(server, tmp / "back1/cert.pem")
    check_equal(run_program("openssl", "pkey", "-in", tmp / "back1/key.pem", "-pubout").out,
                run_program("openssl", "x509", "-in", tmp / "back1/cert.pem", "-noout", "-pubkey").out)
    estuary("cmp", "kur", tmp / "back1", "--profile", "device")   # it is a directory like any other
    # By the secret, and encrypted to nothing else.
    issuer = run_program("openssl", "x509", "-in", server.issuing, "-noout", "-subject", "-nameopt", "RFC2253").out.strip().split("=", 1)[1]
    by_secret = ["cmp", "krr", url_of(server), *who, "--trust", server.root, "--serial", second[0], "--issuer", issuer, "--encryption-key-type", "none",
                 "--out", tmp / "secret", "--wait", "0"]
    estuary(*by_secret, status=PENDING)
    server.admin("key", "approve", second[0])
    estuary(*by_secret)
    check_recovered(server, tmp / "secret", *second[:3])


@with_recovery([ME], 1)
def test_what_is_denied_or_not_configured_is_refused(server, tmp):
    who = login(server, tmp, "dev", "--profile", "archived", "--uses", "9")
    serial = lose(server, tmp, "dev", who)[0]
    command = ["cmp", "krr", url_of(server), *who, "--trust", server.root, "--all", "--out", tmp / "back", "--wait", "0"]
    estuary(*command, status=PENDING)
    server.admin("key", "deny", serial, "--reason", "come in person")
    check_in("come in person", estuary(*command, status=REFUSED).err)
    assert not list((tmp / "back").iterdir()), "nothing waits any more"
    check_equal((recoveries(server)[0]["state"], recoveries(server)[0]["denial"]), ("denied", "come in person"))
    check_in("is not a serial number", estuary("cmp", "krr", url_of(server), *who, "--serial", "xy", "--issuer", "CN=x", "--out", tmp / "back", status=USAGE).err)
    check_in("say what is wanted", estuary("cmp", "krr", url_of(server), *who, "--out", tmp / "back", status=USAGE).err)
    # Somebody else's secret.
    check_in("no archived key", estuary("cmp", "krr", url_of(server), *login(server, tmp, "other"), "--trust", server.root, "--all", "--out", tmp / "other", status=REFUSED).err)
    # Without an agent online there is nothing to ask for.
    text = server.config.read_text()
    server.stop()
    server.config.write_text(text.replace('online_agent_certificate = "online.pem"\nonline_agent_key = "online.key"\n', ""))
    check_in("every krr will be rejected", server.admin("check").err)
    server.start()
    check_in("ask the operators", estuary(*command, status=REFUSED).err)
    check_in("online_agent_certificate", server.log())
    server.stop()
    for wrong, why in {'online_agent_key = "elsewhere.key"': "is not that of the certificate", 'online_agent_key = "missing.key"': "missing.key",
                       "": "online_agent_key: is missing"}.items():
        server.config.write_text(text.replace('online_agent_key = "online.key"', wrong))
        done = server.admin("check", check=False)
        check_equal(done.returncode, 1)
        check_in(why, done.err)
    (server.dir / "agents.pem").write_text((server.dir / "elsewhere.pem").read_text())
    server.config.write_text(text)
    check_in("is not one of the certificates in", server.admin("check", check=False).err)
    (server.dir / "online.key").chmod(0o644)
    check_in("may be read by others", server.admin("check", check=False).err)


run(globals())
