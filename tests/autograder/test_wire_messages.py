"""Messages on a socket: whole or an error, whatever the other side writes and when."""

import socket
import struct
import threading
import time

import pytest

from autograder.student_side import wire
from autograder.student_side.limits import Limits
from autograder.student_side.wire import ProtocolError, TooLargeError

LIMITS = Limits(value_bytes=1000)


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def _frame(text: bytes, blobs: bytes = b"") -> bytes:
    return struct.pack(">IQ", len(text), len(blobs)) + text + blobs


def test_messages_arrive_in_order_and_whole(ends):
    ours, theirs = ends
    wire.send(ours, {"a": 1}, [b"xy", b"", b"z"])
    wire.send(ours, {}, [])
    assert wire.receive(theirs, LIMITS) == ({"a": 1}, b"xyz")
    assert wire.receive(theirs, LIMITS) == ({}, b"")


def test_a_message_that_comes_byte_by_byte_is_read(ends):
    ours, theirs = ends
    raw = _frame(b'{"a": 1}', b"xyz")
    writer = threading.Thread(target=lambda: [ours.send(raw[i : i + 1]) for i in range(len(raw))])
    writer.start()
    assert wire.receive(theirs, LIMITS, time.monotonic() + 60) == ({"a": 1}, b"xyz")
    writer.join()


def test_a_message_larger_than_the_sockets_buffer_is_read(ends):
    ours, theirs = ends
    blob = bytes(range(256)) * 20_000
    writer = threading.Thread(target=wire.send, args=(ours, {}, [blob]))
    writer.start()
    assert wire.receive(theirs, Limits())[1] == blob
    writer.join()


@pytest.mark.parametrize("count", range(len(_frame(b"{}", b"xyz"))))
def test_a_message_that_ends_in_the_middle_is_an_end(ends, count):
    ours, theirs = ends
    ours.sendall(_frame(b"{}", b"xyz")[:count])
    ours.close()
    with pytest.raises(EOFError):
        wire.receive(theirs, LIMITS)


@pytest.mark.parametrize("count", [0, 5, 12, 13, 16])
def test_a_message_that_does_not_come_is_late(ends, count):
    ours, theirs = ends
    ours.sendall(_frame(b"{}", b"xyz")[:count])
    with pytest.raises(TimeoutError):
        wire.receive(theirs, LIMITS, time.monotonic() + 0.01)


def test_a_reader_that_closes_early_is_an_end(ends):
    ours, theirs = ends
    ours.sendall(b"unread")
    theirs.close()  # with bytes unread: a reset connection on the other side
    with pytest.raises(EOFError):
        wire.receive(ours, LIMITS)


@pytest.mark.parametrize(
    ("text", "size"), [(2**32 - 1, 0), (8_000_001, 0), (2, 1001), (2, 2**64 - 1)]
)
def test_an_announcement_that_is_too_large_is_refused_before_anything_is_read(ends, text, size):
    ours, theirs = ends
    ours.sendall(struct.pack(">IQ", text, size) + b"{}")
    with pytest.raises(ProtocolError, match=str(max(text, size))):
        wire.receive(theirs, LIMITS)
    assert theirs.recv(2) == b"{}"


def test_a_message_that_would_be_too_long_to_read_is_not_written(ends):
    ours, theirs = ends
    with pytest.raises(TooLargeError, match="too many items"):
        wire.send(ours, {"value": ["list", *["x" * 1000] * 8000]}, [])
    ours.close()
    with pytest.raises(EOFError):
        wire.receive(theirs, LIMITS)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b"null", b"1", b'"a"', b"{}{}", b'{"a": }', b"\xff\xfe", b'{"a": "\xff"}',
     b"[" * 100_000, b'{"a":' * 100_000, b'{"a": ' + b"9" * 5000 + b"}", b"{'a': 1}"],
    ids=lambda text: text[:10].decode("latin-1"),
)  # fmt: skip
def test_what_is_no_json_object_is_refused(ends, text):
    ours, theirs = ends
    writer = threading.Thread(target=ours.sendall, args=(_frame(text),))
    writer.start()
    with pytest.raises(ProtocolError, match="not"):
        wire.receive(theirs, LIMITS)
    writer.join()
