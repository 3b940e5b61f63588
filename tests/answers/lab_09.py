"""Lab 9: right answers in another style, and wrong ones with what each must be told."""

from proof import Instead

DAY = [
    "eb init churn -p 'Docker running on 64bit Amazon Linux 2023' -r eu-north-1",
    "eb create churn-prod -s",
    "eb setenv CHURN_API_KEY=$CHURN_API_KEY",
    "eb deploy",
    "eb logs",
    "eb terminate",
]


def day(*lines):
    """Return an answer to 9.1."""
    return f"commands = {list(lines)!r}"


def change(number, line):
    """Return the day with another line."""
    return day(*DAY[:number], line, *DAY[number + 1 :])


GATE = "    method, path = request.environ"
OPEN = 'method in ("GET", "HEAD") and path == "/ping"'
COMPARE = 'hmac.compare_digest(sent.encode(), f"Bearer {KEY}".encode())'
REFUSE = 'return jsonify(error="This service wants its key."), 401, {"WWW-Authenticate": "Bearer"}'

ANSWERS = {
    "a-day-in-the-cloud": {
        "right": [
            """
commands = [
    "eb init churn -p 'Docker running on 64bit Amazon Linux 2023' -r eu-north-1",
    "eb create churn-prod -s",
    "eb setenv CHURN_API_KEY=$CHURN_API_KEY",
    "eb deploy",
    "eb logs",
    "eb terminate",
]
""",
            """
commands = [
    'eb init --region eu-north-1 --platform "Docker running on 64bit Amazon Linux 2023" churn',
    'eb create --single churn-prod --envvars "CHURN_API_KEY=$CHURN_API_KEY" -i t3.micro',
    "eb status churn-prod",
    "eb deploy churn-prod -l second --timeout 20",
    "eb health",
    "eb logs churn-prod --all",
    "eb terminate --force churn-prod",
    "eb list",
]
""",
            """
commands = (
    "eb init -r eu-north-1 '-pDocker running on 64bit Amazon Linux 2023' churn",
    "eb create -s -c churn-prod -nh churn-prod --region=eu-north-1",
    'eb setenv -e churn-prod "CHURN_API_KEY=${CHURN_API_KEY}" --timeout 5',
    "eb printenv",
    "eb deploy -m 'the correction'",
    "eb open",
    "eb logs -z",
    "eb terminate churn-prod -nh",
)
""",
            """
commands = [
    "eb init churn --platform='Docker running on 64bit Amazon Linux 2023' --region eu-north-1",
    "eb create churn-prod --single",
    "eb setenv CHURN_API_KEY=$env:CHURN_API_KEY -e churn-prod",
    "eb deploy",
    "eb logs",
    "eb terminate",
]
""",
        ],
        "wrong": [
            (day(*DAY[:2], DAY[3], DAY[2], *DAY[4:]), "the service would be open for a while"),
            (
                day(DAY[0], DAY[3], DAY[1], *DAY[2:3], *DAY[4:]),
                "eb deploy stands before eb create, and there is no environment yet",
            ),
            (day(DAY[1], DAY[0], *DAY[2:]), "does not know the application yet"),
            (day(DAY[0], DAY[2], DAY[1], *DAY[3:]), "eb setenv stands before eb create"),
            (day(*DAY[:3], DAY[4], DAY[3], DAY[5]), "looks at what has been deployed before"),
            (day(*DAY[:4], DAY[5], DAY[4]), "nothing is left then that could be asked"),
            (day(*DAY[:2], *DAY[3:]), "everybody may call the service (step 3)"),
            (day(*DAY[:3], *DAY[4:]), "the colleague's correction stays at home"),
            (day(*DAY[:5]), "runs all night, and costs"),
            (day(*DAY[1:]), "the folder is not an application yet"),
            (day(*DAY[:4], DAY[5]), "nobody looks at the logs"),
            (day(*DAY[:4], DAY[3], *DAY[4:]), "eb deploy stands there twice"),
            (
                change(1, "eb create churn-prod -s --envvars CHURN_API_KEY=$CHURN_API_KEY"),
                "the key is set twice",
            ),
            (
                change(0, "eb init churn -p python-3.11 -r eu-north-1"),
                "where no Dockerfile is read",
            ),
            (change(0, "eb init churn -p ecs -r eu-north-1"), "where no Dockerfile is read"),
            (
                change(0, "eb init churn -p 'ECS running Docker' -r eu-north-1"),
                "for several containers",
            ),
            (
                change(
                    0, "eb init churn -p 'Docker running on 64bit Amazon Linux 2' -r eu-north-1"
                ),
                "chooses Amazon Linux 2, and its support has ended",
            ),
            (
                change(0, "eb init churn -r eu-north-1"),
                "names no platform, and the EB CLI would ask",
            ),
            (change(0, "eb init churn -p docker"), "names no region"),
            (
                change(0, "eb init churn -p docker -r eu-north-1"),
                "lets the EB CLI choose the Amazon Linux",
            ),
            (
                change(1, "eb create churn-prod -s -p python-3.11"),
                "chooses a platform where no Dockerfile is read",
            ),
            (change(1, "eb create churn-prod -single"), "--single has two hyphens"),
            (day("; ".join(DAY)), "holds several commands"),
            (change(0, "eb init churn -p docker -r us-east-1"), "Stockholm is eu-north-1"),
            (
                change(0, "eb init -p docker -r eu-north-1"),
                "should name the application churn, behind init",
            ),
            (
                change(0, "eb init churn-prod -p docker -r eu-north-1"),
                "should name the application churn, behind init",
            ),
            (change(0, "eb -r eu-north-1 init churn -p docker"), "wants its command first"),
            (change(1, "eb create churn-prod"), "costs more than the instance: --single"),
            (change(1, "eb create churn-prod --scale 1"), "costs more than the instance: --single"),
            (
                change(1, "eb create churn-prod -s --scale 1"),
                "has one instance and no load balancer",
            ),
            (
                change(1, "eb create churn-prod --single-instance"),
                "does not understand 'eb create churn-prod --single-instance' (unrecognized",
            ),
            (change(1, "eb create churn --single"), "and names the application"),
            (change(1, "eb create --single"), "asks for a name: write churn-prod"),
            (change(1, "eb create churn-prod -s --sample"), "uploads Amazon's sample"),
            (change(1, "eb create churn-prod -s -db"), "makes a database, for which nobody asked"),
            (change(2, "eb setenv CHURN_API_KEY $CHURN_API_KEY"), "as NAME=VALUE, one word"),
            (
                change(2, "eb setenv CHURN_API_KEY=$CHURN_API_KEY churn-prod"),
                "as NAME=VALUE, one word",
            ),
            (change(2, "eb setenv"), "does not understand 'eb setenv' (the following"),
            (change(2, "eb setenv CHURN_API_KEY="), "takes the property away"),
            (change(2, "eb setenv API_KEY=$CHURN_API_KEY"), "should set CHURN_API_KEY and nothing"),
            (
                change(2, "eb setenv CHURN_API_KEY=9f3k2j5h6l7m8n9p0q"),
                "stands in this notebook, and with it in git for ever",
            ),
            (
                change(2, "eb setenv 'CHURN_API_KEY=$CHURN_API_KEY'"),
                "has single quotes, and between them a shell leaves",
            ),
            (change(2, "export CHURN_API_KEY=$CHURN_API_KEY"), "begins with eb, and 'export"),
            (change(2, "git add .env"), "one command that begins with eb, and 'git add .env'"),
            (change(2, "eb config"), "eb config is not in the story"),
            (change(3, "eb deploy --staged"), "uploads what is staged, and the correction"),
            (change(3, "eb deploy --version v1"), "something else than the last commit"),
            (change(3, "git push"), "and 'git push' does not"),
            (change(3, "eb push"), "there is no command 'eb push'"),
            (change(3, "eb deploy churn"), "and names the application"),
            (change(3, "eb local run"), "eb local deploys nothing, and wants"),
            (change(4, "eb logs -cw enable"), "begins to store logs, which costs"),
            (change(4, "eb logs -cw"), "begins to store logs, which costs"),
            (change(4, "eb logs -a -z"), "takes one of --all and --zip"),
            (change(4, "eb log"), "there is no command 'eb log'"),
            (change(5, "eb delete churn-prod"), "there is no command 'eb delete'"),
            (change(5, "eb terminate --all"), "takes the application along"),
            (
                change(5, "eb terminate churn-env"),
                "should name the environment churn-prod: see step 2",
            ),
            (change(5, "eb terminate churn"), "and names the application"),
            (change(5, "eb terminate -r us-east-1"), "goes to us-east-1"),
            (change(5, "eb terminate 'churn-prod"), "can't be read (No closing quotation)"),
            (change(5, "eb"), "there is no command 'eb'"),
            (day(" && ".join(DAY)), "holds several commands"),
            (f"commands = {' && '.join(DAY)!r}", "should be of type list"),
            ("commands = []", "not an application yet"),
            ("commands = [['eb', 'init']]", "should hold texts"),
        ],
    },
    "what-still-costs": {
        "right": [
            """
def still_costs(account):
    names = []
    for entry in account:
        kind, state = entry["kind"], entry["state"]
        if state in {"terminated", "deleted"} or kind in {"application", "environment", "role", "security group"}:
            continue
        if kind == "instance" and state != "running":
            continue
        if kind == "bucket" and not entry["bytes"]:
            continue
        names.append(entry["name"])
    return names
""",
            """
def still_costs(account):
    free = ("application", "environment", "security group", "role")
    return [
        e["name"] for e in account
        if e["state"] not in ("terminated", "deleted") and e["kind"] not in free
        and (e["kind"] != "instance" or e["state"] == "running") and e.get("bytes", 1) > 0
    ]
""",
        ],
        "wrong": [
            (
                'def still_costs(account):\n    return [e["name"] for e in account if e["state"] == "running"]',
                "with one disk that is 'in use', should be ['disk-3'], and is []",
            ),
            (Instead('["state"] == "running"', '["state"] != "terminated"'), "it does not run"),
            (Instead('["state"] == "running"', '["state"] != "stopped"'), "it does not run yet"),
            (
                Instead(
                    "    return [entry",
                    '    for entry in list(account):\n        if entry["state"] == "terminated":\n            account.remove(entry)\n    return [entry',
                ),
                "changes the account",
            ),
            (
                Instead(
                    'if entry["state"] in ("terminated", "deleted")', 'if entry["state"] == "-"'
                ),
                "that is over, and shown for a while",
            ),
            (
                Instead('("terminated", "deleted")', '("terminated",)'),
                "with one disk that is 'deleted'",
            ),
            (
                Instead('("terminated", "deleted")', '("terminated", "deleted", "not in use")'),
                "it is kept for you, and that costs, used or not",
            ),
            (
                Instead(
                    '            case "bucket"',
                    '            case "load balancer":\n                return entry["state"] == "active"\n            case "bucket"',
                ),
                "with one load balancer that is 'no targets'",
            ),
            (
                Instead("        return True\n", "        return False\n"),
                "with one disk that is 'in use'",
            ),
            (
                Instead(
                    "        return True\n",
                    '        return entry["kind"] in ("disk", "address", "load balancer")\n',
                ),
                "somebody must look at it",
            ),
            (
                Instead("        return True\n", "        raise ValueError(entry['kind'])\n"),
                "raised ValueError: disk",
            ),
            (
                Instead('"application" | "environment" |', '"application" |'),
                "its parts are entries of their own",
            ),
            (Instead('return entry["bytes"] > 0', "return True"), "there is nothing in it"),
            (
                Instead('return entry["bytes"] > 0', 'return entry["bytes"] > 1_000_000'),
                "what lies in it costs, however little",
            ),
            (Instead('return entry["bytes"] > 0', "return False"), "a few cents"),
            (
                Instead('[entry["name"] for entry', "[entry for entry"),
                "returns whole entries: take name",
            ),
            (
                Instead(
                    'return [entry["name"] for entry in account if costs(entry)]',
                    'return sorted(entry["name"] for entry in account if costs(entry))',
                ),
                "in their order",
            ),
            (
                Instead(
                    'return [entry["name"] for entry in account if costs(entry)]',
                    'return {entry["name"] for entry in account if costs(entry)}',
                ),
                "should be of type list",
            ),
            (
                'def still_costs(account):\n    return ["disk-of-churn-old", "18.0.2.44", "archives"]',
                "should be ['instance-0'], and is",
            ),
            (
                Instead(
                    "    return [entry",
                    '    for entry in account:\n        entry.pop("kind") if entry["kind"] == "role" else 0\n    return [entry',
                ),
                "raised KeyError",
            ),
            (
                Instead(
                    "    return [entry",
                    '    for entry in account:\n        entry["state"] = entry["state"].strip() + "."\n    return [entry',
                ),
                "and is []|changes the account",
            ),
            (
                Instead(
                    "    return [entry",
                    "    for e in account:\n        e['seen'] = 1\n    return [e",
                ),
                "changes the account that it is given|NameError",
            ),
        ],
    },
    "how-long-the-credit-lasts": {
        "right": [
            """
def hours_left(credit, environment, prices):
    n = environment["instances"]
    month = n * environment["disk"] * prices["disk"]
    month += 730 * n * (prices["instance"] + prices["address"])
    if environment["balanced"]:
        month += 730 * (prices["load balancer"] + 2 * prices["address"])
    return 730 * credit // month
""",
            """
def hours_left(credit, environment, prices):
    import math
    amounts = {
        "instance": environment["instances"],
        "load balancer": environment["balanced"],
        "address": environment["instances"] + 2 * environment["balanced"],
        "disk": environment["instances"] * environment["disk"] / 730,
    }
    return math.floor(credit / sum(amounts[name] * prices[name] for name in amounts))
""",
        ],
        "wrong": [
            (Instead("(instances + 2 * balancers)", "instances"), "two addresses are missing"),
            (Instead("2 * balancers", "balancers"), "has two addresses, not one"),
            (Instead("1 if env", "instances if env"), "one load balancer, however many"),
            (Instead('1 if environment["balanced"] else 0', "1"), "only balanced environments"),
            (
                Instead('1 if environment["balanced"] else 0', "0"),
                "the load balancer and its addresses are missing",
            ),
            (Instead("instances * environment", "environment"), "each instance has a disk"),
            (
                Instead('        + instances * environment["disk"] * prices["disk"] / 730\n', ""),
                "the disks are missing",
            ),
            (Instead(" / 730", ""), "for a month of 730 hours, not for an hour"),
            (Instead(" / 730", " / (24 * 30)"), "a month has 730 hours here"),
            (Instead("        instances * prices", "        prices"), "count all instances"),
            (Instead("int(credit", "round(credit"), "is paid in part only: cut it off"),
            (
                Instead("int(credit / per_hour)", "int(round(credit / per_hour, 2))"),
                "is paid in part only: cut it off",
            ),
            (
                Instead("int(credit / per_hour)", "int(credit / per_hour) + 1"),
                "is paid in part only: cut it off",
            ),
            (
                Instead("int(credit / per_hour)", "-(-credit // per_hour)"),
                "is paid in part only: cut it off",
            ),
            (Instead("int(credit / per_hour)", "credit / per_hour"), "cut it off, don't round up"),
            (
                Instead("int(credit / per_hour)", "credit * per_hour"),
                "divide the credit by what an hour costs",
            ),
            (Instead("int(credit / per_hour)", "int(credit / per_hour / 24)"), "that is in days"),
            (
                Instead("int(credit / per_hour)", "int(credit / per_hour - 1e-9)"),
                "hours_left, for 6 dollars",
            ),
            (
                Instead(
                    "    instances =",
                    '    prices = {"instance": 0.013, "load balancer": 0.031, "address": 0.005, "disk": 0.096}\n    instances =',
                ),
                "use the prices that are given",
            ),
            (
                Instead("return int(credit / per_hour)", 'return f"{credit / per_hour:.0f} hours"'),
                "should be the number 5177",
            ),
            (
                "def hours_left(credit, environment, prices):\n    return 5177",
                "and divide the credit by that",
            ),
            (Instead("return int", "print(int", "per_hour)", "per_hour))"), "is None"),
            (
                Instead("    return int", '    environment["instances"] = 0\n    return int'),
                "changes what it is given",
            ),
            (
                Instead('["balanced"]', '["load balancer"]'),
                "raised KeyError: 'load balancer', in line 3",
            ),
        ],
    },
    "what-goes-up": {
        "right": [
            """
def goes_up(events, way):
    folder, ignored = {}, []
    now = {"staged": {}, "commit": {}, "archive": {}}
    for event in events:
        if event[0] == "write":
            folder[event[1]] = event[2]
        elif event[0] == "ignore":
            ignored.append(event[1])
        elif event[0] == "add":
            if event[1] not in ignored or event[1] in now["staged"]:
                now["staged"] = {**now["staged"], event[1]: folder[event[1]]}
        elif event[0] == "commit":
            now["commit"] = now["staged"]
        else:
            now["archive"] = now["commit"]
    return now[way]
""",
            """
def goes_up(events, way):
    folder, index, commit, archive = {}, {}, {}, {}
    ignored = set()
    for what, *rest in events:
        if what == "write":
            folder.update([rest])
        elif what == "ignore":
            ignored.update(rest)
        elif what == "commit":
            commit.update(index)
        elif what == "pack":
            archive = commit.copy()
        elif rest[0] in commit or rest[0] in index or rest[0] not in ignored:
            index[rest[0]] = folder[rest[0]]
    return index if way == "staged" else commit if way == "commit" else archive
""",
        ],
        "wrong": [
            (
                Instead("commit = dict(index)", "commit = index"),
                "git add stages, and commits nothing",
            ),
            (
                Instead("commit = dict(index)", "commit = dict(folder)"),
                "takes what is staged, not the folder",
            ),
            (
                Instead("commit = dict(index)", "commit, index = index, {}"),
                "what is staged stays so after a commit",
            ),
            (Instead("archive = commit", "archive = dict(index)"), "pack takes what is committed"),
            (Instead("archive = commit", "archive = dict(folder)"), "pack takes what is committed"),
            (
                Instead("archive = commit", "archive = archive or commit"),
                "who packs again replaces",
            ),
            (
                Instead("archive = commit", "pass", '"archive": archive', '"archive": commit'),
                "nobody packed it",
            ),
            (
                Instead(
                    "archive = commit",
                    "packed = True",
                    "    return {",
                    "    archive = commit if 'packed' in locals() else {}\n    return {",
                ),
                "the archive goes up as it was packed",
            ),
            (
                Instead(
                    "commit = dict(index)", "commit = dict(index)\n                archive = commit"
                ),
                "nobody packed it",
            ),
            (
                Instead('"commit": commit, "staged": index', '"commit": index, "staged": commit'),
                "nothing is committed or packed yet",
            ),
            (
                Instead('"commit": commit, "staged": index', '"commit": commit, "staged": folder'),
                "git add takes it from there, and nobody else",
            ),
            (
                Instead('"commit": commit', '"commit": folder'),
                "git add takes it from there, and nobody else",
            ),
            (Instead("name in index or ", ""), "is added again, ignored or not"),
            (Instead("ignored.add(name)", "ignored = [name]"), "each line of .gitignore counts"),
            (
                Instead(" if name in index or name not in ignored", ""),
                "passes a new file over that is ignored",
            ),
            (
                Instead("ignored.add(name)", "ignored.add(name), index.pop(name, None)"),
                "an ignored file that git knows already stays",
            ),
            (
                Instead(
                    "    return {",
                    "    commit = {k: v for k, v in commit.items() if k not in ignored}\n    return {",
                ),
                "an ignored file that git knows already stays",
            ),
            (
                Instead("folder[name] = text", "folder[name] = index[name] = text"),
                "git add takes it from there, and nobody else",
            ),
            (
                Instead(
                    "folder[name] = text",
                    "folder[name] = text\n                if name in index:\n                    index[name] = text",
                ),
                "git add takes it from there, and nobody else",
            ),
            (
                'def goes_up(events, way):\n    return {"app.py": {"commit": "v2", "staged": "v3", "archive": "v1"}[way]}',
                "nothing has happened",
            ),
            (Instead("    return {", "    x = {"), "returned None"),
            (Instead('"staged": index', '"--staged": index'), "raised KeyError: 'staged'"),
            (
                Instead("index[name] = folder[name]", "index[name] = True"),
                "and is {'app.py': True}",
            ),
        ],
    },
    "preflight": {
        "right": [
            """
def preflight(status, needed):
    problems = {}
    for line in status.split("\\n"):
        if not line:
            continue
        x, y, paths = line[0], line[1], line[3:].split(" -> ")
        if x == "R":
            if paths[0] in needed:
                problems[paths[0]] = "stale"
            verdict = "missing"
        else:
            verdict = "missing" if x in "?A" else "stale"
        path = paths[-1]
        problems |= {n: verdict for n in needed if n == path or path[-1] == "/" and n.startswith(path)}
    return problems
""",
            """
import re

def preflight(status, needed):
    def verdict(file):
        for letters, old, new in re.findall(r"^(..) (?:(.*) -> )?(.*)$", status, re.M):
            if file == old:
                return "stale"
            if file == new or new.endswith("/") and file.startswith(new):
                return "missing" if letters[0] in "?AR" else "stale"
        return None
    return {file: verdict(file) for file in needed if verdict(file)}
""",
        ],
        "wrong": [
            (
                Instead("status.splitlines()", "status.strip().splitlines()"),
                "strip neither the line nor the text",
            ),
            (
                Instead("line[:2], line[3:]", "line.split()[0], line.split()[-1]"),
                "the commit still has it",
            ),
            (
                Instead("line[:2], line[3:]", "line[:2], line[2:]"),
                "strip neither the line nor the text",
            ),
            (
                Instead(' or (new.endswith("/") and file.startswith(new))', ""),
                "is one line, ends with /",
            ),
            (Instead('new.endswith("/") and ', ""), "compare the whole path"),
            (
                Instead("file.startswith(new)", 'new[:-1] in file.split("/")'),
                "that is another folder data",
            ),
            (Instead("file.startswith(new)", 'new[:-1] == file.split("/")[0]'), "holds this file"),
            (
                Instead('letters[0] in "AR"', 'letters in ("A ", "AM") or letters[0] == "R"'),
                "its first letter is A",
            ),
            (Instead("file == new", "file in new"), "compare the whole path"),
            (Instead("file.startswith(new)", "new in file"), "compare the whole path"),
            (
                Instead('letters == "??" or letters[0] in "AR"', 'letters == "??"'),
                "added and not committed",
            ),
            (
                Instead('letters == "??" or letters[0] in "AR"', 'letters in ("??", "A ", "R ")'),
                "its first letter is A",
            ),
            (
                Instead('letters == "??" or letters[0] in "AR"', 'letters[0] in "AR"'),
                "git does not know it",
            ),
            (
                Instead('letters == "??" or letters[0] in "AR"', 'letters[0] in "AR?D"'),
                "it is deleted here, and the commit has it still",
            ),
            (
                Instead(
                    'letters == "??" or letters[0] in "AR"',
                    'letters == "??" or letters[0] in "ARM"',
                ),
                "staged is not committed",
            ),
            (Instead('letters[0] in "AR"', 'letters[0] == "A"'), "no such file, under this name"),
            (
                Instead(
                    '            elif file == old:\n                found[file] = "stale"  # the commit still has it\n',
                    "",
                ),
                "the commit still has it",
            ),
            (
                Instead('found[file] = "stale"  #', 'found[file] = "missing"  #'),
                "the commit still has it",
            ),
            (
                Instead(
                    "            if file == new", "            if letters[1] != ' ' and file == new"
                ),
                "staged is not committed",
            ),
            (
                Instead("    return found", "        return found"),
                "returned None",
            ),
            (
                """
def preflight(status, needed):
    found = {}
    for line in status.splitlines():
        found[line[3:]] = "missing" if line[:2] in ("??", "A ") else "stale"
    return found
""",
                "its first letter is A",
            ),
            (
                """
def preflight(status, needed):
    found = {}
    for line in status.splitlines():
        found[line[3:]] = "missing" if line[0] in "?A" else "stale"
    return found
""",
                "and that is not needed",
            ),
            (
                "def preflight(status, needed):\n    return [file for file in needed if file in status]",
                "should be of type dict",
            ),
            (
                'def preflight(status, needed):\n    return {f: "stale" for f in needed if f in status}',
                "git does not know it",
            ),
            (
                Instead('"missing" if missing else "stale"', '"stale"'),
                "git does not know it",
            ),
            (
                Instead(
                    "    found = {}",
                    '    needed = ["Dockerfile", "Pipfile.lock", "solutions/train.py", "data/customer.json", "Pipfile"]\n    found = {}',
                ),
                "needed is a parameter",
            ),
            (
                Instead("    return found", "    needed.clear()\n    return found"),
                "changes the list of the needed files",
            ),
        ],
    },
    "where-the-key-may-go": {
        "right": [
            """
def may_send(url):
    import re
    if re.match(r"https://[\\w.:-]", url, re.I):
        return True
    here = r"http://(localhost|127\\.0\\.0\\.1|\\[::1\\])(:\\d+)?([/?#].*)?"
    return bool(re.fullmatch(here, url, re.I))
""",
            """
def may_send(url):
    import contextlib
    with contextlib.suppress(ValueError):
        match urlsplit(url.lower()):
            case parts if not parts.hostname:
                return False
            case parts if parts.scheme == "http":
                return parts.hostname in {"localhost", "127.0.0.1", "::1"}
            case parts:
                return parts.scheme == "https"
    return False
""",
        ],
        "wrong": [
            (
                'def may_send(url):\n    return url.startswith("https")',
                "this machine is the exception",
            ),
            (
                'def may_send(url):\n    return url.startswith("https://") or "localhost" in url or "127.0.0.1" in url',
                "this machine is the exception",
            ),
            (
                'def may_send(url):\n    return url.startswith("https://") or "localhost" in url or "127.0.0.1" in url or "::1" in url',
                "only begins like this one",
            ),
            (
                'def may_send(url):\n    return "https" in url or urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")',
                "capital letters don't matter",
            ),
            (
                'def may_send(url):\n    return "https" in url.lower() or urlsplit(url).hostname in ("localhost", "127.0.0.1", "::1")',
                "where anybody may write anything",
            ),
            (
                """
def may_send(url):
    url = url.lower()
    here = ("http://localhost", "http://127.0.0.1", "http://[::1]")
    return url.startswith("https://") or url.startswith(here)
""",
                "only begins like this one",
            ),
            (
                """
def may_send(url):
    url = url.lower()
    here = ("localhost", "127.0.0.1", "[")
    return url.startswith("https://") or url.startswith("http://") and url[7:].split("/")[0].split(":")[0] in here
""",
                "the machine is example.com|that is no address",
            ),
            (
                Instead('"localhost", "127.0.0.1", "::1"', '"localhost", "127.0.0.1"'),
                "this machine is the exception, on any port",
            ),
            (
                Instead('"localhost", "127.0.0.1", "::1"', '"localhost", "127.0.0.1", "[::1]"'),
                "this machine is the exception, on any port",
            ),
            (
                Instead("host = parts.scheme, parts.hostname", "host = parts.scheme, parts.netloc"),
                "this machine is the exception",
            ),
            (
                Instead(
                    "host = parts.scheme, parts.hostname",
                    'host = parts.scheme, parts.netloc.split(":")[0].strip("[")',
                ),
                "this machine is the exception",
            ),
            (
                """
def may_send(url):
    import re
    return bool(re.match(r"https://\\w|http://(localhost|127\\.0\\.0\\.1|\\[::1\\])(?![\\w.-])", url, re.I))
""",
                "before @ is a user's name, and the machine is example.com",
            ),
            (
                Instead('"127.0.0.1", "::1"', '"127.0.0.1", "0.0.0.0", "::1"'),
                "0.0.0.0 is none of the three",
            ),
            (
                Instead('("localhost", "127.0.0.1", "::1")', '"localhost, 127.0.0.1, ::1"'),
                "that is a piece of localhost|TypeError",
            ),
            (Instead('scheme == "http" and ', 'scheme[:4] == "http" and '), "neither http nor"),
            (
                Instead("parts = urlsplit(url)", 'parts = urlsplit(url.split("@")[-1])'),
                "https may go anywhere",
            ),
            (Instead("return bool(host)", "return True"), "with a machine in it"),
            (Instead("return bool(host)", "return host"), "should be of type bool"),
            (
                Instead('if scheme == "https"', 'if scheme.startswith("https")'),
                "neither http nor https",
            ),
            (Instead('scheme == "http" and ', ""), "neither http nor https"),
            (
                Instead('    if scheme == "https":\n        return bool(host)\n', ""),
                "https may go anywhere",
            ),
            (
                Instead(
                    '("localhost", "127.0.0.1", "::1")',
                    '("localhost", "127.0.0.1", "::1", "192.168.0.7")',
                ),
                "whoever carries it reads the key",
            ),
            (
                Instead(
                    'host in ("localhost"',
                    'parts.port != 443 and host in ("localhost"',
                    'return scheme == "http"',
                    'return scheme == "http" and parts.port',
                ),
                "returned None",
            ),
            (
                Instead(
                    "except ValueError:\n        return False",
                    "except KeyError:\n        return False",
                ),
                "Catch it",
            ),
            (
                Instead("        return False\n", '        raise ValueError("no address")\n'),
                "Catch it",
            ),
            ("def may_send(url):\n    return True", "whoever carries it reads the key"),
            (
                Instead(
                    "parts = urlsplit(url)", 'parts = urlsplit(url.replace("http:", "https:"))'
                ),
                "whoever carries it",
            ),
            (
                Instead(
                    'return scheme == "http" and host',
                    'return scheme == "http" and (parts.port == 443 or host',
                    '"::1")',
                    '"::1"))',
                ),
                "the port does not make it https",
            ),
        ],
    },
    "a-service-that-wants-its-key": {
        "right": [
            Instead(
                "    sent =",
                """    from werkzeug.datastructures import WWWAuthenticate

    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    right = hmac.compare_digest(given.encode("utf-8", "replace"), KEY.encode())
    if scheme.lower() != "bearer" or not right:
        response = jsonify(error="This service wants its key.")
        response.status_code, response.www_authenticate = 401, WWWAuthenticate("bearer")
        return response
    return None
    sent =""",
            ),
            Instead(
                GATE,
                "    from werkzeug.exceptions import Unauthorized\n\n" + GATE,
                "return None\n    return",
                """return
    answer = jsonify({"error": "No, not without the key."})
    answer.status_code = 401
    answer.www_authenticate = Unauthorized().get_response().www_authenticate
    answer.headers["WWW-Authenticate"] = 'Bearer realm="churn"'
    return answer
    return""",
            ),
            Instead(
                "    sent =",
                """    auth = request.authorization
    if auth and auth.type == "bearer" and hmac.compare_digest((auth.token or "").encode(), KEY.encode()):
        return None
    return jsonify(error="No."), 401, {"WWW-Authenticate": "Bearer"}
    sent =""",
            ),
            Instead(
                "    sent =",
                "    import secrets, hashlib\n\n    sent =",
                COMPARE,
                'secrets.compare_digest(hashlib.sha256(sent.encode()).digest(), hashlib.sha256(b"Bearer " + KEY.encode()).digest())',
            ),
            Instead(
                GATE,
                """    sent_as = request.environ["REQUEST_METHOD"] + request.environ["PATH_INFO"]
    if KEY is None or sent_as in ["GET/ping", "HEAD/ping"]:
        return
"""
                + GATE,
                COMPARE,
                'sent.startswith("Bearer ") and hmac.compare_digest(sent[7:].encode("utf-8", "replace"), KEY.encode())',
                "This service wants its key.",
                "Wrong or no key.",
            ),
        ],
        "wrong": [
            (Instead(COMPARE, 'sent == f"Bearer {KEY}"'), "never calls hmac.compare_digest"),
            (
                Instead("sent.encode(), ", "sent, ", '{KEY}".encode()', '{KEY}"'),
                "raises a TypeError for text with an ü",
            ),
            (
                Instead('f"Bearer {KEY}".encode()', "KEY.encode()"),
                "blank and KEY, in the header Authorization",
            ),
            (
                Instead(
                    "sent.encode(), ",
                    'sent.split(" ")[-1].encode(), ',
                    'f"Bearer {KEY}".encode()',
                    "KEY.encode()",
                ),
                "the header is the word Bearer, a blank and",
            ),
            (Instead(COMPARE, 'sent.startswith(f"Bearer {KEY}")'), "it has a character too many"),
            (
                Instead("sent.encode()", 'sent.encode("ascii", "ignore")'),
                "it has a character too many",
            ),
            (
                Instead("sent.encode()", "sent[7:].encode()", 'f"Bearer {KEY}"', "KEY"),
                "Digest for-practice-only-1234 should be answered with 401",
            ),
            (Instead("def gate():", "def gate(request):"), "The service's log says where"),
            (
                Instead('"WWW-Authenticate": "Bearer"', '"WWW-Authenticate": f"Bearer {KEY}"'),
                "the answer 401 holds the key",
            ),
            (
                Instead(
                    REFUSE, "from werkzeug.exceptions import Unauthorized\n\n    raise Unauthorized"
                ),
                "abort(401) and raise make a web page",
            ),
            (
                Instead('path == "/ping"', 'path.rstrip("/") == "/ping"'),
                "only the path /ping is open",
            ),
            (Instead(OPEN, "request.endpoint == 'ping'"), "OPTIONS is neither"),
            (Instead('("GET", "HEAD")', '("GET",)'), "HEAD /ping without a key should be answered"),
            (Instead('("GET", "HEAD")', '("GET", "HEAD", "OPTIONS")'), "OPTIONS is neither"),
            (
                Instead("KEY is None or ", 'KEY is None or method == "OPTIONS" or '),
                "OPTIONS is neither",
            ),
            (
                Instead(
                    "KEY is None or ",
                    'KEY is None or (method, path) == ("OPTIONS", "/customers") or ',
                ),
                "OPTIONS, too, tells strangers what there is",
            ),
            (
                Instead('method in ("GET"', 'request.method in ("GET"'),
                "request.method turns small letters into capitals",
            ),
            (
                Instead('path == "/ping"', 'request.path == "/ping"'),
                "request.path makes one slash of two",
            ),
            (
                Instead('path == "/ping"', 'request.full_path == "/ping?"'),
                "GET /ping?from=balancer without a key should be answered with 200",
            ),
            (
                Instead(OPEN, OPEN + ' or method == "HEAD"'),
                "HEAD /customers without a key should be answered with 401",
            ),
            (
                Instead(f"    if {COMPARE}", f"    {COMPARE}\n    if sent == f'Bearer {{KEY}}'"),
                "and decides by something else",
            ),
            (
                Instead(COMPARE, f"sent == f'Bearer {{KEY}}' and {COMPARE}"),
                "and decides by something else",
            ),
            (
                Instead(COMPARE, 'sent and f"Bearer {KEY}".startswith(sent)'),
                "there is no key behind it",
            ),
            (
                Instead(COMPARE, "KEY.lower() in sent.lower()"),
                "the header is the word Bearer, a blank and",
            ),
            (
                Instead(
                    COMPARE,
                    'hmac.compare_digest(sent.lower().encode(), f"bearer {KEY}".lower().encode())',
                ),
                "capital letters matter in a key",
            ),
            (
                Instead("if hmac", 'if request.args.get("key") == KEY or hmac'),
                "addresses stand in logs; only the header counts",
            ),
            (
                Instead(
                    'request.headers.get("Authorization", "")', 'request.headers["Authorization"]'
                ),
                "Without the header, request.headers.get(",
            ),
            (
                Instead(
                    'request.headers.get("Authorization", "")',
                    'request.headers.get("Authorization")',
                ),
                "is with 500: your code failed there",
            ),
            (
                Instead(
                    'request.headers.get("Authorization", "")',
                    'request.headers.get("X-Api-Key", "")',
                ),
                "blank and KEY, in the header Authorization",
            ),
            (
                Instead(REFUSE, "from flask import abort\n\n    abort(401)"),
                "abort(401) and raise make a web page",
            ),
            (
                Instead(REFUSE, 'return "No.", 401'),
                'a 401 should be the JSON {"error": "..."}, and is',
            ),
            (Instead(REFUSE, 'return jsonify("No."), 401'), 'a 401 should be the JSON {"error"'),
            (
                Instead(REFUSE, 'return jsonify(message="No."), 401'),
                'a 401 should be the JSON {"error"',
            ),
            (
                Instead(', 401, {"WWW-Authenticate": "Bearer"}', ""),
                "should be answered with 401, and is with 200",
            ),
            (
                Instead(', 401, {"WWW-Authenticate": "Bearer"}', ", 403"),
                "should be answered with 401, and is with 403",
            ),
            (
                Instead(', {"WWW-Authenticate": "Bearer"}', ""),
                "should have the header WWW-Authenticate",
            ),
            (
                Instead("This service wants its key.", 'not " + sent + "'),
                "or what was sent as one: say neither",
            ),
            (
                Instead('"This service wants its key."', 'f"it should be {KEY}"'),
                "the answer 401 holds the key",
            ),
            (
                Instead("    sent =", "    print(request.headers)\n    sent ="),
                "prints or logs the key",
            ),
            (
                Instead(
                    "    return jsonify(e",
                    '    app.logger.warning("wrong key: %s", sent)\n    return jsonify(e',
                ),
                "prints or logs the key",
            ),
            (Instead(OPEN, 'path == "/ping"'), "only GET and HEAD of /ping are open"),
            (
                Instead('path == "/ping"', 'path.startswith("/ping")'),
                "compare with ==, not startswith",
            ),
            (
                Instead(f" or ({OPEN})", ""),
                "GET /ping without a key should be answered with 200",
            ),
            (
                Instead(
                    "    sent =",
                    '    if request.path != "/customers":\n        return None\n    sent =',
                ),
                "nobody without the key may find out which paths there are",
            ),
            (
                Instead("KEY is None or ", ""),
                "the status of GET /customers should be 200, and is 401: where KEY is None",
            ),
            (
                Instead(
                    "    if KEY is None or ",
                    "    if KEY is None:\n        return jsonify(error='no key is set'), 401\n    if ",
                ),
                "the status of GET /customers should be 200, and is 401: where KEY is None",
            ),
            (
                Instead('f"Bearer {KEY}"', '"Bearer for-practice-only-1234"'),
                "started with another key",
            ),
            (
                Instead(
                    'KEY = os.environ.get("CHURN_API_KEY")', 'KEY = os.environ["CHURN_API_KEY"]'
                ),
                "started without CHURN_API_KEY, ends: KeyError",
            ),
            (
                Instead(
                    "        return None\n    return jsonify",
                    "        return jsonify(customers=7043)\n    return jsonify",
                ),
                "let the request through",
            ),
            (
                Instead(
                    'KEY = os.environ.get("CHURN_API_KEY")',
                    'KEY = None if __name__ == "__main__" else os.environ.get("CHURN_API_KEY")',
                ),
                "the one that runs does not: it was started without CHURN_API_KEY, or with another",
            ),
            (
                Instead("    if hmac", "    if not hmac"),
                "blank and KEY, in the header Authorization",
            ),
        ],
    },
    "a-client-that-sends-it": {
        "right": [
            """
class Bearer(requests.auth.AuthBase):
    def __init__(self, key):
        self.key = key

    def __call__(self, request):
        request.headers["Authorization"] = "Bearer " + self.key
        return request

def ask(url, customer, key):
    with requests.Session() as session:
        session.auth = Bearer(key) if key is not None else None
        answer = session.post(f"{url}/predict", json=customer, timeout=5)
    if answer.status_code == 200:
        return answer.json()
    if answer.status_code == 401:
        raise PermissionError("401: is CHURN_API_KEY set, and is it the service's?")
    raise RuntimeError(f"the service answers with {answer.status_code}")
""",
            """
def ask(url, customer, key):
    import json
    import urllib.error
    import urllib.request

    request = urllib.request.Request(
        url + "/predict", json.dumps(customer).encode(), {"Content-Type": "application/json"}
    )
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        if error.code == 401:
            raise PermissionError("set CHURN_API_KEY to the service's key") from None
        raise
""",
        ],
        "wrong": [
            (
                Instead('f"Bearer {key}"', "key"),
                "should be Authorization: Bearer key-that-the-check-made, and is key-that",
            ),
            (
                Instead('{"Authorization": f"Bearer {key}"}', '{"X-Api-Key": key}'),
                "Bearer key-that-the-check-made, and is missing",
            ),
            (Instead('{"Authorization": f"Bearer {key}"}', '{"Bearer": key}'), "and is missing"),
            (Instead("headers=headers, ", 'auth=("Bearer", key), '), "and is Basic"),
            (Instead("headers=headers, ", ""), "and is missing"),
            (
                Instead("headers=headers, ", 'params={"key": key}, '),
                "the key stands in the address",
            ),
            (
                Instead('"/predict", json', 'f"/predict?key={key}", json'),
                "the key stands in the address",
            ),
            (
                Instead("json=customer", 'json=customer | {"key": key}'),
                "the key stands in the body",
            ),
            (Instead("{} if key is None else ", ""), "send no such header then"),
            (Instead("json=customer", "data=customer"), "the body should be the customer as JSON"),
            (
                Instead("json=customer", 'json={"customer": customer}'),
                "the body should be the customer as JSON",
            ),
            (
                Instead("requests.post", "requests.get"),
                "should send POST /predict, and sends GET /predict",
            ),
            (Instead('url + "/predict"', 'url + "/predict/"'), "and sends POST /predict/"),
            (
                Instead('url + "/predict"', '"http://127.0.0.1:9/predict"'),
                "should send one request to url, and sends 0",
            ),
            (
                Instead("    response =", '    headers["Cookie"] = f"key={key}"\n    response ='),
                "the key stands in the header Cookie, too",
            ),
            (
                Instead("    response =", "    key = os.environ['KEY']\n    response ="),
                "sends 0 (it raised NameError",
            ),
            (
                Instead("if response.status_code == 401", "if not response.ok"),
                "after a 400 ask raises a PermissionError as after a 401",
            ),
            (
                Instead(
                    "    response =",
                    "    import sys\n    print(key, file=sys.stderr)\n    response =",
                ),
                "ask prints",
            ),
            (
                Instead("    response.raise_for_status()\n", ""),
                "the service answers with 400, and ask returns",
            ),
            (
                Instead("raise PermissionError(", "print("),
                "ask prints 'The service does not know",
            ),
            (
                Instead(
                    'raise PermissionError("The service does not know the key: set CHURN_API_KEY.")',
                    "return None",
                ),
                "answers with 401, and ask returns None",
            ),
            (
                Instead(
                    'raise PermissionError("The service does not know the key: set CHURN_API_KEY.")',
                    "return response.json()",
                ),
                "as if all were well",
            ),
            (
                Instead("raise PermissionError", "raise SystemExit"),
                "should raise a PermissionError, and raises SystemExit",
            ),
            (Instead("raise PermissionError", "return PermissionError"), "as if all were well"),
            (
                Instead("raise PermissionError", "raise ValueError"),
                "and raises ValueError: The service",
            ),
            (
                Instead("set CHURN_API_KEY", "look at your key"),
                "name CHURN_API_KEY, so that somebody",
            ),
            (
                Instead(
                    '"The service does not know the key: set CHURN_API_KEY."',
                    'f"CHURN_API_KEY is {key}, and that is wrong"',
                ),
                "the exception after a 401 holds the key",
            ),
            (
                Instead(
                    "    response.raise_for_status()",
                    '    if response.status_code != 200:\n        raise RuntimeError(f"{response.status_code} {headers}")',
                ),
                "the exception after a 400 holds the key",
            ),
            (
                Instead(
                    "    if response.status_code == 401:",
                    "    for _ in range(3):\n        if response.status_code == 401:\n            response = requests.post(url + '/predict', json=customer, headers=headers, timeout=10)\n    if response.status_code == 401:",
                ),
                "it stays wrong, and many tries look like an attack",
            ),
            (Instead("    response =", "    print(headers)\n    response ="), "ask prints"),
            (
                Instead("    response =", '    customer.pop("tenure", None)\n    response ='),
                "the body should be the customer as JSON",
            ),
            (
                Instead(
                    "    return response.json()",
                    '    customer["done"] = True\n    return response.json()',
                ),
                "changes the customer",
            ),
            (
                Instead("return response.json()", 'return response.json()["churn"]'),
                "what ask returns should be",
            ),
            (
                Instead("    return response.json()", "    response.json()"),
                "what ask returns should be",
            ),
            (
                Instead(
                    "    return response.json()",
                    '    return {"churn_probability": 0.0625, "churn": False}',
                ),
                "what ask returns should be",
            ),
            (
                Instead("    return response.json()", "    return json.loads(response.text)"),
                "ask raised NameError",
            ),
        ],
    },
}
