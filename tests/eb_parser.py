"""Hold `eb` command lines against the EB CLI's own code: no account, no network, nothing changed.

Run by a Python that has awsebcli. Reads a JSON list of lines and prints a JSON list: for each line
an empty text, or what the EB CLI says against it. Options that exclude each other are found, too,
where the EB CLI looks at them before it asks AWS.
"""

import contextlib
import io
import json
import os
import shlex
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

CONFIG = """
branch-defaults: {default: {environment: churn-env}}
global: {application_name: churn-service, default_platform: Docker, default_region: eu-central-1}
"""
LOOK_AT_OPTIONS = {"create", "deploy", "logs"}  # before they ask AWS


class Accepted(BaseException):
    """The line is parsed; what would come next is AWS, or a question to a human."""


def accept(*_, **__):
    raise Accepted


def verdict(line):
    """Return "" if the EB CLI would go on with the line, else what it says against it."""
    from ebcli.core.ebcore import EB  # here, where HOME is ours
    from ebcli.objects.exceptions import EBCLIException

    program, *arguments = shlex.split(line)
    if program != "eb":
        return f"this is no eb line: {line}"
    app, said = EB(argv=list(arguments)), io.StringIO()
    parse = app._parse_args

    def parse_and_perhaps_stop():
        parse()
        if arguments and arguments[0] not in LOOK_AT_OPTIONS:
            raise Accepted

    app._parse_args = parse_and_perhaps_stop
    try:
        with (
            patch("ebcli.core.hooks.pre_run_hook", lambda app: None),
            patch("ebcli.lib.aws.make_api_call", accept),
            patch("ebcli.lib.utils.get_data_from_url", accept),
            patch("ebcli.core.io._get_input", accept),
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
        ):
            app.setup()
            app.run()
    except Accepted:
        return ""
    except EBCLIException as error:
        return error.message
    except SystemExit as end:  # argparse; --help ends with 0
        return said.getvalue().strip().splitlines()[-1] if end.code else ""
    return ""


def main():
    lines = json.load(sys.stdin)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"HOME": home, "USERPROFILE": home, "AWS_EC2_METADATA_DISABLED": "true"}
        Path(home, ".elasticbeanstalk").mkdir()
        Path(home, ".elasticbeanstalk", "config.yml").write_text(CONFIG, encoding="utf-8")
        os.chdir(home)
        verdicts = [verdict(line) for line in lines]
        os.chdir(Path(__file__).parent)  # Windows removes no folder that somebody is in
    json.dump(verdicts, sys.stdout)


if __name__ == "__main__":
    main()
