# The same as udp-relay.pl, for nodes without Perl: carries datagrams between the core (frames on
# standard input and output, as domain/forwards/datagrams.ts has them) and sockets of the node.
import errno
import os
import selectors
import socket
import struct

OPEN, DATAGRAM, FAILED = 1, 2, 4
HEADER = struct.Struct(">BIH")
# A port that nobody listens on may be listened on again; what comes before that is lost.
PASSING = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR, errno.ECONNREFUSED, errno.EMSGSIZE)
sockets = {}
# Not select(): that knows no file beyond the 1,023rd.
waiting = selectors.PollSelector()


def put(kind, flow, payload=b""):
    data = HEADER.pack(kind, flow, len(payload)) + payload
    while data:
        data = data[os.write(1, data) :]


def forget(flow):
    found = sockets.pop(flow, None)
    if found is not None:
        waiting.unregister(found)
        found.close()


def fail(flow):
    forget(flow)
    put(FAILED, flow)


def open_flow(flow, host, port):
    try:
        found = socket.getaddrinfo(host, int(port), 0, socket.SOCK_DGRAM)[0]
        sockets[flow] = socket.socket(found[0], socket.SOCK_DGRAM)
        waiting.register(sockets[flow], selectors.EVENT_READ, flow)
        sockets[flow].setblocking(False)
        sockets[flow].connect(found[4])
    except OSError:
        fail(flow)


def take(kind, flow, payload):
    if kind == OPEN:
        open_flow(flow, *payload.decode().split(" "))
    elif flow not in sockets:
        return
    elif kind == DATAGRAM:
        try:
            sockets[flow].send(payload)
        except OSError as error:
            if error.errno not in PASSING:
                fail(flow)
    else:
        forget(flow)


def take_answer(flow):
    try:
        put(DATAGRAM, flow, sockets[flow].recv(65535))
    except OSError as error:
        if error.errno not in PASSING:
            fail(flow)


def run():
    rest = b""
    waiting.register(0, selectors.EVENT_READ, None)
    while True:
        ready = [key.data for key, _ in waiting.select()]
        for flow in ready:
            if flow is not None:
                take_answer(flow)
        if None not in ready:
            continue
        got = os.read(0, 65536)
        if not got:
            return
        rest += got
        while len(rest) >= HEADER.size:
            kind, flow, size = HEADER.unpack_from(rest)
            if len(rest) < HEADER.size + size:
                break
            payload = rest[HEADER.size : HEADER.size + size]
            rest = rest[HEADER.size + size :]
            take(kind, flow, payload)


try:
    run()
except (BrokenPipeError, KeyboardInterrupt):
    pass
