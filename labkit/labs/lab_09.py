"""Checks and hints of lab 9, the cloud."""

import argparse
import contextlib
import copy
import hmac
import io
import json
import logging
import os
import re
import runpy
import secrets
import shlex
from collections import namedtuple
from itertools import combinations
from unittest.mock import Mock, patch

from flask import Flask

from labkit.exercises import Lab, Wrong, describe, expect, is_number, show
from labkit.labs.live import JSON, Live, only_json, stand_in

lab = Lab("09_the_cloud")

# --- a-day-in-the-cloud: the commands of the EB CLI (3.27) that it needs, with all options ---

# A word is a name or an option; behind it = stands for a value, # a number, ? one or none, * any
# number, + one or more, and nothing for a flag.
COMMON = "-v/--verbose --profile= -r/--region= --endpoint-url= --no-verify-ssl --debugboto --debug "
EB = {
    "init": "application_name? -e/--environment-name= -m/--modules* -p/--platform= -k/--keyname= "
    "-i/--interactive --source= --tags=",
    "create": "environment_name? -m/--modules* -g/--env-group-suffix= -c/--cname= -t/--tier= "
    "-i/--instance_type= -p/--platform= -s/--single --sample -d/--branch_default "
    "-ip/--instance_profile= -sr/--service-role= --version= -k/--keyname= --scale# -nh/--nohang "
    "--timeout# --tags= --envvars= --cfg= --source= --elb-type= -ls/--shared-lb= "
    "-lp/--shared-lb-port= -es/--enable-spot -sm/--spot-max-price= -it/--instance-types= "
    "-sb/--on-demand-base-capacity= -sp/--on-demand-above-base-capacity= -im/--min-instances= "
    "-ix/--max-instances= -db/--database --vpc -pr/--process",
    "setenv": "varKey+ -e/--environment= --timeout#",
    "deploy": "environment_name? --modules* -g/--env-group-suffix= --version= -l/--label= "
    "-m/--message= -nh/--nohang --staged --timeout# --source= -p/--process --archive=",
    "logs": "environment_name? -a/--all -z/--zip -ai/--analyze -i/--instance= -g/--log-group= "
    "-cw/--cloudwatch-logs? -cls/--cloudwatch-log-source= --stream",
    "terminate": "environment_name? --force --ignore-links --all -nh/--nohang --timeout#",
}
LOOK_ONLY = {"status", "health", "events", "open", "printenv", "list", "console"}
OTHERS = {
    "abort", "appversion", "clone", "codesource", "config", "labs", "lifecycle", "migrate",
    "platform", "restore", "scale", "ssh", "swap", "tags", "upgrade", "use",
}  # fmt: skip
KINDS = {"=": {}, "#": {"type": int}, "?": {"nargs": "?"}, "*": {"nargs": "*"}, "+": {"nargs": "+"}}


class Parser(argparse.ArgumentParser):
    """A parser that raises Wrong where the EB CLI would end with a usage text."""

    def error(self, message):
        raise Wrong(
            f"the EB CLI does not understand {self.line!r} ({message}): compare it with the "
            "lesson's lines."
        )


def options_of(line: str, words: list[str]) -> argparse.Namespace:
    """Return the options of an eb line, as the EB CLI would read them."""
    parser = Parser(prog="eb", add_help=False)
    parser.line = line
    for word in (COMMON + EB[words[1]]).split():
        kind = KINDS.get(word[-1], {"action": "store_true"})
        parser.add_argument(*word.rstrip("=#?*+").split("/"), **kind)
    parser.set_defaults(cloudwatch_logs="no")  # -cw may stand without a value
    return parser.parse_args(words[2:])


def read_command(line) -> tuple[str, argparse.Namespace | None]:
    """Return the command's name and its options; None for commands that only look."""
    if not isinstance(line, str):
        raise Wrong(f"commands should hold texts, and holds {show(line)}: one command in each.")
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise Wrong(f"{line!r} can't be read ({error}): close what you have opened.") from None
    ends = {word[-1:] for word in words}  # "eb status;" is also an end
    if {"&&", ";", "|"} & {*words, *ends} or "\n" in line.strip():
        raise Wrong(f"{show(line)} holds several commands: write each as a text of its own.")
    if words[:1] != ["eb"]:
        raise Wrong(
            f"each text should be one command that begins with eb, and {show(line)} does not: what "
            "the story needs, the EB CLI does."
        )
    command = words[1] if len(words) > 1 else ""
    if command in EB:
        return command, options_of(line, words)
    if command == "local":
        raise Wrong(
            "eb local deploys nothing, and wants an account for what runs on your own machine. "
            "Leave it: at home docker run does that, and the story needs eb create."
        )
    if command.startswith("-"):
        raise Wrong(f"{line!r}: the EB CLI wants its command first, and the options behind it.")
    if command in OTHERS:
        raise Wrong(f"eb {command} is not in the story: leave it out.")
    if command not in LOOK_ONLY:
        raise Wrong(
            f"there is no command {' '.join(words[:2])!r}: the story needs init, create, deploy, "
            "logs and terminate, and perhaps setenv."
        )
    return command, None


STORY = {  # command: what is missing without it
    "init": "the folder is not an application yet (step 1)",
    "create": "there is no environment (step 2)",
    "setenv": "the environment has no CHURN_API_KEY, and everybody may call the service (step 3): "
    "eb setenv NAME=VALUE, or --envvars NAME=VALUE of eb create",
    "deploy": "eb create has uploaded the code of before, and the colleague's correction stays at "
    "home (step 4)",
    "logs": "nobody looks at the logs (step 5)",
    "terminate": "the environment runs all night, and costs (step 6)",
}
NOT_YET = {  # command: what is wrong with a later one that stands before it
    "init": "the EB CLI does not know the application yet",
    "create": "there is no environment yet",
    "setenv": "the service would be open for a while: the key comes first",
    "deploy": "the story looks at what has been deployed before",
    "logs": "nothing is left then that could be asked",
}


@lab.exercise(
    "a-day-in-the-cloud",
    lesson="From init to open",
    hints=[
        "Five or six commands: init, create, setenv if create did not do it, deploy, logs, "
        "terminate.",
        'eb init APPLICATION --platform "Docker running ..." --region ...: what has blanks in it '
        "stands between quotes.",
        "eb create ENVIRONMENT --single leaves the load balancer out; --envvars NAME=VALUE sets a "
        "property from the first second.",
        "deploy, logs and terminate take the environment's name behind them; terminate needs no "
        "--all, which would take the application, too.",
    ],
)
def day_in_the_cloud(answer):
    lines = answer.value("commands", (list, tuple))
    steps = [(*read_command(line), line) for line in lines]
    steps = [step for step in steps if step[0] in EB]
    names = [command for command, _, _ in steps]
    created = next((options for command, options, _ in steps if command == "create"), None)
    if created and created.envvars is not None:
        names.insert(names.index("create") + 1, "setenv")
    for command, without in STORY.items():
        if names.count(command) > 1:
            raise Wrong(
                f"{'the key is set' if command == 'setenv' else f'eb {command} stands there'} "
                "twice, and once is enough: leave one out."
            )
        if command not in names:
            raise Wrong(f"a step is missing: {without}.")
    for earlier, later in combinations(STORY, 2):
        if names.index(earlier) > names.index(later):
            raise Wrong(
                f"eb {later} stands before eb {earlier}, and {NOT_YET[earlier]}: change the order."
            )
    for command, options, line in steps:
        for wrong, sentence in slips_of(command, options):
            if wrong:
                raise Wrong(f"{line!r} {sentence}.")
        if re.search(r"'[^']*\$", line):
            raise Wrong(
                f"{line!r} has single quotes, and between them a shell leaves $CHURN_API_KEY as it "
                'is: leave them out, or take ".'
            )
    if "setenv" in [command for command, _, _ in steps]:
        return (
            "Correct. From eb create to eb setenv the service is open, for some minutes; "
            "eb create --envvars gives it the key from the first second."
        )


def slips_of(command, o):
    """Yield pairs, whether the options o have a slip, and what it is; each goes on with its line.

    The first slip counts: those behind it may build on its absence.
    """
    place = getattr(o, "environment_name", None) or getattr(o, "environment", None)
    platform = (getattr(o, "platform", None) or "").lower()
    yield o.region not in (None, "eu-north-1"), f"goes to {o.region}, and Stockholm is eu-north-1"
    yield place == "churn", "should name the environment, churn-prod, and names the application"
    yield place not in (None, "churn-prod"), "should name the environment churn-prod: see step 2"
    if command == "init":
        yield o.application_name != "churn", "should name the application churn, behind init"
        yield not platform, "names no platform, and the EB CLI would ask for it: add --platform"
        yield o.region is None, "names no region, and takes what the EB CLI likes best: --region"
    elif command == "create":
        several = o.scale or o.elb_type or o.min_instances or o.max_instances
        yield not o.environment_name, "asks for a name: write churn-prod behind create"
        yield o.single and several, "can't be: --single has one instance and no load balancer"
        balanced = (
            "makes a load balancer, which costs more than the instance: --single leaves it out"
        )
        yield not o.single, balanced
        typed = o.instance_type or "."
        yield "." not in typed, f"asks for instances of type {typed}: --single has two hyphens"
        yield o.sample, "uploads Amazon's sample, and not our service: leave --sample out"
        yield o.database, "makes a database, for which nobody asked, and it costs: leave it out"
        if o.envvars is not None:
            yield from slips_of_key(o.envvars.split(","))
    elif command == "setenv":
        yield from slips_of_key(o.varKey)
    elif command == "deploy":
        yield o.staged, "uploads what is staged, and the correction is committed: no --staged"
        other = o.archive or o.source or o.version
        yield other, "uploads something else than the last commit: leave that option out"
    elif command == "logs":
        yield o.cloudwatch_logs != "no", "begins to store logs, which costs, and shows none: no -cw"
        yield o.all and o.zip, "asks for two things: the EB CLI takes one of --all and --zip"
    elif command == "terminate":
        yield o.all, "takes the application along, and it should stay: no --all"
    if platform:
        yield (
            "docker" not in platform,
            "chooses a platform where no Dockerfile is read: our service is an image, so it is the "
            "one that begins with Docker",
        )
        yield "ecs" in platform, "chooses a platform for several containers: write the story's"
        yield platform.endswith("linux 2"), "chooses Amazon Linux 2, and its support has ended"
        yield (
            "2023" not in platform,
            "lets the EB CLI choose the Amazon Linux, and it may be an old one: write the story's "
            "platform in full, between quotes",
        )


def slips_of_key(pairs):
    """Go on with the slips: of properties, which should be the key from the terminal's variable."""
    form = "should have a property as NAME=VALUE, one word, with = and without blanks"
    yield any("=" not in pair for pair in pairs), form
    name, _, value = pairs[0].partition("=")
    yield name != "CHURN_API_KEY" or len(pairs) > 1, "should set CHURN_API_KEY and nothing else"
    yield not value, "takes the property away: no value behind = means that"
    yield (
        not re.fullmatch(r"\$(env:)?CHURN_API_KEY|\$\{CHURN_API_KEY\}|%CHURN_API_KEY%", value),
        "should have $CHURN_API_KEY behind the =, your terminal's variable: a key that you write "
        "there yourself stands in this notebook, and with it in git for ever",
    )


# --- what-still-costs and how-long-the-credit-lasts: money ---


@lab.exercise(
    "what-still-costs",
    lesson="Tear it down",
    hints=[
        "Go through the entries, one by one, and ask for the state first: what is terminated or "
        "deleted is out, whatever it is.",
        "Then the two kinds that depend on something: an instance on its state, a bucket on its "
        "bytes.",
        "Then name what is free; everything that is left costs, or is unknown.",
    ],
)
def still_costs(answer):
    function = answer.function("still_costs", returns=list)
    unused = "it is kept for you, and that costs, used or not"
    over = "that is over, and shown for a while"
    unknown = "no rule names this kind, so somebody must look at it"
    parts = "it costs nothing by itself; its parts are entries of their own"
    cases = [
        ("instance", "running", True, "that is what costs most"),
        ("instance", "stopped", False, "it does not run; its disk is an entry of its own"),
        ("instance", "terminated", False, over),
        ("disk", "in use", True, unused), ("disk", "available", True, unused),
        ("disk", "deleted", False, over),
        ("address", "not in use", True, unused), ("address", "in use", True, unused),
        ("load balancer", "active", True, unused), ("load balancer", "no targets", True, unused),
        ("load balancer", "deleted", False, over),
        ("environment", "ready", False, parts), ("environment", "terminated", False, over),
        ("application", "no environments", False, "it is free"),
        ("security group", "in use", False, "it is free"), ("role", "kept", False, "it is free"),
        ("database", "stopped", True, unknown), ("snapshot", "kept", True, unknown),
        ("snapshot", "deleted", False, over),
        ("instance", "pending", False, "it does not run yet: only running costs"),
        ("bucket", "kept", True, "what lies in it costs, a few cents", 4_100_000),
        ("bucket", "kept", True, "what lies in it costs, however little", 1),
        ("bucket", "kept", False, "there is nothing in it", 0),
        ("bucket", "deleted", False, over, 99),
    ]  # fmt: skip
    entries = []
    for number, (kind, state, costs, remedy, *size) in enumerate(cases):
        entry = {"kind": kind, "name": f"{kind}-{number}", "state": state}
        entries.append((entry | ({"bytes": size[0]} if size else {}), costs, remedy))
    for entry, costs, remedy in entries:
        given = [copy.deepcopy(entry)]
        came = function(given)
        if came and came[0] == entry:
            raise Wrong("still_costs should return names, and returns whole entries: take name.")
        expect(
            f"still_costs, for an account with one {entry['kind']} that is {entry['state']!r},",
            came, [entry["name"]] if costs else [], remedy,
        )  # fmt: skip
        if given != [entry]:
            raise Wrong("still_costs changes the account that it is given: only look at it.")
    for listing in (entries, entries[::-1], []):
        expect(
            f"still_costs, for an account of {len(listing)} entries,",
            function([copy.deepcopy(entry) for entry, _, _ in listing]),
            [entry["name"] for entry, costs, _ in listing if costs],
            "go through all of them, in their order",
        )


PRICES = {"instance": 0.013, "load balancer": 0.031, "address": 0.005, "disk": 0.096}
DEARER = {"instance": 0.1, "load balancer": 0.02, "address": 0.01, "disk": 0.2}


def per_hour(environment, prices, **mistake):
    """Return what an hour costs, or would cost with a mistake: another number of this or that."""
    count, balancers = environment["instances"], int(environment["balanced"])
    n = {"instances": count, "balancers": balancers, "addresses": 2, "disks": count, "hours": 730}
    n |= mistake  # addresses: those of a load balancer
    return (
        n["instances"] * prices["instance"]
        + n["balancers"] * prices["load balancer"]
        + (count + n["addresses"] * n["balancers"]) * prices["address"]
        + n["disks"] * environment["disk"] * prices["disk"] / n["hours"]
    )


@lab.exercise(
    "how-long-the-credit-lasts",
    lesson="What it costs",
    hints=[
        "Find out first what one hour costs. Count the things: so many instances, one load "
        "balancer or none, how many addresses, how many disks?",
        "Addresses: one for each instance, and two more if there is a load balancer.",
        "For one hour a GB of disk costs prices['disk'] / 730, and each instance has a disk.",
        "Whole hours: int(credit / per_hour) cuts off what is behind the point.",
    ],
)
def hours_left(answer):
    function = answer.function("hours_left")
    for prices, credit, instances, balanced, disk in (
        (PRICES, 100, 1, False, 10),
        (PRICES, 200, 2, False, 25),
        (PRICES, 100, 1, True, 10),
        (PRICES, 100, 3, True, 30),
        (DEARER, 750, 3, True, 30),
        (PRICES, 0.0193, 1, False, 10),
        ({"instance": 0.5, "load balancer": 2, "address": 0.25, "disk": 0.1}, 6, 1, False, 0),
    ):
        environment = {"instances": instances, "balanced": balanced, "disk": disk}
        given, given_prices = dict(environment), dict(prices)
        came = function(credit, given, given_prices)
        if (given, given_prices) != (environment, prices):
            raise Wrong("hours_left changes what it is given: only look at it.")
        right = int(credit / per_hour(environment, prices))
        text = f"{instances} instance(s), balanced {balanced}, disk {disk}"
        if prices != PRICES:
            text += " and other prices"
        what = f"hours_left, for {credit} dollars, {text},"
        remedy = slip(came, credit, environment, prices, right)
        expect(what, came, right, remedy, tolerance=1e-9)


def slip(came, credit, environment, prices, right) -> str:
    """Return what may have gone wrong with the credit."""
    count = environment["instances"]
    slips = {
        "the load balancer's two addresses are missing": {"addresses": 0},
        "the load balancer has two addresses, not one": {"addresses": 1},
        "there is one load balancer, however many instances": {
            "balancers": count * environment["balanced"]
        },
        "only balanced environments have a load balancer": {"balancers": 1},
        "the load balancer and its addresses are missing": {"balancers": 0},
        "each instance has a disk": {"disks": 1},
        "the disks are missing": {"disks": 0},
        "the disk's price is for a month of 730 hours, not for an hour": {"hours": 1},
        "a month has 730 hours here": {"hours": 720},
        "count all instances": {"instances": 1},
    }
    if is_number(came):
        if 0 < came - right <= 1:
            return "the last hour is paid in part only: cut it off, don't round up"
        for remedy, change in slips.items():
            if came == int(credit / per_hour(environment, prices, **change)):
                return remedy
        if came == int(credit / per_hour(environment, PRICES)):
            return "use the prices that are given"
        if abs(came - credit * per_hour(environment, prices)) < 1e-9:
            return "divide the credit by what an hour costs"
        if came == right // 24:
            return "that is in days"
    return "add what each part costs an hour, and divide the credit by that"


# --- what-goes-up and preflight: what goes up ---


@lab.exercise(
    "what-goes-up",
    lesson="The archive",
    hints=[
        "Play git: four dictionaries, for the folder, what is staged, the last commit, and the "
        "archive.",
        "write changes the folder alone; add copies one file's text from the folder to what is "
        "staged; commit copies all that is staged; pack takes what is committed at that moment.",
        "Staged files stay staged after a commit, and a copy is needed: commit = dict(index).",
        "An ignored name goes into a set; add passes it over unless it is among the staged.",
    ],
)
def goes_up(answer):
    function = answer.function("goes_up", returns=dict)
    app, second = [("write", "app.py", "v1"), ("add", "app.py")], [("write", "app.py", "v2")]
    commit, pack, ignore = [("commit",)], [("pack",)], [("ignore", "key.txt")]
    key = [("write", "key.txt", "s3cret"), ("add", "key.txt")]
    newer = [("write", "key.txt", "newer"), ("add", "key.txt")]
    one, two, keys = {"app.py": "v1"}, {"app.py": "v2"}, {"app.py": "v1", "key.txt": "s3cret"}
    new_keys = {"app.py": "v1", "key.txt": "newer"}
    folder = (
        "what was only written stays in the folder: git add takes it from there, and nobody else"
    )
    stays = "an ignored file that git knows already stays in what is staged and committed"
    takes = "a file that git knows already is added again, ignored or not"
    as_it_lies = "the archive goes up as it was packed, whatever happens later"
    cases = [  # events, what is committed, staged, packed; remedy
        ([], {}, {}, {}, "nothing has happened"),
        (app[:1], {}, {}, {}, folder),
        (app, {}, one, {}, "it is staged, and nothing is committed or packed yet"),
        (app + commit, one, one, {}, "what is staged stays so after a commit; nobody packed it"),
        (app + commit + second, one, one, {}, folder),
        (app + commit + second + app[1:], one, two, {}, "git add stages, and commits nothing"),
        (app + second + commit, one, one, {}, "git add takes the text of that moment, and a "
         "commit takes what is staged, not the folder"),
        (app + commit + key + commit, keys, keys, {}, "a commit holds all that is staged, also "
         "what was committed before"),
        (app + second + app[1:] + commit, two, two, {}, "git add once more replaces the text"),
        (app + commit + [("write", "notes.txt", "hm")] + commit, one, one, {}, folder),
        (commit + pack + app, {}, one, {}, "an empty commit stays empty, whatever comes later"),
        (app + commit + pack, one, one, one, "the archive has what is committed"),
        (app + commit + pack + second + app[1:] + commit, two, two, one, as_it_lies),
        (app + commit + second + app[1:] + pack, one, two, one, "pack takes what is committed"),
        (app + commit + pack + second + app[1:] + commit + pack, two, two, two, "who packs again "
         "replaces the archive"),
        (ignore + key + app + commit, one, one, {}, "git add passes a new file over that is "
         "ignored"),
        ([*ignore, ("ignore", "b.txt"), *key], {}, {}, {}, "each line of .gitignore counts"),
        (key + ignore + app + commit, keys, keys, {}, stays),
        (key + app + commit + ignore + pack, keys, keys, keys, stays),
        (key + app + commit + ignore + newer, keys, new_keys, {}, takes),
        (key + app + ignore + newer + commit, new_keys, new_keys, {}, takes),
    ]  # fmt: skip
    for events, *expected, remedy in cases:
        story = ", ".join(" ".join(event) for event in events) or "nothing"
        for way, right in zip(("commit", "staged", "archive"), expected, strict=True):
            came = function(copy.deepcopy(events), way)
            expect(f"after {story}: goes_up(events, {way!r})", came, right, remedy)


@lab.exercise(
    "preflight",
    lesson="Preflight",
    hints=[
        "for line in status.splitlines(): the letters are line[:2], the path is line[3:]. Don't "
        "strip: a blank may be the first letter.",
        "For each line ask which of the needed files it means: the same path, or one that begins "
        "with it where it ends with /.",
        'A renamed one has two paths, path.split(" -> "): the old one is stale, the new missing.',
        '"missing" for ?? and where letters[0] is A or R; "stale" for everything else.',
    ],
)
def preflight(answer):
    function = answer.function("preflight", returns=dict)
    train, data = "solutions/train.py", "data/customer.json"
    needed = ["Dockerfile", "Pipfile.lock", train, data, "Pipfile"]
    blank = "the first letter of this line is a blank, and a line's letters are line[:2]: strip "
    blank += "neither the line nor the text"
    folder = "a folder that git does not know is one line, ends with /, and holds this file"
    exact = "compare the whole path: this line is about another file"
    deleted = "it is deleted here, and the commit has it still"
    new = "the commit has no such file, under this name"
    cases = [
        ("", {}, "an empty status says that all is well"),
        (" M solutions/train.py\n", {train: "stale"}, blank),
        ("M  Dockerfile\n", {"Dockerfile": "stale"}, "staged is not committed"),
        ("MM Dockerfile\n", {"Dockerfile": "stale"}, "it differs from the commit, twice"),
        ("?? Dockerfile\n", {"Dockerfile": "missing"}, "git does not know it"),
        ("A  Pipfile\n", {"Pipfile": "missing"}, "it is added and not committed"),
        ("AM Pipfile\n", {"Pipfile": "missing"}, "its first letter is A"),
        ("AD Pipfile.lock\n", {"Pipfile.lock": "missing"}, "its first letter is A"),
        (" D Pipfile.lock\n", {"Pipfile.lock": "stale"}, deleted),
        ("D  Pipfile.lock\n", {"Pipfile.lock": "stale"}, deleted),
        ("UU solutions/train.py\n", {train: "stale"}, "all other letters mean stale"),
        ("T  Pipfile\n", {"Pipfile": "stale"}, "all other letters mean stale"),
        ("?? data/\n", {data: "missing"}, folder),
        ("?? solutions/\n", {train: "missing"}, folder),
        ("?? dat/\n", {}, exact),
        ("?? ta/\n", {}, exact),
        ("?? more/data/\n", {}, exact),
        ("?? Pipfile.lock.old\n", {}, exact),
        (" M more/Dockerfile\n", {}, exact),
        (" M Pipfile.lock\n", {"Pipfile.lock": "stale"}, exact),
        ('?? "my Dockerfile"\n', {}, exact),
        ("R  Pipfile.old -> Pipfile.lock\n", {"Pipfile.lock": "missing"}, new),
        ("R  Dockerfile -> Dockerfile.old\n", {"Dockerfile": "stale"}, "the commit still has it"),
        ("RM Pipfile -> Dockerfile\n", {"Pipfile": "stale", "Dockerfile": "missing"}, new),
        (" M notes.txt\n?? more.txt\n", {}, "other files are not packed"),
        ("A  Dockerfile\n M Pipfile\n?? data/\n M notes.txt\n",
         {"Dockerfile": "missing", "Pipfile": "stale", data: "missing"}, "go through all lines"),
        ("?? a.txt\nM  b.txt\n", {"b.txt": "stale"}, "needed is a parameter", "b.txt"),
        ("?? data/\n", {}, "that is another folder data, not the one in more", "more/data/b.txt"),
        ("?? more/data/\n", {"more/data/b.txt": "missing"}, folder, "more/data/b.txt"),
    ]  # fmt: skip
    for status, expected, remedy, *other in cases:
        files = other or needed
        given = list(files)
        came = function(status, given)
        what = f"preflight({status.replace(' ', '␣')!r}, {other or 'needed'}), where ␣ is a blank,"
        if given != files:
            raise Wrong(f"{what} changes the list of the needed files: only look at it.")
        if strange := set(came) - set(files):
            raise Wrong(f"{what} names {show(strange)}, and that is not needed.")
        if extra := set(came) - set(expected):
            raise Wrong(f"{what} names {', '.join(sorted(extra))}, and nothing is to be said of "
                        f"that: {exact if expected else remedy}.")  # fmt: skip
        expect(what, came, expected, remedy)


# --- where-the-key-may-go to a-client-that-sends-it: the key ---


@lab.exercise(
    "where-the-key-may-go",
    lesson="HTTPS",
    hints=[
        "Don't look for pieces of text: take the address apart. urlsplit(url) does it.",
        ".scheme is https or http, .hostname the machine without port and name, both in small "
        "letters.",
        "urlsplit raises a ValueError for some texts: return False there. And https:// alone has "
        "no hostname.",
    ],
)
def may_send(answer):
    function = answer.function("may_send", returns=bool)
    secure = "https may go anywhere"
    here = "this machine is the exception, on any port"
    plain = "over http whoever carries it reads the key"
    begins = "the machine's name only begins like this one: compare all of .hostname"
    before = "what stands before @ is a user's name, and the machine is example.com"
    path = "that stands behind the machine's name, where anybody may write anything"
    none = "that is no address with a machine in it"
    other = "the scheme is neither http nor https"
    capitals = "capital letters don't matter in scheme and machine"
    cases = [
        ("https://churn.example.com", True, secure),
        ("https://churn.example.com:8443/predict", True, secure),
        ("https://localhost:9696", True, secure), ("https://example.com/@home", True, secure),
        ("http://127.0.0.1:9696", True, here), ("http://localhost:9696/predict", True, here),
        ("http://localhost", True, here), ("http://[::1]:8000/predict", True, here),
        ("http://churn-prod.eu-central-1.elasticbeanstalk.com", False, plain),
        ("http://churn.example.com:443", False, "the port does not make it https"),
        ("http://192.168.0.7:9696", False, plain),
        ("http://0.0.0.0:9696", False, "0.0.0.0 is none of the three"),
        ("http://127.0.0.12", False, begins),
        ("http://local", False, "that is a piece of localhost: compare all of .hostname"),
        ("HTTPS://churn.example.com", True, capitals), ("HTTP://LOCALHOST:80", True, capitals),
        ("HTTP://CHURN.EXAMPLE.COM", False, plain),
        ("http://localhost.example.com", False, begins),
        ("http://127.0.0.1.example.com/", False, begins), ("http://my-localhost", False, begins),
        ("http://127.0.0.1@example.com", False, before),
        ("http://localhost:9696@example.com/", False, before),
        ("http://example.com/localhost", False, path),
        ("http://example.com/?from=https://localhost", False, path),
        ("http://example.com/#https://127.0.0.1", False, path),
        ("httpsx://example.com", False, other), ("httpx://localhost", False, other),
        ("ftp://localhost/predict", False, other),
        ("file:///predict", False, other), ("localhost:9696", False, other),
        ("127.0.0.1:9696", False, none), ("https.example.com", False, none),
        ("https://", False, none), ("https", False, none), ("", False, none),
        ("https:///predict", False, none), ("http://[::1", False, none),
        ("https://[::1", False, none),
    ]  # fmt: skip
    for url, expected, remedy in cases:
        error = function.error(url)
        if error is not None and url.endswith("[::1"):
            raise Wrong(
                f"may_send({url!r}) raised {describe(error)}, and should be False: it is no "
                "address, and urlsplit says so with a ValueError. Catch it."
            )
        expect(f"may_send({url!r})", function(url), expected, remedy)


PRACTICE_KEY = "for-practice-only-1234"
OTHER_KEY = "another-key-for-the-check"
Got = namedtuple("Got", "status headers text")  # an answer, over the network or in a test client


def header(sent: str | None) -> dict:
    return {} if sent is None else {"Authorization": sent}


@lab.exercise(
    "a-service-that-wants-its-key",
    lesson="A key",
    hints=[
        'First what is open: if KEY is None, or request.environ["REQUEST_METHOD"] is GET or HEAD '
        'and request.environ["PATH_INFO"] is /ping, return None.',
        'request.headers.get("Authorization", "") is what was sent, or an empty text.',
        "hmac.compare_digest(sent.encode(), right.encode()): bytes, for it refuses text with an ü. "
        "right is Bearer, a blank, and KEY.",
        'At the end: return jsonify(error="..."), 401, {"WWW-Authenticate": "Bearer"}.',
    ],
)
def gate(answer):
    live = Live("gate_service.py")

    def over_the_network(method, path, sent=None):
        response = live.ask(method, path, headers=header(sent))
        return Got(response.status_code, response.headers, response.text)

    try:
        see_gate(over_the_network, PRACTICE_KEY)
    except Wrong:
        with started_anew(live.path, PRACTICE_KEY) as (ask, _, _):
            see_gate(ask, PRACTICE_KEY)  # says the same, if the script is to blame
        raise Wrong(
            "your script does it right, and the one that runs does not: it was started without "
            f"CHURN_API_KEY, or with another one than {PRACTICE_KEY}: {live.restart}."
        ) from None
    with started_anew(live.path, OTHER_KEY) as (ask, printed, digests):
        try:
            see_gate(ask, OTHER_KEY)
        except Wrong as wrong:
            raise Wrong(f"started with another key, which KEY holds: {wrong}") from None
        see_what_was_sent(ask)
        see_comparison(ask, digests)
        if any(secret in printed.getvalue() for secret in (OTHER_KEY, "wrong-key")):
            raise Wrong(
                "the service prints or logs the key, or what was sent as one: a log is kept for "
                "long and read by many. Leave it out."
            )
    with started_anew(live.path, None) as (ask, _, _):
        for sent in (None, "Bearer wrong-key-wrong-key"):
            expect(
                "started without CHURN_API_KEY, the status of GET /customers",
                ask("GET", "/customers", sent).status, 200,
                "where KEY is None, let every request through",
            )  # fmt: skip


def see_what_was_sent(ask):
    """Raise Wrong if the gate is open to what Flask makes of a request, and not what it was."""
    sent = 'what was sent stands in request.environ["{}"]'
    small = f"request.method turns small letters into capitals; {sent.format('REQUEST_METHOD')}"
    slash = f"request.path makes one slash of two; {sent.format('PATH_INFO')}"
    for method, path, remedy in (
        ("get", "/ping", small), ("Head", "/ping", small), ("GET", "//ping", slash),
    ):  # fmt: skip
        see_status(ask, method, path, None, 401, remedy)


def see_comparison(ask, digests):
    """Raise Wrong unless compare_digest decides: it is made to say what is not true."""
    if not digests.call_count:
        raise Wrong(
            "the gate decides rightly, and never calls hmac.compare_digest: == stops at the "
            "first wrong character, and its time tells how many were right."
        )
    digests.side_effect = None
    for digests.return_value, key in ((False, OTHER_KEY), (True, OTHER_KEY[::-1])):
        let_in = ask("GET", "/customers", f"Bearer {key}").status == 200
        if let_in != digests.return_value:
            raise Wrong(
                "the gate calls hmac.compare_digest, and decides by something else: what it "
                "returns, True or False, should say whether the request may pass."
            )


def see_gate(ask, key):
    """Raise Wrong unless a service that wants this key lets in who has it, and nobody else."""
    for method, path in (("GET", "/ping"), ("HEAD", "/ping"), ("GET", "/ping?from=balancer")):
        see_status(ask, method, path, None, 200, "GET and HEAD of /ping are open for all")
    remedy = "that is Bearer, a blank and KEY, in the header Authorization: compare with that"
    see_status(ask, "GET", "/customers", f"Bearer {key}", 200, remedy)
    bearer = f"the header is the word Bearer, a blank and {key}: compare all of it"
    for sent, remedy in (
        (None, "return jsonify(...), 401 where the header is missing"),
        ("Bearer wrong-key-wrong-key", "that is not KEY"),
        ("Bearer", "there is no key behind it"),
        (key, bearer), (f"Digest {key}", bearer),
        (f"Bearer {key[:-1]}", "it lacks a character: compare the whole"),
        (f"Bearer {key}s", "it has a character too many: compare the whole"),
        (f"Bearer {key.upper()}", "capital letters matter in a key"),
        (f"Bearer {key}ü", "it has a character too many: compare the whole"),
    ):  # fmt: skip
        see_refusal(see_status(ask, "GET", "/customers", sent, 401, remedy), key)
    for method, path, remedy in (
        ("GET", f"/customers?key={key}", "addresses stand in logs; only the header counts"),
        ("GET", "/nothing-here", "nobody without the key may find out which paths there are"),
        ("GET", "/ping/", "only the path /ping is open: compare with ==, not startswith"),
        ("POST", "/ping", "only GET and HEAD of /ping are open: look at the method, too"),
        ("OPTIONS", "/ping", "only GET and HEAD of /ping are open, and OPTIONS is neither"),
        ("OPTIONS", "/customers", "OPTIONS, too, tells strangers what there is"),
    ):
        see_refusal(see_status(ask, method, path, None, 401, remedy), key)
    see_status(ask, "HEAD", "/customers", None, 401, "only the path /ping is open")
    remedy = "with the key, Flask says itself what is not there: let the request through"
    see_status(ask, "GET", "/nothing-here", f"Bearer {key}", 404, remedy)


def failure_at(path, sent):
    """Return why a gate may fail at this request."""
    if sent and not sent.isascii():
        return "compare_digest raises a TypeError for text with an ü. Give it bytes: .encode()"
    log = "The service's log says where"
    if sent or path == "/ping":
        return log
    return f'Without the header, request.headers.get("Authorization", "") is an empty text. {log}'


def see_status(ask, method, path, sent, expected, remedy):
    """Ask, and return the answer if its status is the expected one."""
    what = f"{method} {path} {'without a key' if sent is None else f'with Authorization: {sent}'}"
    got = ask(method, path, sent)
    if got.status == 500:
        remedy = f"your code failed there. {failure_at(path, sent)}"
    if got.status != expected:
        raise Wrong(f"{what} should be answered with {expected}, and is with {got.status}: "
                    f"{remedy}.")  # fmt: skip
    return got


def see_refusal(got, key):
    """Raise Wrong unless a 401 has its header and its JSON, and says nothing of keys."""
    said = f"{got.headers} {got.text}"
    if key in said or "wrong-key" in said:
        raise Wrong("the answer 401 holds the key, or what was sent as one: say neither.")
    try:
        error = json.loads(got.text)["error"]
    except (ValueError, LookupError, TypeError):
        error = None
    if not isinstance(error, str) or not got.headers.get("Content-Type", "").startswith(JSON):
        raise Wrong(
            f'a 401 should be the JSON {{"error": "..."}}, and is {show(got.text)}: return '
            'jsonify(error="..."), 401, and the headers; abort(401) and raise make a web page.'
        )
    if not got.headers.get("WWW-Authenticate", "").lower().startswith("bearer"):
        raise Wrong(
            "a 401 should have the header WWW-Authenticate: Bearer, which says what is wanted: "
            "return a dictionary of headers behind the status."
        )


@contextlib.contextmanager
def started_anew(path, key):
    """Run a service's script here, with this key or none; yield ask, the output, compare_digest.

    Nothing is served: a test client asks. compare_digest is a mock, which knows its calls.
    """
    printed, digests = io.StringIO(), Mock(side_effect=hmac.compare_digest)
    log = logging.StreamHandler(printed)

    def ask(method, path, sent=None):
        as_sent = {"REQUEST_METHOD": method, "PATH_INFO": path.partition("?")[0]}
        response = app.test_client().open(path, headers=header(sent), environ_overrides=as_sent)
        return Got(response.status_code, response.headers, response.get_data(as_text=True))

    with (
        patch.dict(os.environ),
        patch.object(Flask, "run", lambda *_, **__: None),
        patch.object(hmac, "compare_digest", digests),
        patch.object(secrets, "compare_digest", digests),
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        os.environ.pop("CHURN_API_KEY", None)
        if key:
            os.environ["CHURN_API_KEY"] = key
        how = f"with the key {key}" if key else "without CHURN_API_KEY"
        logging.getLogger().addHandler(log)
        try:
            names = runpy.run_path(str(path), run_name=path.stem)
            app = next((value for value in names.values() if isinstance(value, Flask)), None)
            if app is None:
                raise Wrong(f"{path.name} has no app = Flask(...) any more: put it back.")
            yield ask, printed, digests
        except (Exception, SystemExit) as error:
            if isinstance(error, Wrong):
                raise
            raise Wrong(f"{path.name}, started {how}, ends: {describe(error)}. Above gate, "
                        "let the lines be as they were.") from None  # fmt: skip
        finally:
            logging.getLogger().removeHandler(log)


@lab.exercise(
    "a-client-that-sends-it",
    lesson="A key",
    hints=[
        "requests.post(url + '/predict', json=customer, headers=headers, timeout=10) asks.",
        'headers is {"Authorization": f"Bearer {key}"}, or {} when key is None.',
        "if response.status_code == 401: raise PermissionError(...), with a sentence that names "
        "CHURN_API_KEY and not the key; no loop.",
        "Then response.raise_for_status(), which raises for 400 and above, and return "
        "response.json().",
    ],
)
def client(answer):
    function = answer.function("ask", returns=dict)
    key = "key-that-the-check-made"
    for customer, probability, wanted in (
        ({"customerid": "8879-zkjof", "tenure": 41}, 0.0625, key),
        ({"customerid": "0000-aaaaa", "tenure": 1, "gender": "female"}, 0.75, key[::-1]),
        ({"customerid": "8879-zkjof", "tenure": 41}, 0.0625, None),
    ):
        expected = {"churn_probability": probability, "churn": probability >= 0.5}
        with talk(lambda asked, _, expected=expected: (200, expected)) as (url, requests_):
            given = dict(customer)
            came, error = function.attempt((url, given, wanted))
            see_request(requests_, customer, wanted, error)
            if given != customer:
                raise Wrong("ask changes the customer that it is given: send it as it is.")
            if error is not None:
                raise Wrong(f"ask raised {describe(error)}{function.place(error)}, and the service "
                            "had answered with 200: mend that first.")  # fmt: skip
            expect("what ask returns", came, expected, "return response.json()")
    for status, body in (
        (401, {"error": "This service wants its key."}),
        (400, {"error": "1 problem(s)"}),
        (404, {"error": "no such path"}),
        (500, {"error": "our mistake"}),
        (403, {"error": "not you"}),
    ):
        with talk(lambda asked, _, answer=(status, body): answer) as (url, requests_):
            came, error = function.attempt((url, {"tenure": 41}, key))
            see_request(requests_[:1], {"tenure": 41}, key, error)
        if error is None:
            raise Wrong(
                f"the service answers with {status}, and ask returns {show(came)} as if all were "
                "well: raise an exception, and let nobody catch it in ask."
            )
        if key in f"{error} {error!r}":
            raise Wrong(
                f"the exception after a {status} holds the key, and exceptions end in logs: name "
                "the variable, not its value."
            )
        if status == 401:
            see_unknown_key(error, len(requests_))
        elif status != 403 and isinstance(error, PermissionError):
            raise Wrong(
                f"after a {status} ask raises a PermissionError as after a 401, and the key is not "
                "to blame: raise another exception."
            )


def see_unknown_key(error, count):
    """Raise Wrong unless a 401 became a PermissionError, at once."""
    if count > 1:
        raise Wrong(
            f"ask asks {count} times with a key that the service does not know: it stays wrong, "
            "and many tries look like an attack. Raise at the first 401."
        )
    if not isinstance(error, PermissionError):
        raise Wrong(
            f"after a 401 ask should raise a PermissionError, and raises {describe(error)}: ask "
            "for 401 before raise_for_status()."
        )
    if "CHURN_API_KEY" not in str(error):
        raise Wrong(
            f"the PermissionError says {show(str(error))}: name CHURN_API_KEY, so that somebody "
            "knows what to set."
        )


@contextlib.contextmanager
def talk(reply):
    """Run a stand-in; yield its url and requests; raise Wrong if anything is printed meanwhile."""
    printed = io.StringIO()
    with (
        stand_in(reply) as service,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        yield service.url, service.requests
    if printed.getvalue():
        raise Wrong(f"ask prints {show(printed.getvalue())}: what it knows, it returns or raises.")


def see_request(requests_, customer, key, error):
    """Raise Wrong unless the one request is the right one, with the key in its header only."""
    if len(requests_) != 1:
        raised = f" (it raised {describe(error)})" if error else ""
        raise Wrong(
            f"ask should send one request to url, and sends {len(requests_)}{raised}: "
            'requests.post(url + "/predict", ...), once.'
        )
    asked = requests_[0]
    if key and key in asked.path:
        raise Wrong(
            "the key stands in the address, and addresses stand in every log on the way: it goes "
            "into the header, headers={...}."
        )
    if (asked.method, asked.path) != ("POST", "/predict"):
        raise Wrong(f"ask should send POST /predict, and sends {asked.method} {asked.path}.")
    if key and key in asked.body.decode(errors="replace"):
        raise Wrong("the key stands in the body, among the customer's fields: it is for the "
                    "header, and for nothing else.")  # fmt: skip
    came = asked.headers.get("Authorization")
    if key is None and came is not None:
        raise Wrong(
            f"the key is None, and ask sends Authorization: {came}: send no such header then."
        )
    if key is not None and came != f"Bearer {key}":
        raise Wrong(
            f"the header should be Authorization: Bearer {key}, and is {came or 'missing'}: "
            'headers={"Authorization": f"Bearer {key}"}.'
        )
    for name, text in asked.headers.items():
        if key and key in text and name != "Authorization":
            raise Wrong(f"the key stands in the header {name}, too: in Authorization, and nowhere "
                        "else.")  # fmt: skip
    try:
        body = json.loads(asked.body) if only_json(asked) else None
    except ValueError:
        body = None
    if body != customer:
        raise Wrong("the body should be the customer as JSON, and is not: json=customer makes it, "
                    "with its header.")  # fmt: skip
