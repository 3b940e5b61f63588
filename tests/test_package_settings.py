"""Which settings of pip's and uv's reach the set-up: where packages come from, and nothing else."""

import base64
import contextlib
import functools
import os
import re
import select
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from labkit import set_up
from labkit.package_settings import for_installing

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
PROBE = "churn-lab-probe"  # a package that is only where these tests put it
FOREIGN_FILES = {"PIP_CONFIG_FILE": os.devnull, "UV_CONFIG_FILE": os.devnull}
PROXIES = [name for name in os.environ if name.lower().endswith("_proxy")]
FOREIGN = ("PIP_", "UV_", "SSL_", "REQUESTS_CA", "CURL_CA")
BARE = {
    name: text
    for name, text in os.environ.items()
    if not name.startswith(FOREIGN) and name not in PROXIES
}


def slow(*values):
    """Mark values of a parameter that are tried only where slow tests are run."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


@pytest.fixture
def bare(tmp_path):
    """The machine's variables, without settings for packages."""
    home = tmp_path / "home"
    home.mkdir()
    folders = {"HOME": home, "APPDATA": home, "XDG_CONFIG_HOME": home, "XDG_CONFIG_DIRS": home}
    return BARE | {name: str(path) for name, path in folders.items()} | FOREIGN_FILES


# --- What must not come through ---

HOSTILE_NAMES = """
PIP_TARGET PIP_PREFIX PIP_ROOT PIP_USER PIP_REQUIRE_VIRTUALENV PIP_NO_BINARY PIP_ONLY_BINARY
PIP_CONSTRAINT PIP_BUILD_CONSTRAINT PIP_REQUIREMENT PIP_REQUIRE_HASHES PIP_NO_DEPS PIP_DRY_RUN
PIP_UPGRADE PIP_UPGRADE_STRATEGY PIP_PRE PIP_PYTHON PIP_PYTHON_VERSION PIP_PLATFORM PIP_ABI
PIP_IMPLEMENTATION PIP_EDITABLE PIP_IGNORE_INSTALLED PIP_FORCE_REINSTALL PIP_NO_COMPILE PIP_QUIET
PIP_LOG PIP_REPORT PIP_DEST PIP_NO_CACHE_DIR PIP_SRC PIP_ISOLATED PIP_CONFIG_SETTINGS
UV_REQUIRE_HASHES UV_LINK_MODE UV_EXCLUDE_NEWER UV_EXCLUDE_NEWER_PACKAGE UV_NO_BUILD UV_NO_BINARY
UV_NO_BUILD_PACKAGE UV_NO_BINARY_PACKAGE UV_NO_BUILD_ISOLATION UV_PYTHON UV_SYSTEM_PYTHON UV_TARGET
UV_PREFIX UV_BREAK_SYSTEM_PACKAGES UV_PROJECT_ENVIRONMENT UV_WORKING_DIR UV_PROJECT UV_NO_CACHE
UV_PRERELEASE UV_RESOLUTION UV_CONSTRAINT UV_BUILD_CONSTRAINT UV_OVERRIDE UV_EXCLUDE
UV_COMPILE_BYTECODE UV_TOOL_DIR UV_TOOL_BIN_DIR UV_NO_VERIFY_HASHES UV_NO_EDITABLE UV_NO_SOURCES
UV_TORCH_BACKEND UV_FORK_STRATEGY UV_MANAGED_PYTHON UV_PYTHON_PREFERENCE UV_PYTHON_DOWNLOADS
UV_ISOLATED UV_LOCKED UV_FROZEN UV_NO_SYNC UV_ENV_FILE UV_PREVIEW UV_NO_INSTALLER_METADATA
UV_VENV_SEED PYTHONPATH PYTHONHOME PYTHONSAFEPATH PYTHONUSERBASE PYTHONNOUSERSITE PYTHONOPTIMIZE
PYTHONWARNINGS PYTHONINSPECT PYTHONSTARTUP PYTHONPLATLIBDIR PYTHONCASEOK PYTHONVERBOSE
SETUPTOOLS_USE_DISTUTILS SETUPTOOLS_ENABLE_FEATURES SETUPTOOLS_SCM_PRETEND_VERSION
DISTUTILS_USE_SDK DISTUTILS_DEBUG DIST_EXTRA_CONFIG VIRTUAL_ENV CONDA_PREFIX
"""
HOSTILE_IN_PIPS_FILE = """
[global]
target = /nowhere
user = true
quiet = 3
require-virtualenv = true
no-binary = :all:
constraint = /nowhere/constraints.txt
timeout = 7
[install]
prefix = /nowhere
no-deps = true
require-hashes = true
dry-run = true
[download]
dest = /nowhere
"""
HOSTILE_IN_UVS_FILE = """
exclude-newer = "2020-01-01T00:00:00Z"
link-mode = "symlink"
no-build = true
compile-bytecode = true
no-cache = true
concurrent-downloads = 7
[pip]
require-hashes = true
exclude-newer = "2020-01-01T00:00:00Z"
target = "/nowhere"
system = true
no-binary = [":all:"]
resolution = "lowest"
"""


@pytest.mark.parametrize("packed", [None, "packed"])
def test_no_other_variable_reaches_the_tools(packed, bare):
    hostile = dict.fromkeys(HOSTILE_NAMES.split(), "hostile")
    settings = for_installing(bare | hostile, packed)
    assert "hostile" not in settings.values()
    assert settings["PATH"] == bare["PATH"]


def test_nothing_else_in_the_tools_files_reaches_them(bare, tmp_path):
    files = {"PIP_CONFIG_FILE": tmp_path / "pip.conf", "UV_CONFIG_FILE": tmp_path / "uv.toml"}
    files["PIP_CONFIG_FILE"].write_text(HOSTILE_IN_PIPS_FILE, encoding="utf-8")
    files["UV_CONFIG_FILE"].write_text(HOSTILE_IN_UVS_FILE, encoding="utf-8")
    settings = for_installing(bare | {name: str(file) for name, file in files.items()})
    assert settings["PIP_CONFIG_FILE"] == os.devnull and settings["UV_NO_CONFIG"] == "1"
    assert settings["PIP_TIMEOUT"] == settings["UV_HTTP_TIMEOUT"] == "7"
    assert settings["UV_CONCURRENT_DOWNLOADS"] == "7"
    texts = ("/nowhere", ":all:", "2020", "symlink", "lowest")
    assert not [text for text in settings.values() if text.startswith(texts)]


@pytest.mark.parametrize("name", ["pip.conf", "uv.toml"])
def test_a_file_that_is_none_counts_as_none(name, bare, tmp_path):
    file = tmp_path / name
    file.write_bytes(b"\xff[oops")
    variables = {f"{name.split('.')[0].upper()}_CONFIG_FILE": str(file)}
    assert "PIP_INDEX_URL" not in for_installing(bare | variables)


# --- What must come through: both tools get a package that is nowhere else ---


class Mirror(SimpleHTTPRequestHandler):
    """Serves a folder, also as a proxy for any other host; may want a login, or refuse."""

    def do_GET(self):
        self.server.requests.append(self.path)
        if self.server.status:
            return self.send_error(self.server.status)
        if self.server.login and self.headers["Authorization"] != self.server.login:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="mirror"')
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if self.path.startswith("http://"):  # this is a proxy's
            self.path = "/" + self.path.split("/", 3)[3]
        return super().do_GET()

    def do_CONNECT(self):
        """Connect to the server that this proxy was made for, whatever the name."""
        self.server.requests.append(self.path)
        self.send_response(200)
        self.end_headers()
        with socket.create_connection(self.server.tunnel) as other:
            ends = [self.connection, other]
            while True:
                for end in select.select(ends, [], [], 10)[0] or ends:
                    data = end.recv(2**16) if select.select([end], [], [], 0)[0] else b""
                    if not data:
                        return
                    ends[end is self.connection].sendall(data)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(folder, tls=None, status=None, login=None, tunnel=None):
    """Serve a folder on a free port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Mirror, directory=folder))
    server.requests, server.status, server.tunnel = [], status, tunnel
    server.login = login and f"Basic {base64.b64encode(login.encode()).decode()}"
    server.place = f"127.0.0.1:{server.server_port}"
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / "server.pem", tls / "server.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An index with one package, as `python -m http.server` serves it."""
    folder = tmp_path_factory.mktemp("index")
    info = "churn_lab_probe-1.0.dist-info"
    files = {
        "churn_lab_probe.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {PROBE}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    for place in (folder, folder / "simple" / PROBE, folder / "flat, it's a folder"):
        place.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(place / "churn_lab_probe-1.0-py3-none-any.whl", "w") as wheel:
            for name, text in (files | {f"{info}/RECORD": record}).items():
                wheel.writestr(name, text)
    return folder


@pytest.fixture(scope="module")
def mirror(folder):
    with serving(folder) as server:
        yield server


def get(variables, tmp_path, packed=None, retries=0):
    """Get the package with both tools, as the set-up does; return their settings."""
    settings = for_installing(variables, packed)
    settings |= {"UV_CACHE_DIR": str(tmp_path / "uv cache"), "PIP_NO_CACHE_DIR": "1"}
    settings |= dict.fromkeys(("PIP_RETRIES", "UV_HTTP_RETRIES"), str(retries))
    pip, uv = tmp_path / "pip's", tmp_path / "uv's"
    set_up.run("pip", [*PIP, "download", "--no-deps", "--dest", pip, PROBE], settings)
    options = set_up.uv_options(settings)
    command = [sys.executable, "-m", "uv", "pip", "install", "--no-deps", "--target", uv]
    set_up.run("uv", [*command, *options, PROBE], settings)
    assert len(list(pip.glob("*.whl"))) == len(list(uv.glob("churn_lab_probe.py"))) == 1
    return settings


BY_VARIABLES = [
    {"PIP_INDEX_URL": "http://{}/simple"},
    {"PIP_INDEX_URL": "http://{}/simple", "UV_DEFAULT_INDEX": ""},
    {
        "PIP_EXTRA_INDEX_URL": "http://{0}/nothing http://{0}/simple",
        "PIP_INDEX_URL": "http://{}/no",
    },
    {"PIP_FIND_LINKS": "http://{}/", "PIP_NO_INDEX": "yes"},
    {"UV_DEFAULT_INDEX": "http://{}/simple"},
    {"UV_DEFAULT_INDEX": "mirror=http://{}/simple"},
    {"UV_INDEX_URL": "http://{}/simple"},
    {"UV_INDEX": "one=http://{0}/nothing two=http://{0}/simple", "UV_INDEX_URL": "http://{}/no"},
    {"UV_FIND_LINKS": "http://{}/", "PIP_NO_INDEX": "true"},
]
BY_PIPS_FILE = [
    "[global]\nindex-url = http://{}/simple",
    "[install]\nindex-url = http://{}/simple",
    "[global]\nindex-url = http://{0}/no\nextra-index-url =\n  http://{0}/nothing\n  http://{0}/simple",
    "[global]\nno-index = true\nfind-links = http://{}/",
]
BY_UVS_FILE = [
    'index-url = "http://{}/simple"',
    '[[index]]\nname = "mirror"\nurl = "http://{}/simple"\ndefault = true',
    'index-url = "http://{0}/no"\n[[index]]\nurl = "http://{0}/simple"',
    '[pip]\nno-index = true\nfind-links = ["http://{}/"]',
    '[pip]\nindex-url = "http://{0}/no"\nextra-index-url = ["http://{0}/no", "http://{0}/simple"]',
]


@pytest.mark.parametrize("variables", [*slow(*BY_VARIABLES[:2]), *BY_VARIABLES[2:]], ids=str)
def test_a_mirror_named_by_variables_serves_both(variables, bare, mirror, tmp_path):
    variables = {name: text.format(mirror.place) for name, text in variables.items()}
    get(bare | variables, tmp_path)


@pytest.mark.parametrize("text", [*slow(*BY_PIPS_FILE[:2]), *BY_PIPS_FILE[2:]])
def test_a_mirror_named_in_pips_file_serves_both(text, bare, mirror, tmp_path):
    file = tmp_path / "pip.conf"
    file.write_text(text.format(mirror.place), encoding="utf-8")
    get(bare | {"PIP_CONFIG_FILE": str(file)}, tmp_path)


@pytest.mark.parametrize("text", [*BY_UVS_FILE[:2], *slow(*BY_UVS_FILE[2:])])
def test_a_mirror_named_in_uvs_file_serves_both(text, bare, mirror, tmp_path):
    file = tmp_path / "uv.toml"
    file.write_text(text.format(mirror.place), encoding="utf-8")
    get(bare | {"UV_CONFIG_FILE": str(file)}, tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="there these files lie elsewhere")
@pytest.mark.parametrize("tool", ["pip", "uv"])
def test_the_files_in_the_home_folder_and_the_systems_count(tool, bare, mirror, tmp_path):
    del bare["XDG_CONFIG_HOME"], bare["PIP_CONFIG_FILE"], bare["UV_CONFIG_FILE"]
    bare["XDG_CONFIG_DIRS"] = str(tmp_path / "system")
    name, line = ("pip.conf", "[global]\nindex-url = {}") if tool == "pip" else ("uv.toml", INDEX)
    for folder, place in [("system", "127.0.0.1:9"), ("home/.config", mirror.place)]:
        file = tmp_path / folder / tool / name
        file.parent.mkdir(parents=True)
        file.write_text(line.format(f"http://{place}/simple"), encoding="utf-8")
    get(bare, tmp_path)


INDEX = '[[index]]\nurl = "{}"\ndefault = true'


def test_each_tool_keeps_what_it_was_told_itself(bare):
    variables = {"PIP_INDEX_URL": "http://pip", "UV_INDEX_URL": "http://uv", "PIP_TIMEOUT": "5"}
    settings = for_installing(bare | variables)
    assert (settings["PIP_INDEX_URL"], settings["UV_DEFAULT_INDEX"]) == ("http://pip", "http://uv")
    assert (settings["PIP_TIMEOUT"], settings["UV_HTTP_TIMEOUT"]) == ("5", "5")


def test_offline_is_offline_for_both(bare):
    assert "PIP_NO_INDEX" not in for_installing(bare | {"UV_OFFLINE": "false"})
    settings = for_installing(bare | {"UV_OFFLINE": "1"})
    assert settings["PIP_NO_INDEX"] == "1"


@pytest.mark.parametrize("served", [False, True])
def test_a_packed_folder_is_the_only_source(served, bare, folder, mirror, tmp_path):
    """Whatever its name, and whatever else is set up."""
    dead = "http://127.0.0.1:9/"
    variables = {"PIP_INDEX_URL": dead, "UV_INDEX": dead, "UV_FIND_LINKS": dead, "UV_OFFLINE": "1"}
    packed = f"http://{mirror.place}/" if served else str(folder / "flat, it's a folder")
    get(bare | variables, tmp_path, packed)


LOGINS = [
    {"PIP_INDEX_URL": "http://me:pass%20word@{}/simple"},
    {"UV_DEFAULT_INDEX": "http://me:pass%20word@{}/simple"},
    {
        "UV_INDEX": "the-mirror=http://{}/simple",
        "UV_INDEX_THE_MIRROR_USERNAME": "me",
        "UV_INDEX_THE_MIRROR_PASSWORD": "pass word",
        "PIP_INDEX_URL": "http://{}/no",
    },
]


@pytest.mark.parametrize("variables", [*slow(*LOGINS[:-1]), LOGINS[-1]])
def test_a_mirror_with_a_login(variables, bare, folder, tmp_path):
    with serving(folder, login="me:pass word") as server:
        get(bare | {name: text.format(server.place) for name, text in variables.items()}, tmp_path)


def test_a_wrong_password_is_not_shown(bare, folder, tmp_path):
    with serving(folder, login="me:pass") as server:
        address = f"http://me:secret@{server.place}/simple"
        for tool in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX"):
            text = refusal(bare | {tool: address}, tmp_path)
            assert text.endswith(set_up.INDEX) and "secret" not in text


def refusal(variables, tmp_path, **options):
    with pytest.raises(set_up.Refusal) as caught:
        get(variables, tmp_path, **options)
    return str(caught.value)


# --- Proxies ---

PROXIED = [
    {"PIP_PROXY": "http://{}"},
    {"PIP_PROXY": "{}"},
    {"http_proxy": "http://{}"},
    {"ALL_PROXY": "http://{}"},
    {"PIP_CONFIG_FILE": "[global]\nproxy = http://{}"},
    {"UV_CONFIG_FILE": 'http-proxy = "http://{}"'},
]


@pytest.mark.parametrize("variables", [PROXIED[0], *slow(*PROXIED[1:])], ids=str)
def test_a_proxy_is_used_by_both(variables, bare, mirror, tmp_path):
    """The mirror's name is known to the proxy alone."""
    variables = {name: text.format(mirror.place) for name, text in variables.items()}
    for name in {"PIP_CONFIG_FILE", "UV_CONFIG_FILE"} & set(variables):
        (tmp_path / name).write_text(variables[name], encoding="utf-8")
        variables[name] = str(tmp_path / name)
    index = {"PIP_INDEX_URL": "http://mirror.invalid/simple", "PIP_TRUSTED_HOST": "mirror.invalid"}
    mirror.requests.clear()
    get(bare | index | variables, tmp_path)
    assert f"http://mirror.invalid/simple/{PROBE}/" in mirror.requests


@pytest.mark.parametrize("name", ["ALL_PROXY", *slow("all_proxy", "PIP_PROXY")])
def test_a_socks_proxy_is_refused_with_a_remedy_that_works(name, bare, mirror, tmp_path):
    index = {"PIP_INDEX_URL": "http://mirror.invalid/simple", "PIP_TRUSTED_HOST": "mirror.invalid"}
    text = refusal(bare | index | {name: "socks5://127.0.0.1:9"}, tmp_path)
    assert "can't use a SOCKS proxy: name an HTTP proxy in HTTP_PROXY and HTTPS_PROXY" in text
    named = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), f"http://{mirror.place}")
    get(bare | index | named, tmp_path)


# --- Certificates ---


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    """A mirror's certificate that nobody trusts but who has its issuer's."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl on this machine makes certificates")
    folder = tmp_path_factory.mktemp("certificates")
    for command in (
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=school",
        "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=mirror "
        "-addext subjectAltName=IP:127.0.0.1,DNS:mirror.invalid",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 "
        "-copy_extensions copy",
        "req -x509 -newkey rsa:2048 -nodes -keyout x.key -out other.pem -days 2 -subj /CN=other",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def secure(folder, secret):
    with serving(folder, tls=secret) as server:
        yield server


@pytest.mark.parametrize(
    "name", ["PIP_CERT", "SSL_CERT_FILE", *slow("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "pip.conf")]
)
def test_a_certificate_named_for_one_serves_both(name, bare, secure, secret, tmp_path):
    variables = {name: str(secret / "ca.pem"), "PIP_INDEX_URL": f"https://{secure.place}/simple"}
    if name == "pip.conf":
        file = tmp_path / name
        file.write_text(f"[global]\ncert = {secret / 'ca.pem'}", encoding="utf-8")
        variables["PIP_CONFIG_FILE"] = str(file)
    get(bare | variables, tmp_path)


def test_a_trusted_host_needs_no_certificate(bare, secure, tmp_path):
    variables = {"PIP_INDEX_URL": f"https://{secure.place}/simple"}
    get(bare | variables | {"PIP_TRUSTED_HOST": secure.place}, tmp_path)


@pytest.mark.parametrize(
    "names", [["PIP_CERT"], *slow([], ["SSL_CERT_FILE"], ["PIP_CERT", "SSL_CERT_FILE"])]
)
def test_a_wrong_certificate_is_refused_with_a_remedy_that_works(
    names, bare, secure, secret, tmp_path
):
    variables = bare | {"PIP_INDEX_URL": f"https://{secure.place}/simple"}
    text = refusal(variables | dict.fromkeys(names, str(secret / "other.pem")), tmp_path)
    assert text.endswith(set_up.CERTIFICATE)
    told = re.findall("[A-Z]+_CERT[A-Z_]*", set_up.CERTIFICATE)
    get(variables | dict.fromkeys(told, str(secret / "ca.pem")), tmp_path)


def test_a_proxy_for_https_is_used_by_both(bare, secure, folder, secret, tmp_path):
    with serving(folder, tunnel=("127.0.0.1", secure.server_port)) as proxy:
        variables = {
            "PIP_INDEX_URL": "https://mirror.invalid/simple",
            "HTTPS_PROXY": f"http://{proxy.place}",
            "PIP_CERT": str(secret / "ca.pem"),
        }
        get(bare | variables, tmp_path)
        assert set(proxy.requests) == {"mirror.invalid:443"} and len(proxy.requests) >= 2


# --- What fails has one sentence ---


@pytest.mark.parametrize("status", [403, *slow(404, 500)])
@pytest.mark.parametrize("tool", ["PIP_INDEX_URL", "UV_DEFAULT_INDEX"])
def test_a_mirror_that_refuses(tool, status, bare, folder, mirror, tmp_path):
    with serving(folder, status=status) as server:
        text = refusal(bare | {tool: f"http://{server.place}/simple"}, tmp_path)
    assert text.endswith(set_up.INDEX)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/", "https://mirror.invalid/"])
def test_a_mirror_that_is_not_there(address, bare, tmp_path):
    text = refusal(bare | {"PIP_INDEX_URL": address}, tmp_path, retries=1)
    assert text.endswith(set_up.NETWORK)
