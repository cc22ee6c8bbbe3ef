"""`http.client` over `wasi:http`, and so `urllib.request` and what else is written on it.

Python's client writes a request to a socket and reads the answer from it. The socket here takes the bytes of the request,
sends it through the node's own client, which also does TLS, and gives back the answer's bytes. Redirects, headers, cookies and
`HTTPResponse` are Python's own.
"""

import http.client
import io
import socket

from componentize_py_types import Err, Ok
from wit_world.imports import outgoing_handler, types

_METHODS = {
    "GET": types.Method_Get, "HEAD": types.Method_Head, "POST": types.Method_Post, "PUT": types.Method_Put,
    "DELETE": types.Method_Delete, "CONNECT": types.Method_Connect, "OPTIONS": types.Method_Options,
    "TRACE": types.Method_Trace, "PATCH": types.Method_Patch,
}
# The node frames messages and keeps connections.
_FRAMING = {"connection", "content-length", "host", "keep-alive", "te", "transfer-encoding", "upgrade"}
_CHUNK = 65536

# Set while the component is built: there is no network then, and the caller is run again later.
building = False


class _AskedWhileBuilding(OSError):
    """Module scope wanted the network."""


class _Body(io.RawIOBase):
    """The answer's head, then its body as it arrives."""

    def __init__(self, head, response):
        self._waiting = head
        self._response = response
        self._body = response.consume()
        self._stream = self._body.stream()

    def readable(self):
        return True

    def readinto(self, buffer):
        if not self._waiting and self._stream is not None:
            try:
                self._waiting = self._stream.blocking_read(_CHUNK)
            except Err as error:
                if not type(error.value).__name__.endswith("Closed"):
                    raise ConnectionResetError("the answer broke off") from None
                self._release()
        taken = self._waiting[: len(buffer)]
        self._waiting = self._waiting[len(taken):]
        buffer[: len(taken)] = taken
        return len(taken)

    def _release(self):
        if self._stream is not None:
            # In this order: a stream lives within its body.
            self._stream.__exit__(None, None, None)
            self._body.__exit__(None, None, None)
            self._response.__exit__(None, None, None)
            self._stream = None

    def close(self):
        self._release()
        super().close()


class _Socket:
    """Stands where a connection to `authority` would be."""

    def __init__(self, authority, tls, timeout):
        self._authority = authority
        self._tls = tls
        self._timeout = timeout
        self._written = bytearray()
        self._answer = None

    def exchange(self):
        """Sends what was written."""
        self._answer = self._exchange()

    def sendall(self, data):
        self._written += data

    def makefile(self, mode, *_args, **_kwargs):
        if self._answer is None:
            self.exchange()
        answer, self._answer = self._answer, None
        return io.BufferedReader(answer)

    def settimeout(self, timeout):
        self._timeout = timeout

    def gettimeout(self):
        return self._timeout

    def setsockopt(self, *_args):
        pass

    def shutdown(self, _how):
        pass

    def close(self):
        pass

    def _exchange(self):
        head, _, body = bytes(self._written).partition(b"\r\n\r\n")
        self._written.clear()
        line, *fields = head.split(b"\r\n")
        method, target, _version = line.decode("latin-1").split(" ", 2)
        pairs, authority, chunked = [], self._authority, False
        for field in fields:
            name, _, value = field.partition(b":")
            name, value = name.decode("latin-1").lower(), value.strip()
            if name == "host":
                authority = value.decode("latin-1")
            elif name == "transfer-encoding":
                chunked = value.lower() == b"chunked"
            if name not in _FRAMING:
                pairs.append((name, value))
        return self._send(method, target, authority, pairs, _unchunked(body) if chunked else body)

    def _send(self, method, target, authority, pairs, body):
        request = types.OutgoingRequest(types.Fields.from_list(pairs))
        request.set_method(_METHODS[method]() if method in _METHODS else types.Method_Other(method))
        request.set_scheme(types.Scheme_Https() if self._tls else types.Scheme_Http())
        request.set_authority(authority)
        request.set_path_with_query(target)
        outgoing = request.body()
        try:
            pending = outgoing_handler.handle(request, self._options())
            if body:
                with outgoing.write() as stream:
                    for at in range(0, len(body), 4096):
                        stream.blocking_write_and_flush(body[at: at + 4096])
            types.OutgoingBody.finish(outgoing, None)
            with pending.subscribe() as ready:
                ready.block()
            answer = pending.get()
            pending.__exit__(None, None, None)
        except Err as error:
            raise _network_error(error.value, authority) from None
        while isinstance(answer, Ok):
            answer = answer.value
        if isinstance(answer, Err):
            raise _network_error(answer.value, authority)
        return _Body(_head(answer), answer)

    def _options(self):
        if not isinstance(self._timeout, (int, float)):
            return None
        options = types.RequestOptions()
        nanoseconds = int(self._timeout * 1e9)
        options.set_connect_timeout(nanoseconds)
        options.set_first_byte_timeout(nanoseconds)
        options.set_between_bytes_timeout(nanoseconds)
        return options


def _head(answer):
    status = answer.status()
    reason = http.client.responses.get(status, "")
    head = bytearray(f"HTTP/1.1 {status} {reason}\r\n".encode("latin-1"))
    with answer.headers() as fields:
        for name, value in fields.entries():
            # The body ends with the stream; a length stays, so that a short body is noticed.
            if name.lower() not in ("connection", "keep-alive", "transfer-encoding"):
                head += name.encode("latin-1") + b": " + value + b"\r\n"
    return bytes(head + b"Connection: close\r\n\r\n")


def _unchunked(body):
    whole = bytearray()
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if length == 0:
            break
        whole += rest[:length]
        body = rest[length + 2:]
    return bytes(whole)


def _network_error(code, authority):
    name = type(code).__name__.removeprefix("ErrorCode_")
    detail = getattr(code, "value", None)
    text = f"{authority}: {name}" + (f" ({detail})" if detail else "")
    if "Timeout" in name:
        return TimeoutError(text)
    if name.startswith("Dns"):
        return socket.gaierror(socket.EAI_NONAME if hasattr(socket, "EAI_NONAME") else -2, text)
    if name == "HttpRequestDenied":
        return PermissionError(f"{authority}: the function has no grant for this host")
    return ConnectionError(text)


def _connect(self):
    if building:
        raise _AskedWhileBuilding("there is no network while the component is built")
    host = f"[{self.host}]" if ":" in self.host else self.host
    authority = host if self.port == self.default_port else f"{host}:{self.port}"
    timeout = None if self.timeout is socket._GLOBAL_DEFAULT_TIMEOUT else self.timeout
    self.sock = _Socket(authority, self.default_port == 443, timeout)


def _send_request(self, *args):
    _write_request(self, *args)
    # Now, not when the answer is read: here callers expect errors of the network.
    self.sock.exchange()


class HTTPSConnection(http.client.HTTPConnection):
    """As `http.client` has it, which leaves it out where there is no `ssl`. The node checks the server's certificate."""

    default_port = 443

    def __init__(self, host, port=None, *, timeout=socket._GLOBAL_DEFAULT_TIMEOUT, source_address=None, context=None,
                 blocksize=8192):
        super().__init__(host, port, timeout, source_address, blocksize)


_write_request = http.client.HTTPConnection._send_request
http.client.HTTPConnection._send_request = _send_request
http.client.HTTPConnection.connect = _connect
http.client.HTTPSConnection = HTTPSConnection
http.client._create_https_context = lambda _version: None
if "HTTPSConnection" not in http.client.__all__:
    http.client.__all__.append("HTTPSConnection")
