"""Which settings of the user's reach pip and uv when start.py installs the lab.

Those that say from where packages come do: index, certificates, proxy, timeouts, cache. All others
don't: a folder to install into, a user's scheme or a rule on versions would break the set-up or
make another environment than Pipfile.lock's.
"""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

# pip's settings, and the variable in which uv takes the same.
FROM_PIP = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_OFFLINE",
    "trusted-host": "UV_INSECURE_HOST",
    "keyring-provider": "UV_KEYRING_PROVIDER",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "retries": "UV_HTTP_RETRIES",
    "cache-dir": None,
    "use-feature": None,  # truststore, before pip 24.2
    "use-deprecated": None,  # legacy-certs
}
FROM_UV = re.compile(
    r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|INDEX_STRATEGY|INDEX_\w+_(USERNAME|PASSWORD)"
    r"|FIND_LINKS|OFFLINE|INSECURE_HOST|KEYRING_PROVIDER|SYSTEM_CERTS|NATIVE_TLS|HTTP_TIMEOUT"
    r"|HTTP_CONNECT_TIMEOUT|HTTP_RETRIES|CACHE_DIR|CONCURRENT_DOWNLOADS)"
)
FROM_UV_FILE = {
    *("index", "index-url", "extra-index-url", "index-strategy", "find-links", "no-index"),
    *("offline", "allow-insecure-host", "keyring-provider", "system-certs", "native-tls"),
    *("http-proxy", "https-proxy", "no-proxy", "cache-dir", "concurrent-downloads"),
}
# Of another Python, or of another environment that happens to be active.
FOREIGN = {
    *("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH"),
    *("PYTHONPLATLIBDIR", "PYTHONWARNINGS", "__PYVENV_LAUNCHER__"),
}


def without_foreign(variables: dict[str, str]) -> dict[str, str]:
    """Return environment variables without those of other Pythons and environments."""
    return {name: text for name, text in variables.items() if name not in FOREIGN}


def for_installing(variables: dict[str, str], folder: Path, pip: list[str]) -> dict[str, str]:
    """Return the environment variables with which pip and uv install the lab.

    `folder` takes uv's settings as a file; `pip` is pip's command, which is asked for its settings.
    """
    settings = settings_of_pip(pip, variables)
    result = {
        name: text
        for name, text in without_foreign(variables).items()
        if not name.startswith(("PIP_", "UV_")) or FROM_UV.fullmatch(name)
    }
    file = folder / "uv.toml"
    file.write_text(toml(settings_of_uv(variables)), encoding="utf-8")
    result |= {"PIP_CONFIG_FILE": os.devnull, "UV_CONFIG_FILE": str(file)}
    for name, text in settings.items():
        result["PIP_" + name.upper().replace("-", "_")] = text
        for_uv = FROM_PIP[name]
        if for_uv == "UV_OFFLINE" and text.lower() not in ("1", "true", "yes", "on"):
            continue
        if for_uv and not tells_uv(result, for_uv):
            # Several indexes are separated by blanks for both; several folders by commas for uv.
            result[for_uv] = ",".join(text.split()) if for_uv == "UV_FIND_LINKS" else text
    if "UV_INDEX" in result:  # like pip: any index may have the file, and the hash decides
        result.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return result


def tells_uv(variables, name):
    """Say whether the user has told uv itself what pip's setting would tell it."""
    same = {
        "UV_DEFAULT_INDEX": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
        "UV_INDEX": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
        "ALL_PROXY": ("ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy"),
    }
    return any(variables.get(each) for each in same.get(name, (name,)))


def settings_of_pip(pip: list[str], variables: dict[str, str]) -> dict[str, str]:
    """Return pip's settings that count here, from its files and the environment."""
    output = subprocess.check_output(
        [*pip, "config", "list"],
        env=without_foreign(variables) | {"PYTHONIOENCODING": "utf-8"},
        stderr=subprocess.DEVNULL,
    )
    lines = output.decode("utf-8", "replace").splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    settings = {}
    for section in ("global.", "install.", ":env:."):  # each before what overrides it
        for name in FROM_PIP:
            if section + name in values:
                settings[name] = ast.literal_eval(values[section + name]).strip()
    return settings


def settings_of_uv(variables: dict[str, str]) -> dict:
    """Return the settings that count here from uv's files: the system's, then the user's."""
    if sys.platform == "win32":
        folders = [variables.get("PROGRAMDATA"), variables.get("APPDATA")]
    else:
        home = variables.get("HOME")
        own = variables.get("XDG_CONFIG_HOME") or (home and Path(home, ".config"))
        system = (variables.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
        folders = ["/etc", *reversed(system), own]
    files = [Path(folder, "uv", "uv.toml") for folder in folders if folder]
    if "UV_CONFIG_FILE" in variables:
        files = [Path(variables["UV_CONFIG_FILE"])]
    settings = {}
    for file in files if not variables.get("UV_NO_CONFIG") else []:
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # not there, not readable, not TOML: uv alone would complain
        for values in (content, content.get("pip", {})):
            settings |= {name: values[name] for name in FROM_UV_FILE & set(values)}
    return settings


def toml(settings: dict) -> str:
    """Return settings as TOML, whose texts, numbers and lists are those of JSON."""

    def value(this):
        if isinstance(this, dict):
            return "{" + ", ".join(f"{name} = {value(one)}" for name, one in this.items()) + "}"
        if isinstance(this, list):
            return "[" + ", ".join(map(value, this)) + "]"
        return json.dumps(this)

    return "".join(f"{name} = {value(one)}\n" for name, one in settings.items())
