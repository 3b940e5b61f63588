"""Lab 7: a flaw for each check (a case dropped, a condition loosened) that the proof must notice."""

FLAWS = {
    "7.1": ('"1.0.17": fix, "1.0.240": fix},', '"1.0.17": fix},'),
    "7.2": (
        '        (["1.0.0", "1.1.0", "1.2.0", "1.3.1"], ["*", "<1.3", "!=1.2.0"], "1.1.0",\n'
        '         "there may be more than two projects, and all of them count"),\n',
        "",
    ),
    "7.3": ("if section != right:", 'if section != right and name != "scikit-learn":'),
    "7.4": ('if holds != (system == "Windows"):', 'if holds and system == "Linux":'),
    "7.5": ('["install --deploy"],', '["install --deploy", "sync"],'),
    "7.6": ("if given != lock:", "if len(given) != len(lock):"),
    "7.7": ('("mails came under the name of dates", {"dates": mails, "rates": linux},',
            '("mails came under the name of dates", {"dates": b"another", "rates": linux},'),
    "7.8": ("if name not in wanted:", 'if name not in wanted and name != "numpy":'),
}  # fmt: skip
