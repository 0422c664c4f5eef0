"""Run the cells of several pages at a time, before Sphinx reads the pages one after the other."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from jupyter_cache.executors.utils import ExecutionResult, single_nb_execution
from jupyter_core.utils import ensure_event_loop
from myst_nb.core.read import myst_nb_reader_plugin
from nbformat import NotebookNode
from tqdm import tqdm

# A kernel with torch and a small network takes one or two GB.
_MOST_AT_ONCE = 4


def execute_pages(pages: Iterable[Path], cache_folder: Path, seconds: int) -> None:
    """Put executed pages into the cache where Sphinx looks for them.

    A page that fails is not kept: Sphinx runs it once more and tells what is wrong with it.

    Args:
        pages: files with cells.
        cache_folder: jupyter-cache's; pages that are in it already are not run.
        seconds: limit of a cell.
    """
    cache = get_cache(cache_folder)

    def is_missing(notebook: NotebookNode) -> bool:
        try:
            cache.match_cache_notebook(notebook)
        except KeyError:
            return True
        return False

    def execute(page: Path, notebook: NotebookNode) -> ExecutionResult:
        try:
            return single_nb_execution(notebook, str(page.parent), seconds, allow_errors=False)
        finally:
            ensure_event_loop().close()  # the one of this thread, which nobody else closes

    notebooks = {page: myst_nb_reader_plugin(str(page)) for page in pages}
    todo = {page: notebook for page, notebook in notebooks.items() if is_missing(notebook)}
    if not todo:
        return
    at_once = min(os.cpu_count() or 1, _MOST_AT_ONCE)
    # Not `sys.stderr`: there the builder collects what Sphinx says.
    bar = tqdm(total=len(todo), desc="run pages", unit="page", file=sys.__stderr__)
    with bar, ThreadPoolExecutor(at_once) as pool:
        running = {pool.submit(execute, *item): item[0] for item in todo.items()}
        try:
            for future in as_completed(running):
                result, page = future.result(), running[future]
                if result.err is None:
                    times = {"execution_seconds": result.time}
                    bundle = CacheBundleIn(result.nb, str(page), data=times)
                    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
                bar.set_postfix_str(page.stem)
                bar.update()
        finally:
            pool.shutdown(cancel_futures=True)  # after Ctrl-C no other page begins
