"""The environment in which the pages' kernels run.

What stands here can change what cells put out, so results are kept for this very file.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

# Pictures have two pixels for one of the page's, to be crisp on fine screens. Each kernel would
# else warn on the terminal that it talks over a plain local socket.
_SETTINGS = """\
c.InlineBackend.figure_formats = {"retina"}
c.IPKernelApp.log_level = "ERROR"
"""
# A page shows results, not how they came about. `TQDM_DISABLE` stops the bars that write to
# stderr; those made for notebooks do not heed it.
_NO_NOTEBOOK_BARS = """\
from functools import partialmethod

from tqdm.notebook import tqdm_notebook

tqdm_notebook.__init__ = partialmethod(tqdm_notebook.__init__, disable=True)
"""


@contextlib.contextmanager
def kernels_environment(ipython: Path, packages: Path) -> Iterator[None]:
    """Let the kernels that start meanwhile be those of a page.

    Args:
        ipython: folder for their settings, so that the author's own take no part.
        packages: folder with `detseg`.
    """
    profile = ipython / "profile_default"
    (profile / "startup").mkdir(parents=True, exist_ok=True)
    (profile / "ipython_kernel_config.py").write_text(_SETTINGS)
    (profile / "startup" / "no_bars.py").write_text(_NO_NOTEBOOK_BARS)
    old = dict(os.environ)
    os.environ["IPYTHONDIR"] = str(ipython)
    paths = [str(packages), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    os.environ["TQDM_DISABLE"] = "1"
    # The networks are small: a second thread helps them little, another page beside them a lot.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # the debugger's greeting is no result
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(old)
