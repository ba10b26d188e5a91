"""The operator's commands of estuaryd."""
import json
import stat

from harness import *  # noqa: F403


def test_init_never_overwrites(tmp):
    server = Server(tmp / "data")
    before = {path: path.read_bytes() for path in server.dir.rglob("*") if path.is_file()}
    again = run_program(ESTUARYD, "init", "--dir", server.dir, check=False)
    assert again.returncode != 0
    check_in(str(server.dir), again.err)
    check_equal({path: path.read_bytes() for path in server.dir.rglob("*") if path.is_file()}, before)


def test_init_modes_and_fingerprint(tmp):
    done = run_program(ESTUARYD, "init", "--dir", tmp / "d", "--name", "N", "--host", "ca.example")
    wanted = run_program("openssl", "x509", "-in", tmp / "d/ca/root.pem", "-noout", "-fingerprint", "-sha256").out.split("=")[1].strip()
    check_in(wanted, done.out + done.err)
    for path in [*(tmp / "d").rglob("*.key"), tmp / "d/estuary.db"]:
        check_equal(stat.S_IMODE(path.stat().st_mode), 0o600, str(path))
    text = certificate_text(tmp / "d/tls/server.pem")
    check_in("DNS:ca.example", text)
    check_in("TLS Web Server Authentication", text)
    check_in("1.3.6.1.5.5.7.3.28", text.replace("CMC Registration Authority", "1.3.6.1.5.5.7.3.28").replace("cmcRA", "1.3.6.1.5.5.7.3.28"))


def test_init_with_passphrase(tmp):
    (tmp / "pass").write_text("a passphrase\n")
    (tmp / "pass").chmod(0o600)
    run_program(ESTUARYD, "init", "--dir", tmp / "d", "--name", "N", "--passphrase-file", tmp / "pass")
    for path in (tmp / "d/ca").rglob("*.key"):
        check_in("ENCRYPTED", path.read_text(), str(path))


def test_nothing_configured_refuses_everybody(server, tmp):
    """bug class 9: a fresh server has no password that works."""
    der = make_request(tmp, "/CN=x")
    for user in ("admin:admin", "estuary:estuary", ":", "test:", "first-device:password"):
        check_equal(server.post("simpleenroll", der, "--user", user).status, 401, user)
    check_equal(server.post("simpleenroll", der).status, 401)


def test_credentials(server, tmp):
    password = server.credential("one", "--expires", "1h")
    assert len(password.replace("-", "")) >= 26, "128 bits"
    listed = json.loads(server.admin("credential", "list", "--json").out)
    check_equal([row["name"] for row in listed], ["one"])
    check_in("one", server.admin("credential", "list").out)
    assert password not in json.dumps(listed)
    assert server.admin("credential", "add", "one", check=False).returncode != 0
    server.admin("credential", "remove", "one")
    assert server.admin("credential", "remove", "one", check=False).returncode != 0
    check_equal(server.post("simpleenroll", make_request(tmp, "/CN=one"), "--user", f"one:{password}").status, 401)


def test_chosen_password_and_digest(server, tmp):
    (tmp / "pw").write_text("correct horse\n")
    (tmp / "pw").chmod(0o600)
    server.admin("credential", "add", "chosen", "--password-file", tmp / "pw", "--uses", "3", "--digest")
    check_equal(server.post("simpleenroll", make_request(tmp, "/CN=chosen"), "--user", "chosen:correct horse").status, 200)
    check_equal(server.post("simpleenroll", make_request(tmp, "/CN=chosen2"), "--user", "chosen:wrong").status, 401)
    text = server.config.read_text()
    check_in('enroll = ["basic", "certificate"]', text)
    server.config.write_text(text.replace('enroll = ["basic", "certificate"]', 'enroll = ["digest", "certificate"]', 1))
    server.reload()
    reply = server.post("simpleenroll", make_request(tmp, "/CN=chosen3"), "--digest", "--user", "chosen:correct horse")
    check_equal(reply.status, 200)


def test_cert_list_show_revoke(server, tmp):
    user = ["--user", "ops:" + server.credential("ops", "--uses", "5")]
    for name in ("alpha", "beta"):
        check_equal(server.post("simpleenroll", make_request(tmp, f"/CN={name}"), *user).status, 200)
    rows = json.loads(server.admin("cert", "list", "--json", "--subject", "alpha").out)
    check_equal(len(rows), 1)
    serial = rows[0]["serial"]
    check_in("BEGIN CERTIFICATE", server.admin("cert", "show", serial, "--pem").out)
    check_in("CN=alpha", server.admin("cert", "show", serial).out)
    check_in("beta", server.admin("cert", "list").out)
    server.admin("cert", "revoke", serial, "--reason", "superseded")
    revoked = json.loads(server.admin("cert", "list", "--json", "--status", "revoked").out)
    check_equal([row["serial"] for row in revoked], [serial])
    assert server.admin("cert", "revoke", serial, check=False).returncode != 0, "twice"
    assert server.admin("cert", "revoke", "00ff", check=False).returncode != 0, "unknown"
    check_in("certificate.revoked", server.admin("audit", "list").out)


def test_hostile_names_are_shown_escaped(server, tmp):
    """bug classes 13 and 38."""
    user = ["--user", "h:" + server.credential("h", "--uses", "9")]
    reply = server.post("simpleenroll", make_request(tmp, "/CN=a\x1b[31mred"), *user)
    if reply.status == 200:
        assert "\x1b" not in server.admin("cert", "list").out
    assert "\x1b" not in server.log()
    assert "\x1b" not in server.admin("audit", "list").out


def test_check_names_file_line_and_key(server, tmp):
    good = server.config.read_text()
    server.config.write_text(good + '\n[profile.device2]\nvalidty = "90d"\n')
    line = server.config.read_text().splitlines().index('validty = "90d"') + 1
    done = server.admin("check", check=False)
    check_equal(done.returncode, 1)
    output = done.out + done.err
    check_in("estuary.toml", output)
    check_in(f"{line}", output)
    check_in("validty", output)


def test_issuer_only_extensions_are_not_copied(server, tmp):
    """bug classes 3 and 4: what a request may not bring does not come in."""
    user = ["--user", "ext:" + server.credential("ext", "--uses", "9")]
    ca = make_request(tmp, "/CN=wants-ca", name="ca", extra=["-addext", "basicConstraints=critical,CA:TRUE"])
    reply = server.post("simpleenroll", ca, *user)
    assert reply.status in (400, 403), reply
    cdp = make_request(tmp, "/CN=wants-cdp", name="cdp", extra=["-addext", "crlDistributionPoints=URI:http://evil.example/crl"])
    reply = server.post("simpleenroll", cdp, *user)
    if reply.status == 200:
        assert "evil.example" not in certificate_text(reply.certificates())


def test_backup_is_a_database(server, tmp):
    server.post("simpleenroll", make_request(tmp, "/CN=kept"), "--user", "b:" + server.credential("b"))
    server.admin("backup", tmp / "copy.db")
    check_in("kept", run_program("sqlite3", tmp / "copy.db", "select group_concat(subject) from certificates").out)


def test_help_and_version():
    for words in ([], ["init"], ["serve"], ["check"], ["credential", "add"], ["cert", "list"], ["request", "approve"], ["ca", "rollover"]):
        assert len(run_program(ESTUARYD, *words, "--help").out) > 200, words
    check_in("estuaryd", run_program(ESTUARYD, "--version").out)
    check_equal(run_program(ESTUARYD, "nothing", check=False).returncode, 2)


if __name__ == "__main__":
    run(globals())
