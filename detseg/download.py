"""Files from the network: fetched once, resumed where they broke off, verified, unpacked safely."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

import requests
from tqdm.auto import tqdm

from detseg.errors import ArgumentError, DataError

_PAUSES = (0.5, 1.0, 2.0)  # seconds between the four attempts
_TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two pieces
_PIECE = 1 << 15  # bytes at once; of a piece that breaks off nothing is kept, so it is small
_PASSING = {408, 425, 429, 500, 502, 503, 504}  # HTTP statuses worth another attempt


_BAD_ARCHIVE = (
    zipfile.BadZipFile,
    tarfile.TarError,  # includes what the data filter refuses
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
)


class _BrokenOffError(Exception):
    """An attempt failed in a way that the next one may not."""


def fetch(
    url: str,
    path: str | Path,
    *,
    sha256: str | None = None,
    md5: str | None = None,
    size: int | None = None,
    progress: bool = True,
) -> Path:
    """Download a file unless it is there already, and verify it either way.

    What has arrived is kept beside the target as `<name>.part`; a later call goes on from there if
    the server can (HTTP Range) and starts over if it cannot. The file takes its name only once its
    checksum is right.

    Args:
        url: where the file is (http or https).
        path: where it is put; folders are made.
        sha256: checksum that its source publishes, hexadecimal; or
        md5: the same, where the source publishes nothing stronger. Exactly one of the two.
        size: bytes, where known; a file of another size is refused early.
        progress: whether to show a progress bar.

    Returns:
        The path of the file.

    Raises:
        ArgumentError: not exactly one checksum.
        DataError: the file cannot be had, or is not the one that was published. The message says
            what to do by hand.

    Example:
        >>> fetch("https://example.org/a.zip", "a.zip")
        Traceback (most recent call last):
        detseg.errors.ArgumentError: fetch needs exactly one of sha256 and md5, got neither
    """
    if (sha256 is None) == (md5 is None):
        given = "neither" if sha256 is None else "both"
        raise ArgumentError(f"fetch needs exactly one of sha256 and md5, got {given}")
    algorithm, expected = ("sha256", sha256) if sha256 is not None else ("md5", str(md5))
    path = Path(path)
    if path.is_file():
        wrong = _what_is_wrong(path, algorithm, expected, size)
        if wrong is None:
            return path
        raise DataError(f"{path} is not the file of {url}: {wrong}; remove it to download it again")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    failure = ""
    for pause in (*_PAUSES, None):
        resumed = part.is_file() and part.stat().st_size > 0
        try:
            _download(url, part, path.name, size, progress)
        except _BrokenOffError as reason:
            failure = str(reason)
        else:
            wrong = _what_is_wrong(part, algorithm, expected, size)
            if wrong is None:
                part.replace(path)
                return path
            part.unlink()
            failure = f"what arrived is not what was published: {wrong}"
            if not resumed:
                raise DataError(f"download of {url} to {path} failed: {failure}; it was removed")
            # The kept beginning may have been of another version: once more, from the start.
        if pause is not None:
            if progress:
                tqdm.write(f"{path.name}: {failure}; trying again")
            time.sleep(pause)
    kept = part.stat().st_size if part.is_file() else 0
    raise DataError(
        f"cannot download {url} ({failure}). Without a network, get the file in another way and"
        f" put it at {path}: it is verified and used from there."
        + (f" {kept} bytes are kept; the next call goes on from them." if kept else "")
    )


def _download(url: str, part: Path, name: str, size: int | None, progress: bool) -> None:
    """One attempt to complete `part`, appending to what is there."""
    have = part.stat().st_size if part.is_file() else 0
    # identity: a compressed transfer would make Content-Length and Range count other bytes.
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
            if response.status_code == 416:  # nothing beyond what is there: complete, or too long
                if response.headers.get("Content-Range") == f"bytes */{have}":
                    return
                part.unlink(missing_ok=True)
                raise _BrokenOffError("what is kept from before does not fit the file")
            if response.status_code in _PASSING:
                raise _BrokenOffError(f"HTTP {response.status_code} {response.reason}")
            if response.status_code not in (200, 206):
                raise DataError(
                    f"cannot download {url}: HTTP {response.status_code} {response.reason}."
                    f" If the file is to be had elsewhere, put it at {part.with_name(name)}"
                )
            if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
                have = 0  # the server sends the file from its start
            length = response.headers.get("Content-Length")
            total = have + int(length) if length is not None else size
            if size is not None and total != size:  # often a page of the network's log-in
                raise DataError(
                    f"cannot download {url}: {size} bytes were published, {total} are offered"
                )
            with (
                part.open("ab" if have else "wb") as file,
                tqdm(
                    desc=name,
                    initial=have,
                    total=total,
                    unit="B",
                    unit_scale=True,
                    unit_divisor=1024,
                    disable=not progress,
                ) as bar,
            ):
                for piece in response.iter_content(_PIECE):
                    file.write(piece)
                    bar.update(len(piece))
    except (
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidURL,
        requests.exceptions.MissingSchema,
    ) as error:
        raise ArgumentError(f"{url!r} is no address that can be fetched: {error}") from None
    except requests.RequestException as error:
        raise _BrokenOffError(f"{type(error).__name__}: {error}") from error
    if total is not None and part.stat().st_size < total:
        raise _BrokenOffError(f"the connection ended after {part.stat().st_size} of {total} bytes")


def _what_is_wrong(path: Path, algorithm: str, expected: str, size: int | None) -> str | None:
    """Why a file is not the published one, None if it is."""
    actual_size = path.stat().st_size
    if size is not None and actual_size != size:
        return f"{size} bytes expected, {actual_size} there"
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, algorithm).hexdigest()
    if actual != expected.lower():
        return f"{algorithm} {expected} expected, {actual} there"
    return None


def extract(archive: str | Path, directory: str | Path, *, progress: bool = True) -> None:
    """Unpack a zip or tar archive, compressed or not.

    Files appear whole or not at all: they are unpacked beside and moved into place. Existing files
    of the same names are replaced, others stay.

    Args:
        archive: the file, told by its content, not by its name.
        directory: where to unpack; made if missing.
        progress: whether to show a progress bar.

    Raises:
        DataError: the archive is missing, damaged or truncated, or a member would be written
            outside the directory.

    Example:
        >>> extract("nowhere.zip", "data")
        Traceback (most recent call last):
        detseg.errors.DataError: no archive at nowhere.zip
    """
    archive, directory = Path(archive), Path(directory)
    if not archive.is_file():
        raise DataError(f"no archive at {archive}")
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=directory) as staging:
        try:
            members = _unpack(archive, Path(staging))
            for _ in tqdm(members, desc=archive.name, unit=" files", disable=not progress):
                pass
        except _BAD_ARCHIVE as error:
            raise DataError(
                f"{archive} cannot be unpacked ({type(error).__name__}: {error});"
                " remove it to download it again"
            ) from error
        for source in sorted(Path(staging).rglob("*")):
            target = directory / source.relative_to(staging)
            if source.is_dir() and not source.is_symlink():
                target.mkdir(exist_ok=True)
            else:
                source.replace(target)


def _unpack(archive: Path, directory: Path) -> Iterator[str]:
    """Unpack member by member, yielding each one's name."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                # Read as Windows would: it takes both kinds of slash, and drives.
                path = PureWindowsPath(entry.filename)
                if path.anchor or ".." in path.parts:
                    raise zipfile.BadZipFile(f"{entry.filename!r} would leave the folder")
                opened.extract(entry, directory)  # verifies the member's CRC
                yield entry.filename
        return
    if not tarfile.is_tarfile(archive):
        raise tarfile.ReadError("neither a whole zip archive nor the start of a tar one")
    with tarfile.open(archive) as opened_tar:
        for member in opened_tar:
            opened_tar.extract(member, directory, filter="data")
            yield member.name
        # An archive that is cut off or overwritten between two members reads like a complete one
        # but for its end mark, a block of zeros.
        assert opened_tar.fileobj is not None
        opened_tar.fileobj.seek(opened_tar.offset)
        if opened_tar.fileobj.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
            raise tarfile.ReadError("the end of the archive is missing")
        while opened_tar.fileobj.read(_PIECE):  # a compression's checksum is behind its last byte
            pass
