"""Downloads from a server on this machine that misbehaves on demand, and archives of all kinds."""

import hashlib
import io
import tarfile
import threading
import zipfile
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import detseg.download
from detseg.download import extract, fetch
from detseg.errors import ArgumentError, DataError

CONTENT = bytes(range(256)) * 4096  # 1 MiB: several pieces
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves `content` under any path. What goes wrong is settled by the attributes."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = CONTENT
        self.ranges = True  # whether Range is honoured
        self.statuses = []  # answered first, one a request, without the file
        self.lasts = []  # bytes sent before the connection is dropped, one a request
        self.requested = []  # the Range header of each request, None without

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/file.bin"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        asked = self.headers.get("Range")
        server.requested.append(asked)
        start = 0
        if server.statuses:
            self.send_error(server.statuses.pop(0))
            return
        if asked and server.ranges:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(server.content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(server.content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            end = len(server.content)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
        else:
            self.send_response(200)
        body = server.content[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if server.lasts:
            body = body[: server.lasts.pop(0)]
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(detseg.download, "_PAUSES", (0, 0, 0))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = Server()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


# What arrives


@pytest.mark.parametrize("checksum", [{"sha256": SHA256}, {"md5": MD5}, {"sha256": SHA256.upper()}])
def test_a_file_arrives(server, tmp_path, checksum):
    target = tmp_path / "new" / "folder" / "file.bin"
    assert fetch(server.url, str(target), **checksum, size=len(CONTENT), progress=False) == target
    assert target.read_bytes() == CONTENT
    assert [path.name for path in target.parent.iterdir()] == ["file.bin"]


def test_a_file_that_is_there_is_verified_and_not_fetched(server, tmp_path):
    target = tmp_path / "file.bin"
    target.write_bytes(CONTENT)
    assert fetch(server.url, target, md5=MD5) == target
    assert server.requested == []


def test_a_wrong_file_put_there_by_hand_is_named_and_kept(server, tmp_path):
    target = tmp_path / "file.bin"
    target.write_bytes(b"something else")
    with pytest.raises(DataError, match=r"file\.bin is not the file of .*; remove it"):
        fetch(server.url, target, md5=MD5)
    assert target.read_bytes() == b"something else"
    assert server.requested == []


@pytest.mark.parametrize(
    ("given", "message"),
    [({}, "got neither"), ({"sha256": SHA256, "md5": MD5}, "got both")],
)
def test_exactly_one_checksum_is_needed(tmp_path, given, message):
    with pytest.raises(ArgumentError, match=message):
        fetch("http://127.0.0.1/", tmp_path / "file.bin", **given)


def test_progress_counts_bytes_from_where_it_goes_on(server, tmp_path, capsys):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[: 512 * 1024])
    fetch(server.url, tmp_path / "file.bin", sha256=SHA256, progress=True)
    shown = capsys.readouterr().err
    assert "file.bin" in shown
    assert "512k/1.00M" in shown, "the bar starts where the part ended"
    assert "1.00M/1.00M" in shown


def test_no_progress_says_nothing(server, tmp_path, capsys):
    server.statuses = [503]
    fetch(server.url, tmp_path / "file.bin", sha256=SHA256, progress=False)
    captured = capsys.readouterr()
    assert captured.err == captured.out == ""


# Interruptions


def test_a_part_is_completed_not_fetched_again(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    fetch(server.url, tmp_path / "file.bin", sha256=SHA256, progress=False)
    assert server.requested == ["bytes=1000-"]
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


def test_a_dropped_connection_is_taken_up_again(server, tmp_path):
    server.lasts = [300_000, 200_000]
    fetch(server.url, tmp_path / "file.bin", sha256=SHA256, progress=False)
    assert server.requested[0] is None
    starts = [int(asked[len("bytes=") : -1]) for asked in server.requested[1:]]
    # The piece in which the line broke is lost, no more.
    assert 250_000 < starts[0] <= 300_000
    assert 400_000 < starts[1] <= 500_000
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


def test_a_server_without_range_starts_over(server, tmp_path):
    server.ranges = False
    (tmp_path / "file.bin.part").write_bytes(b"x" * 5000)
    fetch(server.url, tmp_path / "file.bin", sha256=SHA256, progress=False)
    assert server.requested == ["bytes=5000-"]
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


def test_a_server_that_drops_for_good_leaves_the_part_for_later(server, tmp_path):
    server.lasts = [300_000, 1, 1, 1]
    with pytest.raises(DataError, match=r"bytes are kept; the next call goes on from them"):
        fetch(server.url, tmp_path / "file.bin", sha256=SHA256, progress=False)
    assert len(server.requested) == 4
    assert not (tmp_path / "file.bin").exists()
    kept = (tmp_path / "file.bin.part").read_bytes()
    assert kept
    assert CONTENT.startswith(kept)
    fetch(server.url, tmp_path / "file.bin", sha256=SHA256, progress=False)
    assert server.requested[-1] == f"bytes={len(kept)}-"


def test_a_complete_part_is_taken_as_it_is(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    fetch(server.url, tmp_path / "file.bin", sha256=SHA256, progress=False)
    assert server.requested == [f"bytes={len(CONTENT)}-"]
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("stale", [b"y" * 1000, CONTENT + b"too long", b"z" * len(CONTENT)])
def test_a_part_of_another_file_is_given_up(server, tmp_path, stale):
    (tmp_path / "file.bin.part").write_bytes(stale)
    fetch(server.url, tmp_path / "file.bin", sha256=SHA256, progress=False)
    assert server.requested[-1] is None, "the last request was for the whole file"
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_refusal_is_tried_again(server, tmp_path, status):
    server.statuses = [status, status]
    fetch(server.url, tmp_path / "file.bin", sha256=SHA256, progress=False)
    assert len(server.requested) == 3


# Failures


@pytest.mark.parametrize(
    ("checksum", "expected", "actual"),
    [({"sha256": "0" * 64}, "0" * 64, SHA256), ({"md5": "f" * 32}, "f" * 32, MD5)],
)
def test_a_wrong_checksum_is_named_and_the_file_removed(
    server, tmp_path, checksum, expected, actual
):
    with pytest.raises(DataError, match=f"{expected} expected, {actual} there; it was removed"):
        fetch(server.url, tmp_path / "file.bin", **checksum, progress=False)
    assert list(tmp_path.iterdir()) == []
    assert len(server.requested) == 1


def test_another_size_than_published_is_refused_before_it_is_fetched(server, tmp_path):
    server.content = b"<html>Please log in to the network</html>"
    part = tmp_path / "file.bin.part"
    part.write_bytes(CONTENT[:1000])
    server.ranges = False
    with pytest.raises(DataError, match="1048576 bytes were published, 41 are offered"):
        fetch(server.url, tmp_path / "file.bin", sha256=SHA256, size=len(CONTENT), progress=False)
    assert part.read_bytes() == CONTENT[:1000]


def test_not_found_is_not_tried_again(server, tmp_path):
    server.statuses = [404, 404]
    with pytest.raises(
        DataError, match=r"http://127\.0\.0\.1:\d+/file\.bin: HTTP 404 Not Found"
    ) as e:
        fetch(server.url, tmp_path / "file.bin", sha256=SHA256, progress=False)
    assert str(tmp_path / "file.bin") in str(e.value)
    assert len(server.requested) == 1


def test_offline_names_address_and_place_and_the_way_out(server, tmp_path):
    server.shutdown()
    server.server_close()
    target = tmp_path / "file.bin"
    with pytest.raises(DataError) as caught:
        fetch(server.url, target, sha256=SHA256, progress=False)
    message = str(caught.value)
    assert server.url in message
    assert f"put it at {target}" in message
    assert "ConnectionError" in message
    assert "kept" not in message


def test_a_failed_attempt_is_told_before_the_next(server, tmp_path, capsys):
    server.statuses = [503]
    fetch(server.url, tmp_path / "file.bin", sha256=SHA256, progress=True)
    assert "file.bin: HTTP 503 Service Unavailable; trying again" in capsys.readouterr().out


@pytest.mark.parametrize("url", ["file.bin", "ftp://example.org/file.bin", "http://"])
def test_what_is_no_address_is_refused(tmp_path, url):
    with pytest.raises(ArgumentError, match="no address that can be fetched"):
        fetch(url, tmp_path / "file.bin", sha256=SHA256, progress=False)


# Archives

FILES = {"top/one.txt": b"one" * 1000, "top/deep/two.bin": CONTENT[:70_000], "three": b""}


def zipped(files, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def tarred(files, path, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


KINDS = {
    "zip": zipped,
    "tar": tarred,
    "tar.gz": lambda files, path: tarred(files, path, "w:gz"),
    "tar.xz": lambda files, path: tarred(files, path, "w:xz"),
}


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_is_unpacked_beside_what_is_there(tmp_path, kind):
    archive = tmp_path / "data"  # no ending: the content decides
    KINDS[kind](FILES, archive)
    target = tmp_path / "target"
    (target / "top").mkdir(parents=True)
    (target / "top" / "one.txt").write_text("old")
    (target / "top" / "other.txt").write_text("stays")
    extract(archive, str(target), progress=False)
    assert tree(target) == FILES | {"top/other.txt": b"stays"}
    assert sorted(path.name for path in target.iterdir()) == ["three", "top"]


@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_archive_is_named_and_leaves_nothing(tmp_path, kind, part):
    archive = tmp_path / f"data.{kind}"
    KINDS[kind](FILES, archive)
    content = archive.read_bytes()
    archive.write_bytes(content[: int(part * len(content))])
    with pytest.raises(DataError, match=rf"data\.{kind} cannot be unpacked .*; remove it"):
        extract(archive, tmp_path / "target", progress=False)
    assert list((tmp_path / "target").iterdir()) == []


def test_a_tar_cut_off_between_two_members_is_noticed(tmp_path):
    archive = tmp_path / "data.tar"
    tarred({"a": b"a" * 512, "b": b"b" * 512}, archive)
    archive.write_bytes(archive.read_bytes()[: 2 * 512])  # header and content of the first
    with pytest.raises(DataError, match="the end of the archive is missing"):
        extract(archive, tmp_path / "target", progress=False)


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("zip", 0.4),  # stops the decompression
        ("zip", 0.9),  # in the directory at the end
        ("tar.gz", 0.4),
        ("tar.gz", 0.9999),  # in the checksum at the end
        ("tar.xz", 0.4),
    ],
)
def test_damage_inside_an_archive_is_noticed(tmp_path, kind, place):
    archive = tmp_path / f"data.{kind}"
    KINDS[kind]({"noise": hashlib.shake_256(b"seed").digest(100_000)}, archive)
    content = bytearray(archive.read_bytes())
    start = int(place * len(content))
    content[start : start + 50] = bytes(255 - value for value in content[start : start + 50])
    archive.write_bytes(content)
    with pytest.raises(DataError, match=rf"data\.{kind} cannot be unpacked"):
        extract(archive, tmp_path / "target", progress=False)
    assert list((tmp_path / "target").iterdir()) == []


def test_a_wrong_byte_in_a_stored_member_is_noticed(tmp_path):
    archive = tmp_path / "data.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as opened:
        opened.writestr("a", b"a" * 512)
    archive.write_bytes(archive.read_bytes().replace(b"aaaa", b"aaba", 1))
    with pytest.raises(DataError, match="Bad CRC-32"):
        extract(archive, tmp_path / "target", progress=False)


def test_a_stream_that_cannot_be_decompressed_is_noticed(tmp_path):
    archive = tmp_path / "data.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as opened:
        opened.writestr("a", b"\x07" * 512)  # as DEFLATE: a block of the reserved type
    content = bytearray(archive.read_bytes())
    content[content.index(b"PK\x03\x04") + 8] = zipfile.ZIP_DEFLATED
    content[content.index(b"PK\x01\x02") + 10] = zipfile.ZIP_DEFLATED
    archive.write_bytes(content)
    with pytest.raises(DataError, match="invalid block type"):
        extract(archive, tmp_path / "target", progress=False)


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/out", "C:/out", "..\\out", "C:out"])
def test_a_zip_cannot_write_outside(tmp_path, name):
    archive = tmp_path / "data.zip"
    zipped({"fine": b"", name: b"evil"}, archive)
    with pytest.raises(DataError, match="would leave the folder"):
        extract(archive, tmp_path / "target", progress=False)
    assert tree(tmp_path) == {"data.zip": archive.read_bytes()}


def test_a_tar_cannot_write_outside(tmp_path):
    archive = tmp_path / "data.tar"
    tarred({"../out": b"evil"}, archive)
    with pytest.raises(DataError, match="OutsideDestinationError"):
        extract(archive, tmp_path / "target", progress=False)
    assert tree(tmp_path) == {"data.tar": archive.read_bytes()}


def test_a_tar_cannot_link_outside(tmp_path):
    archive = tmp_path / "data.tar"
    with tarfile.open(archive, "w") as opened:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "../.."
        opened.addfile(link)
    with pytest.raises(DataError, match="LinkOutsideDestinationError"):
        extract(archive, tmp_path / "target", progress=False)
    assert tree(tmp_path) == {"data.tar": archive.read_bytes()}


def test_what_is_no_archive_is_named(tmp_path):
    (tmp_path / "page.zip").write_text("<html>Please log in</html>")
    with pytest.raises(DataError, match=r"page\.zip cannot be unpacked"):
        extract(tmp_path / "page.zip", tmp_path / "target", progress=False)


def test_a_missing_archive_is_named(tmp_path):
    with pytest.raises(DataError, match=r"no archive at .*none\.zip"):
        extract(tmp_path / "none.zip", tmp_path, progress=False)


def test_unpacking_shows_progress(tmp_path, capsys):
    zipped(FILES, tmp_path / "data.zip")
    extract(tmp_path / "data.zip", tmp_path / "target", progress=True)
    assert Counter(capsys.readouterr().err.split())["data.zip:"] >= 1
