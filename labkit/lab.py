"""Open JupyterLab on the lab's first page: `python -m labkit.lab [JupyterLab's options]`.

Everything runs with the Python that runs this: JupyterLab, its notebooks, and its terminals, even
where a start-up file such as ~/.bashrc puts another Python first (conda's `(base)`, pyenv).
It writes into the environment's own folder only, and leaves the user's settings as they are.
"""

import importlib.util
import json
import os
import shutil
import sys
import sysconfig
from pathlib import Path

from labkit import ROOT

START_PAGE = "/lab/tree/notebooks/00_start_here.ipynb"
FOLDER = Path(sys.prefix) / "share" / "labkit"  # start-up files of terminals, JupyterLab's layout

# What a terminal runs last. Each value comes from `terminal_variables`, so nothing needs quoting.
SH_LINES = """\
unalias python python3 pip pip3 2>/dev/null
unset PYTHONHOME PYTHONPATH
export PATH="$LAB_PATH:$PATH"
cd "$LAB_ROOT"
"""
BASHRC = f"""\
for file in /etc/bash.bashrc ~/.bashrc; do
  if [ -f "$file" ]; then . "$file"; fi
done
{SH_LINES}PS1="(lab) $PS1"
"""
# zsh looks for its files in $ZDOTDIR: it finds these, and these read the user's own.
ZSHENV = """\
LAB_ZDOTDIR="$ZDOTDIR"
ZDOTDIR="${LAB_USER_ZDOTDIR:-$HOME}"
if [[ -f "$ZDOTDIR/.zshenv" ]]; then . "$ZDOTDIR/.zshenv"; fi
LAB_USER_ZDOTDIR="$ZDOTDIR"
ZDOTDIR="$LAB_ZDOTDIR"
"""
ZSHRC = f"""\
ZDOTDIR="$LAB_USER_ZDOTDIR"
HISTFILE="${{HISTFILE/#$LAB_ZDOTDIR/$ZDOTDIR}}"
if [[ -f "$ZDOTDIR/.zshrc" ]]; then . "$ZDOTDIR/.zshrc"; fi
{SH_LINES}PS1="(lab) $PS1"
"""
FISH = """\
functions --erase python python3 pip pip3
set --erase PYTHONHOME; set --erase PYTHONPATH
set --export PATH (string split : -- "$LAB_PATH") $PATH
cd "$LAB_ROOT"
"""
POWERSHELL = (
    "$env:PYTHONHOME = $env:PYTHONPATH = $null; "
    "$env:PATH = $env:LAB_PATH + ';' + $env:PATH; "
    "Set-Location -LiteralPath $env:LAB_ROOT"
)


def terminal_variables() -> dict[str, str]:
    """Return the environment variables with which JupyterLab starts its kernels and terminals."""
    # In a conda environment on Windows, Python and the other programs are in two folders.
    folders = dict.fromkeys([str(Path(sys.executable).parent), sysconfig.get_path("scripts")])
    variables = {
        "LAB_PATH": os.pathsep.join(folders),
        "LAB_ROOT": str(ROOT),
        "LAB_USER_ZDOTDIR": os.environ.get("ZDOTDIR", ""),
        "PATH": os.pathsep.join([*folders, os.environ.get("PATH", "")]),
        "JUPYTER_PREFER_ENV_PATH": "1",  # a kernel in the user's home must not come before ours
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # a debugger's warning at every kernel start
    }
    if sys.prefix != sys.base_prefix:
        variables["VIRTUAL_ENV"] = sys.prefix
        # Or Pipenv, tried in a folder of one's own, would change this environment.
        variables["PIPENV_IGNORE_VIRTUALENVS"] = "1"
    return variables


def terminal_command(shell: str, folder: Path = FOLDER) -> list[str]:
    """Return the command of a terminal that runs this environment's Python.

    `shell` is a program or its path. Writes the start-up files that it needs into `folder`;
    an unknown shell starts as it is.
    """
    name = Path(shell).stem
    files = {
        "bash": {"bashrc": BASHRC},
        "zsh": {"zsh/.zshenv": ZSHENV, "zsh/.zshrc": ZSHRC},
    }
    for path, text in files.get(name, {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    commands = {
        "bash": [shell, "--rcfile", str(folder / "bashrc")],
        "zsh": ["/usr/bin/env", f"ZDOTDIR={folder / 'zsh'}", shell],
        "fish": [shell, "--init-command", FISH],
        "powershell": [shell, "-NoExit", "-Command", POWERSHELL],
    }
    return commands.get(name, [shell])


def write_settings(folder: Path) -> Path:
    """Write JupyterLab's defaults for this lab; what the user has set in JupyterLab wins."""
    folder.mkdir(parents=True, exist_ok=True)
    # The lab needs no internet: no news, no question about them, and no look for updates.
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    overrides = {"@jupyterlab/apputils-extension:notification": quiet}
    (folder / "overrides.json").write_text(json.dumps(overrides), encoding="utf-8")
    return folder


def jupyter_options() -> list[str]:
    """Return JupyterLab's options for this lab."""
    shell = os.environ.get("SHELL") or shutil.which("bash") or "sh"
    if os.name == "nt":
        shell = "powershell.exe"
    options = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={ROOT}",
        f"--LabApp.default_url={START_PAGE}",
        f"--ServerApp.terminado_settings={ {'shell_command': terminal_command(shell)} }",
        "--Application.log_level=ERROR",  # the address stays
        "--KernelManager.transport_encryption=auto",  # or each kernel warns of it
        f"--LabApp.app_settings_dir={write_settings(FOLDER / 'settings')}",
        f"--LabApp.workspaces_dir={FOLDER / 'workspaces'}",  # no tabs of other projects
    ]
    if sys.platform == "linux":
        # Browsers in a sandbox (Ubuntu's snaps, Windows' from WSL) can't read Jupyter's redirect
        # file in the home folder: give them the address itself.
        options.append("--ServerApp.use_redirect_file=False")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")  # a container or a classroom machine
    return options


def without_repeated(options: list[str], arguments: list[str]) -> list[str]:
    """Return the options that the user's arguments don't set: JupyterLab refuses one set twice."""
    from jupyter_server.serverapp import aliases

    long = {f"--{short}": f"--{name}" for short, name in aliases.items()}
    given = [argument.partition("=")[0] for argument in arguments]
    given = {long.get(name, name) for name in given}
    return [option for option in options if option.partition("=")[0] not in given]


def main(arguments: list[str]) -> None:
    """Run JupyterLab until the user stops it."""
    if not importlib.util.find_spec("jupyterlab"):
        sys.exit(f"{sys.executable} has no JupyterLab: run start.py, which sets it up.")
    os.environ.update(terminal_variables())
    print(
        "JupyterLab opens in your browser; if it does not, copy the last address below into one.\n"
        "This window must stay open. To stop: press Ctrl+C here, then y and Enter.",
        flush=True,
    )
    from jupyterlab.labapp import LabApp  # takes seconds, so the words come first

    LabApp.launch_instance(without_repeated(jupyter_options(), arguments) + arguments)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
