"""Grading on Dask's workers: the same verdicts, written by the same one process."""

import shutil

import pytest
from made_up import hand_in, handed_in
from nbgrader.api import Gradebook

from autograder.course import Course
from autograder.errors import AutograderError
from autograder.grade_class import _executor, grade_class


def without_time(verdicts: list[dict]) -> list[dict]:
    return [verdict | {"seconds": 0.0} for verdict in verdicts]


def test_a_cluster_gives_the_same_verdicts(graded_class, prepared, sheet, tmp_path):
    from distributed import LocalCluster

    root = shutil.copytree(prepared, tmp_path / "course")
    shutil.copytree(graded_class.course.root / "submitted", root / "submitted")
    course = Course(root)
    with LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        result = grade_class(course, [sheet], jobs=1, cluster=address, progress=False)
        hand_in(root, "frida", handed_in(sheet))
        more = grade_class(course, [sheet], jobs=1, cluster=address, progress=False)
        with _executor(1, address) as (_, threads):
            assert threads() == 2, "as many at a time as the cluster has, not as --jobs says"
    assert result.failed == []
    assert without_time(course.verdicts(sheet.name))[:5] == without_time(
        graded_class.course.verdicts(sheet.name)
    )
    assert (more.graded, more.unchanged, more.failed) == (1, 5, [])
    assert course.verdicts(sheet.name)[5]["score"] == 8.5
    with Gradebook(course.database) as gradebook:
        found = gradebook.assignment_submissions(sheet.name)
        assert {s.student.id: s.score for s in found} == graded_class.scores | {"frida": 8.5}


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nowhere://x"])
def test_a_cluster_that_does_not_answer(root, sheet, address, monkeypatch):
    import distributed

    def refuse(address, timeout):
        assert timeout == 10
        return client(address, timeout=1)

    client = distributed.Client
    monkeypatch.setattr(distributed, "Client", refuse)
    hand_in(root, "ada", b"")
    with pytest.raises(AutograderError, match=f"no Dask scheduler answers at {address}: "):
        grade_class(Course(root), [sheet], jobs=1, cluster=address, progress=False)
