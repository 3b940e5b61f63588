"""Open JupyterLab on the lab's first page: `python -m labkit.lab [JupyterLab's options]`.

First the learner's copies in my/ are made or brought up to date, unless a JupyterLab runs on them.

Everything runs with the Python that runs this: JupyterLab, its notebooks, and its terminals, even
where a start-up file such as ~/.bashrc puts another Python first (conda's `(base)`, pyenv).
It writes into the environment's own folder, or a temporary one where that belongs to somebody else,
and leaves the user's settings as they are.
"""

import atexit
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import suppress
from pathlib import Path

from labkit import MY, ROOT, LabError, copies, own_port
from labkit.set_up import nobody_else, say

START_PAGE = "/lab/tree/my/00_start_here.ipynb"

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
# sh, dash and ksh read the file that $ENV names.
SHRC = f"""\
if [ -f "$LAB_USER_ENV" ]; then . "$LAB_USER_ENV"; fi
{SH_LINES}PS1="(lab) $PS1"
"""
# csh and tcsh have no option for a file: they find theirs in $HOME, which is ours for a moment.
CSHRC = """\
setenv HOME "$LAB_USER_HOME"
set home = "$LAB_USER_HOME"
if ( $?tcsh && -f ~/.tcshrc ) then
  source ~/.tcshrc
else if ( -f ~/.cshrc ) then
  source ~/.cshrc
endif
unalias python python3 pip pip3
unsetenv PYTHONHOME
unsetenv PYTHONPATH
setenv PATH "${LAB_PATH}:${PATH}"
cd "$LAB_ROOT"
if ( $?prompt ) set prompt = "(lab) $prompt"
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


def can_write(folder: Path) -> bool:
    """Say whether this folder, or the first one above it that is there, can be written in."""
    while not os.access(folder, os.F_OK) and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def own_folder() -> Path:
    """Return the folder of terminals' start-up files and of JupyterLab's layout."""
    folder = Path(sys.prefix, "share", "labkit")
    if can_write(folder):
        return folder
    try:
        folder = Path(tempfile.mkdtemp(prefix="labkit-"))
    except OSError:
        sys.exit("There is no folder for temporary files: set TMPDIR to a folder of your own.")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def replace_unwritable(folder: Path) -> None:
    """Name folders in `folder` where those in which Jupyter and others write can't be used.

    That is so where the home folder is read-only, another user's, or missing. The settings in
    ~/.jupyter are only read, so they stay in force.
    """
    if os.name != "nt" and not os.environ.get("HOME"):
        os.environ.pop("HOME", None)  # it may be empty
        try:
            os.environ["HOME"] = str(Path.home())
        except RuntimeError:  # a user without an entry in the system's list, as in containers
            os.environ["HOME"] = str(folder / "home")
    from jupyter_core import paths

    home, jupyterlab = Path.home(), Path(paths.jupyter_config_dir(), "lab", "user-settings")
    places = {
        "JUPYTER_DATA_DIR": paths.jupyter_data_dir(),
        "JUPYTER_RUNTIME_DIR": paths.jupyter_runtime_dir(),
        "JUPYTERLAB_SETTINGS_DIR": os.environ.get("JUPYTERLAB_SETTINGS_DIR") or jupyterlab,
        "IPYTHONDIR": os.environ.get("IPYTHONDIR") or home / ".ipython",
        "MPLCONFIGDIR": os.environ.get("MPLCONFIGDIR") or home / ".config" / "matplotlib",
        "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or home / ".cache",
        "XDG_DATA_HOME": os.environ.get("XDG_DATA_HOME") or home / ".local" / "share",
    }
    if os.access(jupyterlab, os.R_OK):
        del places["JUPYTERLAB_SETTINGS_DIR"]
    for name, place in places.items():
        if not can_write(Path(place).expanduser()):
            os.environ[name] = str(folder / "home" / name.lower())
            Path(os.environ[name]).mkdir(mode=0o700, parents=True, exist_ok=True)


def terminal_variables() -> dict[str, str]:
    """Return the environment variables with which JupyterLab starts its kernels and terminals."""
    # In a conda environment on Windows, Python and the other programs are in two folders.
    folders = dict.fromkeys([str(Path(sys.executable).parent), sysconfig.get_path("scripts")])
    variables = {
        "LAB_PATH": os.pathsep.join(folders),
        "LAB_ROOT": str(ROOT),
        "LAB_USER_ENV": os.path.expandvars(os.environ.get("ENV", "")),
        "LAB_USER_HOME": os.environ.get("HOME", ""),
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


def terminal_command(shell: str, folder: Path) -> list[str]:
    """Return the command of a terminal that runs this environment's Python.

    `shell` is a program or its path. Writes the start-up files that it needs into `folder`;
    an unknown shell starts as it is.
    """
    files = {
        "bashrc": BASHRC,
        "shrc": SHRC,
        "csh/.cshrc": CSHRC,
        "zsh/.zshenv": ZSHENV,
        "zsh/.zshrc": ZSHRC,
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return shell_commands(shell, folder).get(Path(shell).stem, [shell])


def shell_commands(shell: str, folder: Path) -> dict[str, list[str]]:
    """Return the command for each name of a shell that is known here."""
    sh = ["/usr/bin/env", f"ENV={folder / 'shrc'}", shell]
    csh = ["/usr/bin/env", f"HOME={folder / 'csh'}", shell]
    return {
        "bash": [shell, "--rcfile", str(folder / "bashrc")],
        "zsh": ["/usr/bin/env", f"ZDOTDIR={folder / 'zsh'}", shell],
        "fish": [shell, "--init-command", FISH],
        "powershell": [shell, "-NoExit", "-Command", POWERSHELL],
        **dict.fromkeys(("sh", "dash", "ash", "ksh", "mksh"), sh),
        **dict.fromkeys(("csh", "tcsh"), csh),
    }


def find_shell() -> str:
    """Return the user's shell, or another where that is missing or lets nobody in."""
    if os.name == "nt":
        return "powershell.exe"
    known = shell_commands("", Path())
    for shell in (os.environ.get("SHELL", ""), "bash", "zsh"):
        program = shutil.which(shell)
        if program and (Path(program).stem in known or runs_commands(program)):
            return program
    return "sh"


def runs_commands(program: str) -> bool:
    """Say whether a program is a shell; /bin/false, nologin and the like are none."""
    try:
        output = subprocess.run(
            [program, "-c", "echo lab"], stdin=subprocess.DEVNULL, capture_output=True, timeout=10
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    return output.strip() == b"lab"


def write_settings(folder: Path) -> Path:
    """Write JupyterLab's defaults for this lab; what the user has set in JupyterLab wins."""
    folder.mkdir(parents=True, exist_ok=True)
    # The lab needs no internet: no news, no question about them, and no look for updates.
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    overrides = {
        "@jupyterlab/apputils-extension:notification": quiet,
        # Room for whole names, as in `write_layout`.
        "@jupyterlab/filebrowser-extension:browser": {"showLastModifiedColumn": False},
    }
    (folder / "overrides.json").write_text(json.dumps(overrides), encoding="utf-8")
    return folder


def write_layout(folder: Path) -> Path:
    """Make JupyterLab's file browser wide enough for the lab's names, unless a layout is there."""
    file = folder / "default-37a8.jupyterlab-workspace"  # as JupyterLab calls its usual one
    if not file.exists():
        left = {"current": "filebrowser", "widgets": ["filebrowser"], "visible": True}
        layout = {"left": left | {"collapsed": False}, "relativeSizes": [0.24, 0.76, 0]}
        workspace = {"data": {"layout-restorer:data": layout}, "metadata": {"id": "default"}}
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(workspace), encoding="utf-8")
    return folder


def jupyter_options(folder: Path) -> list[str]:
    """Return JupyterLab's options for this lab; its own files go into `folder`."""
    terminal = {"shell_command": terminal_command(find_shell(), folder)}
    options = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={ROOT}",
        f"--LabApp.default_url={START_PAGE}",
        f"--ServerApp.terminado_settings={terminal}",
        "--Application.log_level=ERROR",  # the address stays
        "--LabApp.extension_manager=readonly",  # no click installs beside what is locked
        "--KernelManager.transport_encryption=auto",  # or each kernel warns of it
        f"--LabApp.app_settings_dir={write_settings(folder / 'settings')}",
        f"--LabApp.workspaces_dir={write_layout(folder / 'workspaces')}",  # no other project's tabs
    ]
    if sys.platform == "linux":
        # Browsers in a sandbox (Ubuntu's snaps, Windows' from WSL) can't read Jupyter's redirect
        # file in the home folder: give them the address itself.
        options.append("--ServerApp.use_redirect_file=False")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")  # a container or a classroom machine
    return options


# --- The learner's copies and port ---


def prepare() -> None:
    """Settle the learner's port and bring the copies in my/ up to date.

    Ends with a sentence when the chosen port is none, or when there is no copy to open.
    """
    start_page = MY / "00_start_here.ipynb"
    try:
        port = own_port()
    except LabError as error:
        sys.exit(str(error))
    try:
        if start_page.exists() and is_running():
            say(
                "A JupyterLab runs in this folder already, so the lessons and labs in my/ stay as "
                "they are: to get what is new in them, or another port, stop it, then start again."
            )
            os.environ.pop("LAB_PORT", None)  # they say the one that is kept
            port = own_port()
        else:
            with nobody_else():  # of two starts at the same time, the second finds all done
                port = settle_port(own_port())
                copies.update(say)
    except LabError as error:
        if not start_page.exists():
            sys.exit(str(error))
        say(str(error))
    # For notebooks and their checks, and for scripts in a terminal.
    if port != 9696 or "PORT" in os.environ:
        os.environ.update(LAB_PORT=str(port), PORT=str(port))


def is_running() -> bool:
    """Say whether a JupyterLab of this user's shows my/: runs there or on a folder above it."""
    from jupyter_server.serverapp import list_running_servers

    shown_by = (MY.resolve(), *MY.resolve().parents)
    for server in list_running_servers():  # their processes are there, or other ones by now
        with suppress(OSError, LookupError, TypeError, ValueError):
            if Path(server["root_dir"]).resolve() in shown_by and answers(server):
                return True
    return False


def answers(server: dict) -> bool:
    """Say whether anything listens where a Jupyter server has noted that it does."""
    if server["sock"]:
        return Path(server["sock"]).exists()
    everywhere = server["hostname"] in ("*", "0.0.0.0", "::")
    host = "localhost" if everywhere else server["hostname"]
    with suppress(OSError), socket.create_connection((host, server["port"]), timeout=2):
        return True
    return False


def settle_port(port: int) -> int:
    """Return the learner's port, and keep it in my/port.txt unless it is simply 9696.

    port: what `own_port` says. Where nobody has chosen one and 9696 is another user's, a free one
    is taken. Raises LabError when my/ can't be written.
    """
    file = MY / "port.txt"
    if not (os.environ.get("LAB_PORT") or file.exists()):
        if not is_another_users(port):
            return port
        from labkit.service import spare_port

        port = spare_port()
        say(
            f"Port 9696 is another user's here, so your lab uses {port} (my/port.txt keeps it; "
            "LAB_PORT changes it)."
        )
    try:
        if not (file.exists() and file.read_bytes().strip() == str(port).encode()):
            MY.mkdir(exist_ok=True)
            copies.save(file, f"{port}\n".encode())
    except OSError as error:
        raise LabError(
            f"{file} can't be written ({error}): make sure that the folder is yours and the disk "
            "has room, then run this again."
        ) from None
    os.environ["LAB_PORT"] = str(port)
    return port


def is_another_users(port: int) -> bool:
    """Say whether another user's program listens on a port of this machine.

    On Linux root's don't count: Docker hands on the ports of this user's own containers as root.
    """
    from labkit import service

    if not service.is_open(port):
        return False
    if sys.platform == "linux":
        users = listening_users(port)
        return bool(users - {0}) and os.getuid() not in users
    return not any(map(service.is_mine, service.listeners(port)))


def listening_users(port: int) -> set[int]:
    """Return the ids of the users who listen on a port; Linux alone tells of others'."""
    users = set()
    for name in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in Path("/proc/net", name).read_text(encoding="ascii").splitlines()[1:]:
                words = line.split()
                if words[3] == "0A" and int(words[1].rpartition(":")[2], 16) == port:  # it listens
                    users.add(int(words[7]))
    return users


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
    folder = own_folder()
    replace_unwritable(folder)
    os.environ.update(terminal_variables())
    print(
        "If JupyterLab does not open in your browser, copy the last address below into one.\n"
        "This window must stay open. To stop: press Ctrl+C here, then y and Enter.",
        flush=True,
    )
    from jupyter_server.serverapp import ServerApp  # takes seconds, so the words come first

    # Its module for installing extensions ends everything where it can't use the proxy, as SOCKS.
    proxies = {name: os.environ.pop(name) for name in list(os.environ) if is_proxy(name)}
    from jupyterlab.labapp import LabApp

    os.environ.update(proxies)
    prepare()

    class Server(ServerApp):
        """Jupyter's server; it says its address also where it has not made up a token itself."""

        def migrate_config(self):
            pass  # what IPython 3 left in 2015; it fails where ~/.jupyter can't be written

        def start_app(self):
            super().start_app()
            if not (self.identity_provider.token and self.identity_provider.token_generated):
                print(address(self), flush=True)

    LabApp.serverapp_class = Server
    LabApp.launch_instance(without_repeated(jupyter_options(folder), arguments) + arguments)


def is_proxy(name: str) -> bool:
    return name.lower() in ("http_proxy", "https_proxy", "all_proxy")


def address(server) -> str:
    """Return where a server answers, without its token, and what it asks for."""
    everywhere = server.ip in ("", "*", "0.0.0.0", "::")
    url = (server.local_url if everywhere else server.public_url).partition("?")[0]
    asks = (
        "It asks for the password or token of your own Jupyter settings."
        if server.identity_provider.auth_enabled
        else "It asks for no password, as your own Jupyter settings say: whoever can reach this "
        "address can do there what you can."
    )
    return f"JupyterLab answers at\n    {url}\n{asks}"


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
