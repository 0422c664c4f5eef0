"""Messages between the grader and the first process of a sandbox: JSON, and open files with it."""

import json
import os
import socket
import struct
from typing import Any

# What the grader says to end a submission: its kernel may be alive, or has been seen to die.
STOP, STOP_DEAD = b".", b"?"

_LENGTH = struct.Struct(">Q")
_MAX_FILES = 8


def send(control: socket.socket, message: dict[str, Any], files: tuple[int, ...] = ()) -> None:
    """Write one message, and give the other side these open descriptors too.

    Raises:
        OSError: nobody is left to read it.
    """
    text = json.dumps(message).encode()
    socket.send_fds(control, [_LENGTH.pack(len(text))], files)
    control.sendall(text)


def receive(control: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Read one message and the descriptors that came with it.

    Raises:
        EOFError: nobody is left to write it.
        TimeoutError: it did not come within the socket's timeout.
    """
    head, files, _, _ = socket.recv_fds(control, _LENGTH.size, _MAX_FILES)
    try:
        head += _exactly(control, _LENGTH.size - len(head)) if head else b""
        if not head:
            raise EOFError
        text = _exactly(control, _LENGTH.unpack(head)[0])
    except BaseException:
        for descriptor in files:
            os.close(descriptor)
        raise
    return json.loads(text), files


def _exactly(control: socket.socket, count: int) -> bytes:
    received = bytearray()
    while len(received) < count:
        chunk = control.recv(count - len(received))
        if not chunk:
            raise EOFError
        received += chunk
    return bytes(received)
