"""A flaw for each check of lab 5: a text of labkit/labs/lab_05.py, and a weaker one for it."""

FLAWS = {
    "all-at-once": (
        "        if came != expected:\n            refuse",
        "        if set(came) != set(expected):\n            refuse",
    ),
    "a-schema-without-holes": (
        '({"seniorcitizen": True}, senior), ({"seniorcitizen": False}, senior),',
        "",
    ),
    "an-answer-that-helps": ("if len(given) > 50:", "if len(given) > 5000:"),
    "the-service-refuses": ('        (405, "GET", "/offer", {}),\n', ""),
    "a-batch": ("if came != 413:", "if came < 400:"),
    "a-test-that-can-fail": ("    if not missed:\n", "    if len(missed) < 2:\n"),
}
