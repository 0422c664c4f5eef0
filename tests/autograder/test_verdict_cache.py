"""A verdict holds as long as nothing that it depends on has changed."""

from autograder import verdict_cache
from autograder.verdict_cache import VerdictCache, key_of


def test_what_was_saved_is_known_the_next_time(tmp_path):
    path = tmp_path / "deep" / "sums.json"
    first = VerdictCache(path)
    assert first.get("a") is None
    first.put("a", [{"verdict": "pass"}])
    first.save(whole=True)
    assert VerdictCache(path).get("a") == [{"verdict": "pass"}]


def test_what_is_not_used_any_more_is_dropped_unless_the_run_was_broken_off(tmp_path):
    path = tmp_path / "sums.json"
    cache = VerdictCache(path)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.save(whole=True)
    broken_off = VerdictCache(path)
    broken_off.get("a")
    broken_off.save(whole=False)
    assert VerdictCache(path).get("b") == 2
    whole = VerdictCache(path)
    whole.get("a")
    whole.save(whole=True)
    assert VerdictCache(path).get("b") is None


def test_a_fresh_start_knows_nothing(tmp_path):
    cache = VerdictCache(tmp_path / "sums.json")
    cache.put("a", 1)
    cache.save(whole=True)
    assert VerdictCache(tmp_path / "sums.json", fresh=True).get("a") is None


def test_a_broken_file_is_an_empty_one(tmp_path):
    for text in ("", "{", "[]", "\0"):
        (tmp_path / "sums.json").write_text(text)
        assert VerdictCache(tmp_path / "sums.json").get("a") is None


def test_a_key_is_of_all_its_parts_and_of_the_grader(monkeypatch):
    assert key_of("a", "b") == key_of("a", "b")
    assert len({key_of("a", "b"), key_of("ab"), key_of("a", "b", ""), key_of("b", "a")}) == 4
    before = key_of("a")
    monkeypatch.setattr(verdict_cache, "grader_version", lambda: "another")
    assert key_of("a") != before
