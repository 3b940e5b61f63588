"""A flaw for each check of lab 5: a text of labkit/labs/lab_05.py, and a weaker one for it."""

FLAWS = {
    "5.1": (
        "        if came != expected:\n            refuse",
        "        if set(came) != set(expected):\n            refuse",
    ),
    "5.2": ('({"seniorcitizen": True}, senior), ({"seniorcitizen": False}, senior),', ""),
    "5.3": ("if len(given) > 50:", "if len(given) > 5000:"),
    "5.4": ('        (405, "GET", "/offer", {}),\n', ""),
    "5.5": ("if came != 413:", "if came < 400:"),
    "5.6": ("    if not missed:\n", "    if len(missed) < 2:\n"),
}
