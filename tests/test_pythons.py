"""tests/pythons.py fails when one of the Pythons does, and says which were left out, and why."""

import sys

import pytest
import pythons

HERE = ((3, 12, 1), sys.executable)


@pytest.fixture
def outcome(monkeypatch, capfd):
    """Run it with a start.py that does what is given here; return exit code and last lines."""

    def run(start, found, *versions):
        def copy_lab(folder):
            folder.mkdir()
            (folder / "start.py").write_text(f"import sys\n{start}", encoding="utf-8")

        monkeypatch.setattr(pythons, "copy_lab", copy_lab)
        monkeypatch.setattr(pythons, "find", found)
        code = pythons.main(versions)
        return code, capfd.readouterr().out.split("promises:\n")[1].splitlines()

    return run


@pytest.mark.parametrize("start", ["", "sys.exit(sys.argv[1] == 'test')", "1/0"])
def test_it_fails_when_set_up_or_tests_fail(outcome, start):
    code, (line,) = outcome(start, lambda version: HERE, "3.12")
    assert code == bool(start)
    assert line.startswith(f"  {'✘' if start else '✔'} Python 3.12.1 ({sys.executable}), ")


def test_one_failure_among_others_counts(outcome):
    start = "sys.exit(sys.argv[1:2] == ['test'])"
    pythons_here = {"3.12": HERE, "3.13": ((3, 13, 0), sys.executable)}
    code, lines = outcome(start, pythons_here.get, "3.12", "3.13")
    assert (code, len(lines)) == (1, 2)


def test_what_cannot_be_had_is_left_out_with_its_reason(outcome, monkeypatch):
    monkeypatch.setattr(pythons.shutil, "which", lambda name: None)  # no mmdebstrap
    code, lines = outcome("", lambda version: None, "3.12", "3.14")
    assert code == 0
    assert lines[0].startswith("  ○ Python 3.12 is left out: none was found here, and no Debian")
    assert lines[1].startswith("  ○ Python 3.14 is left out: none was found here (root gets")


def test_every_promised_minor_version_is_asked():
    assert pythons.MINORS == ["3.11", "3.12", "3.13", "3.14"]


def test_the_newest_runs_all_and_the_others_less(monkeypatch):
    monkeypatch.setattr(pythons.sys, "version_info", (3, 12, 1))
    asked = [pythons.tests_of(version, []) for version in pythons.MINORS]
    assert asked == [pythons.MOST, pythons.FEW, pythons.MOST, pythons.TESTS]
    assert pythons.tests_of("3.12", ["3.12"]) == pythons.TESTS


def test_only_supported_pythons_are_found():
    version = "{}.{}".format(*sys.version_info)
    numbers, _ = pythons.find(version) or pytest.skip(f"no python{version} on the PATH")
    assert numbers[:2] == sys.version_info[:2] and pythons.start.supported(numbers)
    assert pythons.find("2.7") is None and pythons.find("3.10") is None
