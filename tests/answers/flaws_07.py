"""Lab 7: a flaw for each check (a case dropped, a condition loosened) that the proof must notice."""

FLAWS = {
    "which-versions-fit": ('"1.0.17": fix, "1.0.240": fix},', '"1.0.17": fix},'),
    "one-environment-for-all": (
        '        (["1.0.0", "1.1.0", "1.2.0", "1.3.1"], ["*", "<1.3", "!=1.2.0"], "1.1.0",\n'
        '         "there may be more than two projects, and all of them count"),\n',
        "",
    ),
    "what-belongs-where": ("if section != right:", 'if section != right and name != "scikit-learn":'),
    "write-a-pipfile": ('if holds != (system == "Windows"):', 'if holds and system == "Linux":'),
    "which-command": ('["install --deploy"],', '["install --deploy", "sync"],'),
    "read-a-lock": ("if given != lock:", "if len(given) != len(lock):"),
    "the-tampered-file": ('("mails came under the name of dates", {"dates": mails, "rates": linux},',
            '("mails came under the name of dates", {"dates": b"another", "rates": linux},'),
    "what-the-update-changed": ("if name not in wanted:", 'if name not in wanted and name != "numpy":'),
}  # fmt: skip
