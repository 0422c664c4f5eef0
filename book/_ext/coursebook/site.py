"""From sources to a checked site: stage, run Jupyter Book, add the notebooks, check, publish."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from coursebook.fingerprint import execution_key, files_below, fingerprint
from coursebook.problems import BookError, Problem
from coursebook.staging import Sources


@dataclass(frozen=True)
class Outcome:
    """What a successful build has to tell.

    Args:
        site: its top folder.
        fresh: whether anything had to be done.
        pages: per page with cells, how long they took and whether that was now.
    """

    site: Path
    fresh: bool
    pages: dict[str, tuple[float, bool]]


def build_site(sources: Sources, site: Path) -> Outcome:
    """Build the site, unless what is there was made from the very same files.

    Args:
        sources: where the book comes from.
        site: folder of the site; its working folders lie beside it.

    Returns:
        What was done.

    Raises:
        BookError: with everything that is wrong; then there is no site.
    """
    work = site.parent / "book-work"
    work.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(work / "lock", timeout=0):
            return _build(sources, site, work)
    except Timeout:
        what = "another build is at work here; wait for it, or give this one an `--out` of its own"
        raise BookError(Problem(str(work), what)) from None


def _build(sources: Sources, site: Path, work: Path) -> Outcome:
    stamp = work / "stamp.json"
    key = f"{fingerprint(sources.inputs)} {sources.publication}"
    if _is_up_to_date(stamp, key, site):
        return Outcome(site, fresh=False, pages={})
    stamp.unlink(missing_ok=True)
    # A site that no longer matches its sources is not left standing: it would be taken for good.
    shutil.rmtree(site, ignore_errors=True)
    started = time.time()
    made, report = _make_site(sources, site.parent / "book-src", work)
    made.rename(site)
    stamp.write_text(json.dumps({"key": key, "files": _listing(site)}), encoding="utf-8")
    times = json.loads(report.read_text(encoding="utf-8"))["pages"]
    return Outcome(
        site,
        fresh=True,
        pages={name: (page["seconds"], page["at"] >= started) for name, page in times.items()},
    )


def _make_site(sources: Sources, staged: Path, work: Path) -> tuple[Path, Path]:
    """Stage, run Jupyter Book, add the notebooks, check. Returns the site and the times' file."""
    # Seconds to import, so not when the site is up to date.
    from coursebook.citations import read_bibliography
    from coursebook.downloads import page_notebooks, write_notebooks
    from coursebook.jupyterbook import Workplace, run_jupyter_book
    from coursebook.pages import Pages, read_pages
    from coursebook.sheets import find_sheets
    from coursebook.site_checks import check_site
    from coursebook.staging import stage
    from coursebook.weight import drop_search_scripts, drop_unused_icons

    sheets = find_sheets(sources.release)
    pages = Pages(
        read_pages(sources.book),
        other_titles={f"exercises/{sheet.name}": sheet.title for sheet in sheets.values()},
    )
    bibliography = read_bibliography(sources.book)
    stage(sources, staged, pages.by_name.values(), sheets.values())
    # Before the cells run, which takes long: what has no form in plain Markdown is known now.
    notebooks = page_notebooks(pages, sheets, bibliography)
    place = Workplace(
        source=staged,
        output=work / "html",
        doctrees=work / "doctrees",
        execution=_execution_cache(work, execution_key(sources.root)),
        ipython=work / "ipython",
        report=work / "times.json",
        packages=sources.root,
    )
    # Sphinx would not look again at a page that has not changed, broken or not.
    for folder in (place.output, place.doctrees, work / "jupyter_execute"):
        shutil.rmtree(folder, ignore_errors=True)
    with_cells = [staged / f"{name}.md" for name, page in pages.by_name.items() if page.cell_lines]
    problems = run_jupyter_book(place, with_cells, sources, list(notebooks))
    if problems:
        raise BookError(problems)
    notebooks = page_notebooks(pages, sheets, bibliography, work / "jupyter_execute")
    write_notebooks(notebooks, place.output, sources.publication)
    (place.output / ".buildinfo").unlink(missing_ok=True)
    drop_unused_icons(place.output)
    drop_search_scripts(place.output)
    problems = check_site(place.output)
    if problems:
        raise BookError(problems)
    return place.output, place.report


def _execution_cache(work: Path, key: str) -> Path:
    """The cache of executed cells for this state of `detseg` and data; older ones are removed."""
    caches = work / "execution"
    for old in caches.glob("*"):
        if old.name != key:
            shutil.rmtree(old)
    return caches / key


def _is_up_to_date(stamp: Path, key: str, site: Path) -> bool:
    """Whether the site was made from the same files, and nothing of it is missing or changed."""
    if not stamp.is_file() or not site.is_dir():
        return False
    try:
        made = json.loads(stamp.read_text(encoding="utf-8"))
    except json.JSONDecodeError:
        return False
    return made.get("key") == key and made.get("files") == _listing(site)


def _listing(site: Path) -> dict[str, int]:
    """Names and sizes of a site's files."""
    return {file.relative_to(site).as_posix(): file.stat().st_size for file in files_below(site)}
