"""What happens when things go wrong: kill -9, a full disk, a second server, slow and many connections."""
import base64
import json
import os
import signal
import socket
import sqlite3
import ssl
import threading
import time

from harness import *  # noqa: F403


def requests_of(tmp, count, prefix):
    """`count` certification requests of one key."""
    make_request(tmp, f"/CN={prefix}", name="base")
    made = []
    for i in range(count):
        run_program("openssl", "req", "-new", "-key", tmp / "base.key", "-subj", f"/CN={prefix}-{i}", "-outform", "DER", "-out",
                    tmp / "one.der")
        made.append((tmp / "one.der").read_bytes())
    return made


class RawClient:
    """One kept-alive TLS connection."""

    def __init__(self, server):
        context = ssl.create_default_context(cafile=str(server.root))
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", server.port), timeout=10), server_hostname="127.0.0.1")

    def enroll(self, der, user):
        body = base64.encodebytes(der)
        head = (f"POST {WELL_KNOWN}/simpleenroll HTTP/1.1\r\nHost: x\r\nContent-Type: application/pkcs10\r\n"
                f"Authorization: Basic {base64.b64encode(user.encode()).decode()}\r\nContent-Length: {len(body)}\r\n\r\n").encode()
        self.socket.sendall(head + body)
        data = b""
        while True:
            part = self.socket.recv(65536)
            if not part:
                raise OSError("closed")
            data += part
            head_end = data.find(b"\r\n\r\n")
            if head_end >= 0:
                length = int(next(l for l in data[:head_end].split(b"\r\n") if l.lower().startswith(b"content-length")).split(b":")[1])
                if len(data) >= head_end + 4 + length:
                    return int(data.split()[1]), data[head_end + 4:].decode()


def stored_serials(server):
    return {row["serial"].lower() for row in json.loads(server.admin("cert", "list", "--json").out)}


def serial_of(body):
    pem = run_program("openssl", "pkcs7", "-inform", "DER", "-print_certs", stdin=base64.b64decode(body)).out
    return run_program("openssl", "x509", "-noout", "-serial", stdin=pem).out.strip().split("=")[1].lower().lstrip("0")


def test_kill_9_under_load_loses_nothing(server, tmp):
    """bug class 24: every certificate that any client received is in the store after the restart."""
    user = "load:" + server.credential("load", "--uses", "unlimited")
    rounds, clients, each = 4, 4, 40
    prepared = requests_of(tmp, rounds * clients * each // 4, "kill")
    received = []
    for number in range(rounds):
        stop = threading.Event()
        share = prepared[number::rounds]

        def client(mine):
            try:
                connection = RawClient(server)
                for der in mine:
                    if stop.is_set():
                        return
                    status, body = connection.enroll(der, user)
                    if status == 200:
                        received.append(body)
            except OSError:
                pass

        threads = [threading.Thread(target=client, args=(share[i::clients],)) for i in range(clients)]
        for thread in threads:
            thread.start()
        time.sleep(0.02 + 0.02 * number)
        server.stop(signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join()
        with sqlite3.connect(server.dir / "estuary.db") as database:
            check_equal(database.execute("PRAGMA integrity_check").fetchone()[0], "ok")
        server.start()
    assert received, "no certificate was issued before a kill; the test proves nothing"
    stored = {serial.lstrip("0") for serial in stored_serials(server)}
    for body in received:
        check_in(serial_of(body), stored, "a released certificate is recorded")


def test_second_server_on_the_same_directory_is_refused(server, tmp):
    done = run_program(ESTUARYD, "serve", "--dir", server.dir, "--listen", f"127.0.0.1:{free_port()}", check=False)
    assert done.returncode != 0
    check_in("already", done.err + done.out)


def test_database_that_cannot_grow_answers_503_and_recovers(server, tmp):
    """bug class 31: no space for the database, then space again."""
    user = ["--user", "full:" + server.credential("full", "--uses", "unlimited")]
    server.stop()
    # RLIMIT_FSIZE stands for the full disk: writes past it fail as they do there.
    limit = max(os.path.getsize(path) for path in server.dir.glob("estuary.db*")) + 20_000
    server.start(wrapper=["prlimit", f"--fsize={limit}:unlimited"])
    statuses = []
    for i, der in enumerate(requests_of(tmp, 60, "full")):
        statuses.append(server.post("simpleenroll", der, *user))
        if statuses[-1].status == 503:
            break
    check_equal(statuses[-1].status, 503)
    assert int(statuses[-1].headers["retry-after"]) >= 1
    check_equal(server.curl("cacerts").status, 200, "what needs no storage goes on")
    run_program("prlimit", f"--pid={server.process.pid}", "--fsize=unlimited")
    wait_for(lambda: server.post("simpleenroll", der, *user).status == 200, what="recovery")
    names = [row["subject"] for row in json.loads(server.admin("cert", "list", "--json").out)]
    check_equal(len(names), len(set(names)), "nothing issued twice")


def test_drain_finishes_what_is_under_way(server, tmp):
    check_equal(server.stop(signal.SIGTERM), 0)
    server.start()
    check_equal(server.stop(signal.SIGINT), 0)


def test_slow_senders_do_not_stop_others(server, tmp):
    """bug class 30: many connections that send next to nothing."""
    slow = []
    for _ in range(500):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(b"\x16\x03\x01")
        slow.append(connection)
    start = time.monotonic()
    check_equal(server.curl("cacerts").status, 200)
    assert time.monotonic() - start < 5
    for connection in slow:
        connection.close()


def test_garbage_on_the_tls_port(server, tmp):
    for junk in (b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 5000, os.urandom(3000), b"\x16\x03\x01\xff\xff" + b"A" * 100):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(junk)
    check_equal(server.curl("cacerts").status, 200)


def test_reload_keeps_the_old_configuration_if_the_new_is_wrong(server, tmp):
    good = server.config.read_text()
    server.config.write_text(good + "\nthis is not TOML\n")
    server.reload()
    check_equal(server.curl("cacerts").status, 200)
    check_in("not reloaded", server.log())
    check_equal(server.admin("check", check=False).returncode, 1)
    server.config.write_text(good)
    server.reload()
    check_equal(server.admin("check").returncode, 0)


def test_secrets_are_nowhere_in_logs(server, tmp):
    """bug class 12."""
    canary = "Canary-9f8e7d6c5b4a"
    (tmp / "pw").write_text(canary + "\n")
    (tmp / "pw").chmod(0o600)
    server.admin("credential", "add", "canary", "--password-file", tmp / "pw", "--uses", "5")
    der = make_request(tmp, "/CN=canary")
    check_equal(server.post("simpleenroll", der, "--user", f"canary:{canary}").status, 200)
    server.post("simpleenroll", der, "--user", f"nobody:{canary}")
    check_equal(server.log().count(canary), 0)
    check_equal(server.log().count(base64.b64encode(f"canary:{canary}".encode()).decode()), 0)
    check_equal(server.admin("audit", "list", "--json").out.count(canary), 0)
    for path in server.dir.rglob("*"):
        if path.is_file():
            assert canary.encode() not in path.read_bytes(), path


if __name__ == "__main__":
    run(globals())
