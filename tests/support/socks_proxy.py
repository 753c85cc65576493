# SPDX-License-Identifier: Apache-2.0
"""A SOCKS5 proxy (RFC 1928, RFC 1929) for tests: it connects names that it knows, or refuses as it
was told, and notes what clients ask for."""
import socket
import threading

NO_LOGIN, PASSWORD, NONE = 0, 2, 255
SUCCEEDED, REFUSED, UNREACHABLE = 0, 5, 4
NAME = 3


class Proxy:
    def __init__(self, names=(), login=None, reply=SUCCEEDED, greeting=None):
        self.names = dict(names)  # name -> (host, port) that it stands for
        self.login, self.reply, self.greeting = login, reply, greeting
        self.asked = []  # the addresses of requests, as the client put them
        self.logins = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client):
        with client:
            client.settimeout(20)
            try:
                self._negotiate(client)
            except OSError:
                pass

    @staticmethod
    def _read(client, count):
        data = b""
        while len(data) < count:
            piece = client.recv(count - len(data))
            if not piece:
                raise ConnectionError("the client has left")
            data += piece
        return data

    def _negotiate(self, client):
        methods = self._read(client, self._read(client, 2)[1])
        if self.greeting is not None:
            client.sendall(self.greeting)
            return
        wanted = PASSWORD if self.login else NO_LOGIN
        if wanted not in methods:
            client.sendall(bytes([5, NONE]))
            return
        client.sendall(bytes([5, wanted]))
        if self.login and not self._check_login(client):
            return
        host, port, raw = self._request(client)
        self.asked.append((host, port))
        if self.reply != SUCCEEDED:
            client.sendall(bytes([5, self.reply, 0]) + raw)
            return
        with socket.create_connection(self.names.get(host, (host, port)), 20) as server:
            client.sendall(bytes([5, SUCCEEDED, 0, 1, 127, 0, 0, 1, 4, 56]))  # its own end
            back = threading.Thread(target=self._relay, args=(server, client), daemon=True)
            back.start()
            self._relay(client, server)
            back.join(20)

    def _check_login(self, client):
        user = self._read(client, self._read(client, 2)[1]).decode()
        password = self._read(client, self._read(client, 1)[0]).decode()
        self.logins.append((user, password))
        accepted = (user, password) == self.login
        client.sendall(bytes([1, 0 if accepted else 1]))
        return accepted

    def _request(self, client):
        kind = self._read(client, 4)[3]
        if kind == NAME:
            size = self._read(client, 1)
            host = self._read(client, size[0])
            raw = bytes([kind]) + size + host
            host = host.decode()
        else:
            octets = self._read(client, 4 if kind == 1 else 16)
            raw = bytes([kind]) + octets
            host = socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, octets)
        port = self._read(client, 2)
        return host, int.from_bytes(port, "big"), raw + port

    @staticmethod
    def _relay(source, target):
        try:
            while data := source.recv(4096):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
