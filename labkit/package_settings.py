"""Which settings of the user's reach pip and uv when start.py installs the lab.

Those that say from where packages come do: index, certificates, proxy, timeouts, cache. All others
don't: a folder to install into, a user's scheme or a rule on versions would break the set-up or
make another environment than Pipfile.lock's. What only one of the two has been told, the other
learns.
"""

import configparser
import contextlib
import os
import re
import tomllib
from pathlib import Path
from urllib.parse import quote, urlsplit

WINDOWS = os.name == "nt"
# Of another Python, or of another environment that happens to be active.
FOREIGN = {
    *("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH"),
    *("PYTHONPLATLIBDIR", "PYTHONWARNINGS", "__PYVENV_LAUNCHER__"),
}
# What the names of the installers' settings begin with.
INSTALLERS = ("PIP_", "UV_", "PYTHON", "SETUPTOOLS_", "DISTUTILS_", "DIST_EXTRA_CONFIG")
SAME = {  # a variable of pip's, and uv's for the same
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_TRUSTED_HOST": "UV_INSECURE_HOST",
    "PIP_KEYRING_PROVIDER": "UV_KEYRING_PROVIDER",
    "PIP_CERT": "SSL_CERT_FILE",
    "PIP_CLIENT_CERT": "SSL_CLIENT_CERT",
    "PIP_TIMEOUT": "UV_HTTP_TIMEOUT",
    "PIP_RETRIES": "UV_HTTP_RETRIES",
}
OLDER = {  # names that either tool also takes
    "PIP_DEFAULT_TIMEOUT": "PIP_TIMEOUT",
    "UV_INDEX_URL": "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL": "UV_INDEX",
}
UV_FILE = {  # uv's settings in a file that count here, and their variables
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "index-strategy": "UV_INDEX_STRATEGY",
    "find-links": "UV_FIND_LINKS",
    "no-index": "PIP_NO_INDEX",  # uv has only an option
    "offline": "UV_OFFLINE",
    "allow-insecure-host": "UV_INSECURE_HOST",
    "keyring-provider": "UV_KEYRING_PROVIDER",
    "system-certs": "UV_SYSTEM_CERTS",
    "native-tls": "UV_NATIVE_TLS",
    "http-proxy": "HTTP_PROXY",
    "https-proxy": "HTTPS_PROXY",
    "no-proxy": "NO_PROXY",
    "cache-dir": "UV_CACHE_DIR",
    "concurrent-downloads": "UV_CONCURRENT_DOWNLOADS",
}
ALLOWED = {
    *(*SAME, *SAME.values(), *UV_FILE.values(), "PIP_PROXY", "PIP_CACHE_DIR"),
    *("PIP_USE_FEATURE", "PIP_USE_DEPRECATED"),  # which certificates an older, a newer pip trusts
    *("UV_HTTP_CONNECT_TIMEOUT", "UV_CREDENTIALS_DIR"),
}
NO = ("0", "false", "no", "off")
PLACES = {  # what a packed folder takes the place of
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_DEFAULT_INDEX", "UV_INDEX"),
    *("UV_FIND_LINKS", "UV_OFFLINE"),
}
LOGIN = re.compile(r"UV_INDEX_\w+_(USERNAME|PASSWORD)")


def without_foreign(variables: dict[str, str]) -> dict[str, str]:
    """Return environment variables without those of other Pythons and environments."""
    return {name: text for name, text in variables.items() if name not in FOREIGN}


def for_installing(variables: dict[str, str], packed: str | None = None) -> dict[str, str]:
    """Return the environment variables with which pip and uv install the lab.

    `packed` is the only place that packages may come from: a folder, or the URL of one that is
    served.
    """
    told = {OLDER.get(name, name): text for name, text in variables.items() if text}
    for name, text in (settings_of_pip(told) | settings_of_uv(told)).items():
        if name not in told and name.lower() not in told:
            told[name] = text
    result = {
        name: text
        for name, text in without_foreign(told).items()
        if (not name.startswith(INSTALLERS) or name in ALLOWED or LOGIN.fullmatch(name))
        and not (packed and name in PLACES)
        and not (name in ("PIP_NO_INDEX", "UV_OFFLINE") and text.lower() in NO)
    }
    if packed:  # whoever sends a file, its hash says whether it is right
        result |= {"PIP_FIND_LINKS": url_of(packed), "PIP_NO_INDEX": "1"}
        if host := urlsplit(packed).netloc:
            result["PIP_TRUSTED_HOST"] = host
    for bundle in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # pip's, too
        if bundle in result:
            result.setdefault("PIP_CERT", result[bundle])
    teach_uv(result)
    teach_pip(result)
    return result | {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}


def teach_uv(settings):
    """Add what only pip has been told."""
    for name, uvs in SAME.items():
        if name not in settings or uvs in settings:
            continue
        text = settings[name]
        if name == "PIP_FIND_LINKS":  # both separate several by blanks, but here uv, by commas
            text = ",".join(text.split())
        elif name == "PIP_TIMEOUT":
            text = re.match(r"\d*", text).group() or "1"  # pip takes parts of a second, too
        elif name == "PIP_KEYRING_PROVIDER" and text != "subprocess":
            continue  # uv knows no other
        settings[uvs] = text
    if not {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"} & set(settings):
        settings |= {"ALL_PROXY": settings["PIP_PROXY"]} if "PIP_PROXY" in settings else {}
    # Like pip: any index may have the file. And the certificates that the system trusts count.
    settings.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    if "UV_NATIVE_TLS" not in settings:
        settings.setdefault("UV_SYSTEM_CERTS", "1")


def teach_pip(settings):
    """Add what only uv has been told: pip gets uv."""
    for name, uvs in SAME.items():
        if uvs not in settings or name in settings:
            continue
        text = settings[uvs]
        if name == "PIP_FIND_LINKS":
            text = " ".join(map(url_of, text.split(",")))
        elif uvs in ("UV_DEFAULT_INDEX", "UV_INDEX"):
            text = " ".join(with_login(index, settings) for index in text.split())
        settings[name] = text
    if "UV_OFFLINE" in settings:
        settings["PIP_NO_INDEX"] = "1"


def uv_options(settings: dict[str, str]) -> list[str]:
    """Return the options for what uv takes from no variable."""
    return ["--no-index"] if "PIP_NO_INDEX" in settings and "UV_OFFLINE" not in settings else []


def url_of(place):
    """Return the URL of a folder, since blanks and commas separate several."""
    return place if "://" in place else Path(place).resolve().as_uri()


def with_login(index, settings):
    """Return the URL of an index of uv's, with the user and the password that it has by name."""
    name, url = re.fullmatch(r"(?:([\w.-]+)=)?(.*)", index).groups()
    stem = "UV_INDEX_" + re.sub(r"\W", "_", name or "").upper()
    login = [settings.get(f"{stem}_{part}", "") for part in ("USERNAME", "PASSWORD")]
    if not any(login):
        return url
    return url.replace("://", "://" + ":".join(quote(text, safe="") for text in login) + "@", 1)


def settings_of_pip(variables: dict[str, str]) -> dict[str, str]:
    """Return what pip's files say, as variables."""
    system, own = folders_for_settings(variables)
    home = Path(variables.get("USERPROFILE" if WINDOWS else "HOME") or ".")
    name = "pip.ini" if WINDOWS else "pip.conf"
    mac = "Library/Application Support/pip/pip.conf"
    files = [*[Path(folder, "pip", name) for folder in system], Path("/", mac), "/etc/pip.conf"]
    users = [home / ("pip" if WINDOWS else ".pip") / name, Path(own, "pip", name), home / mac]
    if (named := variables.get("PIP_CONFIG_FILE")) and Path(named).exists():
        users = [named]
    settings = {"global": {}, "install": {}}
    for file in [*files, *users] if named != os.devnull else []:  # the last one counts
        with contextlib.suppress(OSError, ValueError, configparser.Error):  # none, or damaged
            parser = configparser.RawConfigParser()
            parser.read_string(Path(file).read_text(encoding="utf-8"))
            for section in settings.keys() & parser.keys():
                settings[section] |= parser[section]
    found = {
        "PIP_" + name.upper().replace("-", "_"): text.strip()
        for name, text in (settings["global"] | settings["install"]).items()
    }
    return {OLDER.get(name, name): text for name, text in found.items()}


def settings_of_uv(variables: dict[str, str]) -> dict[str, str]:
    """Return what uv's files say, as variables."""
    system, own = folders_for_settings(variables)
    folders = [*([] if WINDOWS else ["/etc"]), *reversed(system), own]
    files = [Path(folder, "uv", "uv.toml") for folder in folders]
    if named := variables.get("UV_CONFIG_FILE"):
        files = [Path(named)]
    settings = {}
    for file in files if "UV_NO_CONFIG" not in variables else []:  # the last one counts
        with contextlib.suppress(OSError, ValueError):
            content = tomllib.loads(file.read_text(encoding="utf-8"))
            settings |= of_uv_file(content) | of_uv_file(content.get("pip", {}))
    return settings


def folders_for_settings(variables):
    """Return the folders in which programs look for settings: the system's, and the user's own."""
    if WINDOWS:
        return [variables.get("PROGRAMDATA", "/")], variables.get("APPDATA", "/")
    own = variables.get("XDG_CONFIG_HOME") or Path(variables.get("HOME", "/"), ".config")
    return variables.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":"), own


def of_uv_file(content):
    """Return the settings of a file of uv's, or of a part of one, as variables."""
    settings = {}
    for name in UV_FILE.keys() & content.keys():
        value = content[name]
        separator = "," if name == "find-links" else " "
        text = separator.join(value) if isinstance(value, list) else str(value)
        settings[UV_FILE[name]] = text
    for index in content.get("index", []):
        variable = "UV_DEFAULT_INDEX" if index.get("default") else "UV_INDEX"
        text = f"{index['name']}={index['url']}" if "name" in index else index["url"]
        if not index.get("explicit"):
            settings[variable] = f"{settings.get(variable, '')} {text}".strip()
    return settings
