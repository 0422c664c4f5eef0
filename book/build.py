"""Build the book: `python book/build.py`.

Reads `_config.yml`, `_toc.yml`, `book/` and the students' notebooks in `build/release/`; writes the
site to `build/html/`. Works without network. Whatever is wrong stops it: a failing cell, a warning,
a figure without alternative text, a dead link, something loaded from another host.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(_HERE / "_ext"))

from coursebook.problems import BookError  # noqa: E402
from coursebook.publication import read_publication  # noqa: E402
from coursebook.site import Outcome, build_site  # noqa: E402
from coursebook.staging import Sources  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Returns:
        0 if the site is there and good, 1 if something is wrong with the book.
    """
    root = _HERE.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--root", type=Path, default=root, help="folder of _config.yml, _toc.yml and book/"
    )
    parser.add_argument(
        "--release", type=Path, help="the students' notebooks (default: ROOT/build/release)"
    )
    parser.add_argument("--out", type=Path, help="folder of the site (default: ROOT/build/html)")
    options = parser.parse_args(arguments)
    options.root = options.root.resolve()
    release = (options.release or options.root / "build" / "release").resolve()
    site = (options.out or options.root / "build" / "html").resolve()
    started = time.monotonic()
    try:
        publication = read_publication(options.root / "_config.yml", os.environ)
        outcome = build_site(Sources(options.root, release, publication), site)
    except BookError as error:
        count = len(error.problems)
        print(f"The book was not built: {count} problem{'s' if count > 1 else ''}", file=sys.stderr)
        for problem in error.problems:
            print(f"  {problem}", file=sys.stderr)
        return 1
    _tell(outcome, time.monotonic() - started)
    return 0


def _tell(outcome: Outcome, seconds: float) -> None:
    if not outcome.fresh:
        print(f"Up to date: {outcome.site / 'index.html'}")
        return
    for name, (took, now) in sorted(outcome.pages.items()):
        print(f"  {name:<24} {took:6.1f} s{'' if now else '  (cells unchanged, not run again)'}")
    print(f"Built in {seconds:.0f} s: {outcome.site / 'index.html'}")


if __name__ == "__main__":
    sys.exit(main())
