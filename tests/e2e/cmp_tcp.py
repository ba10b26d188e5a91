"""CMP directly over TCP, without HTTP: the framing of the CMPtrans drafts and that of RFC 2510, with OpenSSL's client and server
behind a bridge that puts their messages into frames, and estuary on either side of it."""
import http.client
import http.server
import json
import socketserver
import struct

from harness_cmp import *  # noqa: F403

from cmp_ra import Two
from cmp_client import Mock, estuary, login, same_key, PENDING, REFUSED, TRY_AGAIN, USAGE

PKI_REQ, POLL_REP, POLL_REQ, FIN_REP, PARTIAL_REP, PKI_REP, ERROR_REP = range(7)
VERSION_NOT_SUPPORTED, CLIENT_ERROR, INVALID_TYPE, INVALID_POLL_ID, SERVER_ERROR = 0x0101, 0x0200, 0x0201, 0x0202, 0x0300


class Frame:
    """One message in version 10 (with a version) or in RFC 2510's framing (without)."""

    def __init__(self, kind, value=b"", version=10, flags=0):
        self.kind, self.value, self.version, self.flags = kind, value, version, flags

    def octets(self):
        rest = (b"" if self.version is None else bytes([self.version, self.flags])) + bytes([self.kind]) + self.value
        return struct.pack(">I", len(rest)) + rest

    @staticmethod
    def read(connection):
        """The next one, or None at the end of the connection."""
        length = take(connection, 4)
        if length is None:
            return None
        rest = take(connection, struct.unpack(">I", length)[0])
        if rest[0] == 10:
            return Frame(rest[2], rest[3:], 10, rest[1])
        return Frame(rest[0], rest[1:], None)

    def error(self):
        """Error type, data and text of an errorMsgRep."""
        check_equal(self.kind, ERROR_REP, self.value)
        if self.version is None:
            return None, b"", self.value.decode()
        kind, size = struct.unpack(">HH", self.value[:4])
        return kind, self.value[4:4 + size], self.value[4 + size:].decode()


def take(connection, count):
    got = b""
    while len(got) < count:
        more = connection.recv(count - len(got))
        if not more:
            assert not got, "the connection ended in the middle of a frame"
            return None
        got += more
    return got


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def ask(port, octets, end=False):
    """What comes back to octets on a connection of their own, and whether the server closes it afterwards."""
    with connect(port) as connection:
        connection.sendall(octets)
        if end:
            connection.shutdown(socket.SHUT_WR)
        frame = Frame.read(connection)
        connection.settimeout(0.3)
        try:
            closed = connection.recv(1) == b""
        except TimeoutError:
            closed = False
        return frame, closed


class TcpServer(CmpServer):
    """A server that speaks CMP over TCP, on a port for each label."""

    def __init__(self, directory, limits=""):
        super().__init__(directory, extra=limits)
        self.tcp_port, self.explicit_port, self.manual_port = free_port(), free_port(), free_port()
        text = f'tcp_listen = ["127.0.0.1:{self.tcp_port}", "127.0.0.1:{self.explicit_port}=explicit", "127.0.0.1:{self.manual_port}=manual"]'
        self.config.write_text(self.config.read_text().replace("https = true\n", f"https = true\n{text}\n"))

    @property
    def tcp_url(self):
        return f"tcp://127.0.0.1:{self.tcp_port}"


def with_tcp_server(test, limits=""):
    return with_server(test, lambda directory: TcpServer(directory, limits))


def with_small_limits(test):
    return with_tcp_server(test, """
[server.limits]
request_timeout = "1s"
idle_timeout = "2s"
body_bytes_max = 4096
connections_per_address_max = 4
""")


class ToTcp:
    """HTTP on one side, for `openssl cmp`; frames on one TCP connection on the other."""

    def __init__(self, port, version):
        self.port, self.version, self.connection, self.connections, self.messages = port, version, None, 0, 0
        bridge = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                answer = bridge.pass_on(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", "application/pkixcmp")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.http = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def pass_on(self, message):
        if self.connection is None:
            self.connection = connect(self.port)
            self.connections += 1
        self.connection.sendall(Frame(PKI_REQ, message, self.version).octets())
        self.messages += 1
        answer = Frame.read(self.connection)
        check_equal((answer.kind, answer.version), (PKI_REP, self.version), answer.value)
        return answer.value

    def cmp(self, command, *options, check=True):
        return run_program("openssl", "cmp", "-cmd", command, "-server", f"http://127.0.0.1:{self.http.server_port}/pkix/",
                           "-recipient", "/CN=Test Issuing CA", "-total_timeout", "60", *options, check=check)


class FromTcp:
    """Frames on one side, for estuary; an HTTP server on the other. `before(frame)` may answer by itself."""

    def __init__(self, port, before=lambda frame: None, closing=False):
        self.frames, self.connections = [], 0
        # One for all: openssl's server forgets a transaction with its connection.
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        bridge = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                bridge.connections += 1
                while (frame := Frame.read(self.request)) is not None:
                    bridge.frames.append(frame)
                    answer = before(frame) or Frame(PKI_REP, bridge.pass_on(frame.value), frame.version, int(closing))
                    self.request.sendall(answer.octets())
                    if closing:
                        return

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"tcp://127.0.0.1:{self.server.server_address[1]}"

    def pass_on(self, message):
        self.http.request("POST", "/pkix/", message, {"Content-Type": "application/pkixcmp", "Connection": "keep-alive"})
        return self.http.getresponse().read()


# -- OpenSSL's client before our server ----------------------------------------------------------------------------------------------
@with_tcp_server
def test_openssl_in_both_framings(server, tmp):
    for version in (10, None):
        bridge = ToTcp(server.explicit_port, version)
        name = f"dev{version}"
        key, have = new_key(tmp, name), ["-trusted", server.root, "-untrusted", server.issuing]
        done = bridge.cmp("ir", *mac(server, name), "-newkey", key, "-subject", f"/CN={name}", "-certout", tmp / "dev.pem", "-verbosity", "7")
        check_in("sending CERTCONF", done.out + done.err)
        verify(server, tmp / "dev.pem")
        own = ["-cert", tmp / "dev.pem", "-key", key, *have]
        bridge.cmp("kur", *own, "-newkey", new_key(tmp, "next"), "-certout", tmp / "next.pem")
        verify(server, tmp / "next.pem")
        own = ["-cert", tmp / "next.pem", "-key", tmp / "next.key", *have]
        bridge.cmp("genm", *own, "-infotype", "signKeyPairTypes")
        bridge.cmp("rr", *own, "-oldcert", tmp / "next.pem")
        check_equal(bridge.connections, 1, "many messages on one connection")
        check_equal(bridge.messages, 6, "ir, certConf, kur, certConf, genm, rr")
    # Recorded under the label that the port stands for.
    check_in("cmp:explicit", server.admin("cert", "list", "--json").out)


@with_tcp_server
def test_errors_of_cmp_are_messages_of_cmp(server, tmp):
    bridge = ToTcp(server.tcp_port, 10)
    done = bridge.cmp("ir", "-ref", "nobody", "-secret", "pass:wrong", "-newkey", new_key(tmp, "dev"), "-subject", "/CN=dev", "-certout", tmp / "x.pem", check=False)
    assert done.returncode != 0 and not (tmp / "x.pem").exists()
    check_in("received ERROR", done.out + done.err)
    # What is no PKIMessage is answered by one that says so.
    frame, closed = ask(server.tcp_port, Frame(PKI_REQ, b"\x30\x00").octets())
    check_equal(frame.kind, PKI_REP)
    check_in("SEQUENCE", run_program("openssl", "asn1parse", "-inform", "DER", stdin=frame.value).out)
    assert not closed


# -- our client ---------------------------------------------------------------------------------------------------------------------
@with_tcp_server
def test_estuary_on_both_sides(server, tmp):
    dev = tmp / "dev"
    estuary("enroll", server.tcp_url, "--protocol", "cmp", *login(server, tmp, "dev"), "--subject", "CN=dev", "--out", dev)
    verify(server, dev / "cert.pem")
    check_in(server.tcp_url, (dev / "current/enrollment.json").read_text())
    key = same_key(dev)
    estuary("renew", dev, "--rekey")
    assert same_key(dev) != key
    check_in("p256", estuary("cmp", "genm", server.tcp_url, "signkeytypes", "--dir", dev).out)
    check_in("revoked", estuary("revoke", dev, "--reason", "superseded").out)
    check_in("certRevoked", estuary("renew", dev, status=REFUSED).err)
    # With a confirmation, and under another label: one connection.
    estuary("cmp", "ir", f"tcp://127.0.0.1:{server.explicit_port}", *login(server, tmp, "two"), "--subject", "CN=two", "--trust", server.root, "--out", tmp / "two", "--confirm")
    estuary("cmp", "kur", tmp / "two")
    estuary("cmp", "rr", "--dir", tmp / "two")


@with_tcp_server
def test_waiting_is_told_by_cmp_itself(server, tmp):
    url = f"tcp://127.0.0.1:{server.manual_port}"
    command = ["cmp", "ir", url, *login(server, tmp, "dev", "--profile", "manual"), "--subject", "CN=dev", "--trust", server.root, "--out", tmp / "dev"]
    estuary(*command, "--wait", "0", status=PENDING)
    server.admin("request", "approve", str(json.loads(server.admin("request", "list", "--json").out)[0]["id"]))
    estuary(*command)
    verify(server, tmp / "dev/cert.pem")


def test_usage(tmp):
    options = ["--user", "x", "--password-file", tmp / "pw", "--subject", "CN=dev", "--out", tmp / "dev"]
    (tmp / "pw").write_text("secret\n")
    check_in("no paths", estuary("cmp", "ir", "tcp://localhost/pkix/", *options, status=USAGE).err)
    check_in("--name", estuary("cmp", "ir", "tcp://localhost", "--name", "line7", *options, status=USAGE).err)
    check_in("refused the connection", estuary("cmp", "ir", f"tcp://localhost:{free_port()}", *options, "--wait", "0", status=TRY_AGAIN).err)


def with_openssl_server(test):
    """`openssl cmp -port` behind frames."""
    def run_it(tmp):
        mock = Mock(tmp)
        mock.start()
        try:
            test(mock, int(re.search(r":(\d+)/", mock.url).group(1)), tmp)
        finally:
            mock.stop()
    run_it.__doc__ = test.__doc__
    return run_it


@with_openssl_server
def test_openssls_server_behind_frames(mock, port, tmp):
    bridge = FromTcp(port)
    estuary("cmp", "cr", bridge.url, *mock.by_signature, *mock.ask, "--out", tmp / "one", "--confirm")
    check_in("received CERTCONF", mock.said())
    check_equal([(frame.kind, frame.version) for frame in bridge.frames], [(PKI_REQ, 10)] * 2)
    check_equal(bridge.connections, 1)
    # One that closes after every answer, and says so.
    bridge = FromTcp(port, closing=True)
    estuary("cmp", "cr", bridge.url, *mock.by_signature, *mock.ask, "--out", tmp / "two", "--confirm")
    check_equal(bridge.connections, 2)


@with_openssl_server
def test_a_server_of_rfc_2510(mock, port, tmp):
    """It knows no version 10, and says so in the framing that it knows."""
    bridge = FromTcp(port, before=lambda frame: frame.version and Frame(ERROR_REP, b"unknown flag", None))
    estuary("cmp", "cr", bridge.url, *mock.by_signature, *mock.ask, "--out", tmp / "out", "--confirm")
    check_equal([frame.version for frame in bridge.frames], [10, None, None])


@with_openssl_server
def test_a_server_that_lets_wait_by_frames(mock, port, tmp):
    waiting = []

    def before(frame):
        if frame.kind == PKI_REQ and not waiting:
            waiting.append(frame.value)
            return Frame(POLL_REP, struct.pack(">II", 77, 1))
        if frame.kind == POLL_REQ:
            check_equal(frame.value, struct.pack(">I", 77))
            return Frame(PKI_REP, bridge.pass_on(waiting[0]))
        return None

    bridge = FromTcp(port, before)
    estuary("cmp", "cr", bridge.url, *mock.by_signature, *mock.ask, "--out", tmp / "out")
    check_equal([frame.kind for frame in bridge.frames][:2], [PKI_REQ, POLL_REQ])


@with_openssl_server
def test_what_a_server_says_in_frames_is_not_believed(mock, port, tmp):
    def answer_is(answer):
        bridge = FromTcp(port, before=lambda frame: answer)
        done = run_program(ESTUARY, "cmp", "cr", bridge.url, *mock.by_signature, *mock.ask, "--out", tmp / "out", "--wait", "0", check=False)
        assert done.returncode not in (0, REFUSED), done.err   # nobody has refused it: nothing of this is protected
        assert not (tmp / "out/cert.pem").exists()
        return done.err
    said = answer_is(Frame(ERROR_REP, struct.pack(">HH", SERVER_ERROR, 0) + b"down\x1b[2J"))
    assert "0x0300: down" in said and "\x1b" not in said, said
    check_in("0x0202", answer_is(Frame(ERROR_REP, struct.pack(">HH", INVALID_POLL_ID, 0) + b"no")))
    answer_is(Frame(ERROR_REP, struct.pack(">HH", CLIENT_ERROR, 9999)))
    check_in("without an answer", answer_is(Frame(FIN_REP, b"\0")))
    answer_is(Frame(POLL_REP, struct.pack(">II", 1, 0xFFFFFFFF)))
    answer_is(Frame(PKI_REP, b"\x30\x00"))
    answer_is(Frame(PKI_REP, b""))


def test_a_ca_above_over_tcp(tmp):
    """A registration authority of today in front of a CA that speaks nothing else."""
    two, port = Two(tmp), free_port()
    try:
        two.stop()
        two.ca.config.write_text(two.ca.config.read_text().replace("https = true\n", f'https = true\ntcp_listen = ["127.0.0.1:{port}=devices"]\n'))
        text = two.ra.config.read_text().replace(f'url = "http://127.0.0.1:{two.ca.cmp_port}"\nname = "devices"', f'url = "tcp://127.0.0.1:{port}"')
        assert "tcp://" in text
        two.ra.config.write_text(text)
        two.ca.start()
        two.ra.start()
        for path in ("above", "nested"):
            two.ra.cmp("ir", *mac(two.ra, path, "--profile", "above"), "-newkey", new_key(tmp, path), "-subject", "/CN=dev", "-certout", tmp / f"{path}.pem", *two.trusting(),
                       path=f".well-known/cmp/p/{path}")
            two.verify(tmp / f"{path}.pem")
        two.ca.stop()
        done = two.ra.cmp("ir", *mac(two.ra, "late", "--profile", "above"), "-newkey", new_key(tmp, "late"), "-subject", "/CN=dev", "-certout", tmp / "late.pem", *two.trusting(),
                          path=".well-known/cmp/p/nested", check=False)
        check_in("systemUnavail", done.out + done.err)
    finally:
        two.stop()


# -- what is no request ---------------------------------------------------------------------------------------------------------------
@with_tcp_server
def test_what_is_no_request_is_refused_and_logged_once(server, tmp):
    wrong = [
        (Frame(PKI_REQ, b"\x30\x00", 11).octets(), 10, VERSION_NOT_SUPPORTED),
        (Frame(PKI_REQ, b"\x30\x00", 255).octets(), 10, VERSION_NOT_SUPPORTED),
        (Frame(PKI_REQ, b"\x30\x00", 9).octets(), None, None),
        (Frame(PKI_REP, b"\x30\x00").octets(), 10, INVALID_TYPE),
        (Frame(PARTIAL_REP, b"\x30\x00").octets(), 10, INVALID_TYPE),
        (Frame(99, b"\x30\x00").octets(), 10, INVALID_TYPE),
        (Frame(PKI_REP, b"\x30\x00", None).octets(), None, None),
        (Frame(POLL_REQ, b"\0\0\0\1").octets(), 10, INVALID_POLL_ID),
        (Frame(POLL_REQ, b"\0\0\0\1", None).octets(), None, None),
        (Frame(POLL_REQ, b"\0").octets(), 10, CLIENT_ERROR),
        (b"\0\0\0\1\x0a\0\0", 10, CLIENT_ERROR),
        (b"\xff\xff\xff\xff\x0a\0\0", 10, CLIENT_ERROR),
        (b"\xff\xff\xff\xff\0" + b"x" * 100_000, None, None),
    ]
    for number, (octets, version, kind) in enumerate(wrong):
        frame, closed = ask(server.tcp_port, octets)
        check_equal((frame.version, frame.error()[0]), (version, kind), octets[:12])
        assert closed and frame.error()[2], octets[:12]
        if version:
            check_equal(frame.flags, 1, "closing is said")
        if kind == VERSION_NOT_SUPPORTED:
            check_equal(frame.error()[1], b"\x0a")
        check_equal(server.log().count("request refused"), number + 1)
    # A request without a PKIMessage is a request: the connection goes on.
    frame, closed = ask(server.tcp_port, Frame(PKI_REQ, b"").octets())
    check_equal((frame.error()[0], frame.flags, closed), (CLIENT_ERROR, 0, False))
    frame, closed = ask(server.tcp_port, Frame(PKI_REQ, b"\x30\x00").octets()[:8], end=True)
    check_equal(frame.error()[0], CLIENT_ERROR)
    check_in("cut short", frame.error()[2])
    # Nothing was made of any of it.
    check_equal(server.admin("cert", "list").out.count("cmp:"), 0)


@with_tcp_server
def test_flags_and_the_end_of_connections(server, tmp):
    frame, closed = ask(server.tcp_port, Frame(PKI_REQ, b"\x30\x00", flags=1).octets())
    check_equal((frame.kind, frame.flags, closed), (PKI_REP, 1, True))
    frame, closed = ask(server.tcp_port, Frame(PKI_REQ, b"\x30\x00", flags=0xFE).octets())
    check_equal((frame.kind, frame.flags, closed), (PKI_REP, 0, False), "only the lowest bit means anything")
    # A hundred requests at once, in both framings, are answered in order.
    with connect(server.tcp_port) as connection:
        versions = [10, None] * 50
        connection.sendall(b"".join(Frame(PKI_REQ, b"\x30\x00", version).octets() for version in versions))
        check_equal([Frame.read(connection).version for _ in versions], versions)
    # In pieces of one octet.
    with connect(server.tcp_port) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in Frame(PKI_REQ, b"\x30\x00").octets():
            connection.sendall(bytes([octet]))
        check_equal(Frame.read(connection).kind, PKI_REP)


@with_small_limits
def test_slow_senders_are_cut_off(server, tmp):
    """bug class 30: who sends slowly, or nothing, is cut off, and nobody waits for it."""
    slow, silent, idle = connect(server.tcp_port), connect(server.tcp_port), connect(server.explicit_port)
    slow.sendall(Frame(PKI_REQ, b"\x30\x00").octets()[:6])
    idle.sendall(Frame(PKI_REQ, b"\x30\x00").octets())
    Frame.read(idle)
    enrolled_by = ToTcp(server.tcp_port, 10)
    enrolled_by.cmp("ir", *mac(server, "dev"), "-newkey", new_key(tmp, "dev"), "-subject", "/CN=dev", "-certout", tmp / "dev.pem", "-implicit_confirm")
    frame = Frame.read(slow)
    check_equal((frame.error()[0], frame.flags), (CLIENT_ERROR, 1))
    check_in("too long", frame.error()[2])
    check_equal(slow.recv(1), b"")
    check_equal(silent.recv(1), b"")
    check_equal(idle.recv(1), b"")
    # Dribbling does not help.
    begun = time.monotonic()
    with connect(server.tcp_port) as dribbling:
        dribbling.sendall(struct.pack(">IBBB", 1000, 10, 0, 0))
        dribbling.settimeout(0.05)
        got = b""
        while time.monotonic() < begun + 15 and not got:
            try:
                dribbling.sendall(b"\x30")
                got = dribbling.recv(100)
            except TimeoutError:
                pass
        check_in(b"too long", got)
    # One message too large for this server, however slowly it would come.
    frame, closed = ask(server.tcp_port, struct.pack(">IBBB", 4096 + 4, 10, 0, 0))
    check_in("4096 octets", frame.error()[2])
    assert closed
    # And one address has its share, not more.
    held = [connect(server.tcp_port) for _ in range(4)]
    check_equal(connect(server.tcp_port).recv(1), b"")
    del held


@with_tcp_server
def test_http_is_another_listener(server, tmp):
    """Neither takes the other for its own, and both go on."""
    with connect(server.tcp_port) as connection:
        connection.sendall(b"POST /.well-known/cmp HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        frame = Frame.read(connection)
        check_equal((frame.version, frame.error()[0]), (10, VERSION_NOT_SUPPORTED))
        check_equal(connection.recv(1), b"")
    for port in (server.cmp_port, server.status_port):
        with connect(port) as connection:
            connection.sendall(Frame(PKI_REQ, b"\x30\x00" * 20).octets() + b"\r\n\r\n")
            check_in(b"HTTP/1.1 400", connection.recv(1000))
    with connect(server.tcp_port) as connection:   # TLS
        connection.sendall(bytes.fromhex("1603010200010001fc0303") + b"\0" * 500)
        check_equal(Frame.read(connection).kind, ERROR_REP)
    enrolled(server, tmp, "http")
    ToTcp(server.tcp_port, None).cmp("cr", "-cert", tmp / "http.pem", "-key", tmp / "http.key", "-trusted", server.root, "-untrusted", server.issuing,
                                     "-newkey", new_key(tmp, "more"), "-subject", "/CN=http", "-certout", tmp / "more.pem")
    verify(server, tmp / "more.pem")


@with_tcp_server
def test_reload_and_stop(server, tmp):
    with connect(server.explicit_port) as connection, connect(server.tcp_port) as idle:
        def kind():
            connection.sendall(Frame(PKI_REQ, b"\x30\x00").octets())
            return Frame.read(connection)
        check_equal(kind().kind, PKI_REP)
        server.reload()
        check_equal(kind().kind, PKI_REP)
        check_equal(server.log().count("takes effect at the next start"), 0)
        # The label of the port is gone: the connection is there, and says so.
        text = server.config.read_text()
        port_of_it = f', "127.0.0.1:{server.explicit_port}=explicit"'
        assert port_of_it in text
        text = text.replace(port_of_it, "").replace(', "/cmp=explicit"', "")
        server.config.write_text(text.replace("[cmp.label.explicit]", "[cmp.label.explicit]\nenabled = false"))
        server.reload()
        check_in("takes effect at the next start", server.log())
        error = kind().error()
        check_equal(error[0], CLIENT_ERROR)
        check_in("no such name", error[2])
        check_equal(server.stop(), 0)
        check_equal(idle.recv(1), b"")
    server.start()
    try:
        connect(server.explicit_port)
        raise AssertionError("the port is still open")
    except ConnectionRefusedError:
        pass


if __name__ == "__main__":
    run(globals())
