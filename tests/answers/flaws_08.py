"""A flaw for each check of lab 8: (old text, new text) in labkit/labs/lab_08.py.

With any of them, at least one case of the proof must fail.
"""

FLAWS = {
    "order-the-lines": (
        '("F", "the model changes, every week", "FB")',
        '("F", "the model changes", "FBIC")',
    ),
    "who-gets-an-answer": ('"c": (False,', '"c": (True,'),
    "mend-the-names": ('[*BUILDS["mend-the-names"], *TOMORROW]', '[*BUILDS["mend-the-names"]]'),
    "mend-the-quotes": (
        'mended(answer, "mend-the-quotes", no_shell=True)',
        'mended(answer, "mend-the-quotes")',
    ),
    "it-runs-on-my-machine": ('if port != "9696":', "if port is None:"),
    "no-secrets": (
        "sorted(image.layers - set(NEEDED))",
        "sorted({*image.files.values(), *NEEDED} - {*NEEDED, ''})",
    ),
    "what-is-in-the-image": ('"token.txt": (True,', '"token.txt": (False,'),
    "at-the-front-desk": (
        'if parts[:-2] in ([], ["0.0.0.0"], [""]):',
        'if parts[:-2] in (["0.0.0.0"], [""]):',
    ),
}
