"""A flaw for each check of lab 8: (old text, new text) in labkit/labs/lab_08.py.

With any of them, at least one case of the proof must fail.
"""

FLAWS = {
    "8.1": ('("F", "the model changes, every week", "FB")', '("F", "the model changes", "FBIC")'),
    "8.2": ('"c": (False,', '"c": (True,'),
    "8.3": ('[*BUILDS["8.3"], *TOMORROW]', '[*BUILDS["8.3"]]'),
    "8.4": ('mended(answer, "8.4", no_shell=True)', 'mended(answer, "8.4")'),
    "8.5": ('if port != "9696":', "if port is None:"),
    "8.6": (
        "sorted(image.layers - set(NEEDED))",
        "sorted({*image.files.values(), *NEEDED} - {*NEEDED, ''})",
    ),
    "8.7": ('"token.txt": (True,', '"token.txt": (False,'),
    "8.8": ('if parts[:-2] in ([], ["0.0.0.0"], [""]):', 'if parts[:-2] in (["0.0.0.0"], [""]):'),
}
