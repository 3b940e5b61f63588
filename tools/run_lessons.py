"""Run lessons and store their outputs: `python tools/run_lessons.py [notebook ...]` (maintainers).

What differs from machine to machine (versions, times) is left out of the stored file.
"""

import os
import shutil
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

# What JupyterLab writes, but for the version; "Export as Executable Script" needs it.
PYTHON = {
    "name": "python",
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
}
ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS, WORK = ROOT / "notebooks", ROOT / "my" / "work-outputs"

if __name__ == "__main__":
    os.environ["OPENBLAS_CORETYPE"] = "Haswell"  # the stored figures are those of these kernels
    os.environ["LAB_WORK"] = WORK.name
    os.environ["LAB_DOCKER"] = "0"  # lesson 8 shows what was recorded
    for path in map(Path, sys.argv[1:] or sorted(NOTEBOOKS.glob("*.ipynb"))):
        shutil.rmtree(WORK, ignore_errors=True)  # each lesson runs alone
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(
            notebook,
            timeout=120,
            record_timing=False,
            coalesce_streams=True,  # however many pieces a program prints
            resources={"metadata": {"path": NOTEBOOKS}},
        ).execute()
        for cell in notebook.cells:
            if "nbval-ignore-output" in cell.metadata.get("tags", []):
                cell.outputs = []  # it speaks of this machine
        notebook.metadata.language_info = PYTHON
        nbformat.write(notebook, path)
        print(path.name)
    shutil.rmtree(WORK, ignore_errors=True)
