"""One submission as it lies in a course folder."""

import pytest
from made_up import NAME, hand_in

from autograder.errors import AutograderError
from autograder.submission import Submission


def test_a_submission_is_read_as_it_is(tmp_path):
    folder = hand_in(tmp_path, "ada", b"\xff\x00", "  2026-03-01 12:00:00 UTC\n")
    submission = Submission("ada", NAME, folder)
    assert submission.read() == b"\xff\x00"
    assert submission.timestamp == "2026-03-01 12:00:00 UTC"


@pytest.mark.parametrize("content", [b"", b" \n"])
def test_an_empty_time_is_none(tmp_path, content):
    folder = hand_in(tmp_path, "ada", b"")
    (folder / "timestamp.txt").write_bytes(content)
    assert Submission("ada", NAME, folder).timestamp is None


@pytest.mark.parametrize("content", [b"\xff\xfe", b"soon", b"x" * 10**6])
def test_a_time_that_is_none_is_refused(tmp_path, content):
    folder = hand_in(tmp_path, "ada", b"")
    (folder / "timestamp.txt").write_bytes(content)
    with pytest.raises(AutograderError, match=r"timestamp\.txt: '.{2,80}' is no time"):
        _ = Submission("ada", NAME, folder).timestamp


def test_a_digest_tells_apart_whatever_a_grade_depends_on(tmp_path, monkeypatch):
    submission = Submission("ada", NAME, hand_in(tmp_path, "ada", b""))
    digests = [
        submission.digest("sheet", b"data"),
        submission.digest("sheet2", b"data"),
        submission.digest("sheet", b"data2"),
        submission.digest("sheetd", b"ata"),
    ]
    hand_in(tmp_path, "ada", b"", "2026-03-01 12:00:00 UTC")
    digests.append(submission.digest("sheet", b"data"))
    digests.append(submission.digest("sheet", b"data", locked=False))
    for files in ({"a": b"b"}, {"a": b""}, {"ab": b""}, {"a": b"", "b": b""}):
        digests.append(submission.digest("sheet", b"data", files))
    assert submission.digest("sheet", b"data", {}) == digests[4]
    monkeypatch.setattr("autograder.submission.grader_version", lambda: "another")
    digests.append(submission.digest("sheet", b"data"))
    assert len(set(digests)) == len(digests) == 11


def test_files_beside_the_notebook(tmp_path):
    folder = hand_in(tmp_path, "ada", b"")
    (folder / "fits").write_bytes(b"12345")
    (folder / "large").write_bytes(b"12345678")
    (folder / "link").symlink_to(folder / "fits")
    (folder / "folder").mkdir()
    allowed = dict.fromkeys(("fits", "large", "link", "folder", "absent"), 5)
    # Of a large file as much is read as shows that it is.
    found = Submission("ada", NAME, folder).read_files(allowed)
    assert found == {"fits": b"12345", "large": b"123456"}
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert Submission("ada", NAME, link).read_files(allowed) == {}
